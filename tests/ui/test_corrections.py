"""Corrections of units: what cannot be is refused, what can changes just that unit and its minutes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import valley
from drawn_page import APP, AS_TEXT, texts, visit
from streamlit.testing.v1 import AppTest

from planner import columns, schema
from planner.corrections import ROLE, Correction, corrected
from planner.errors import DataError
from planner.model import Region
from planner.settings import Scenario
from planner.travel.times import compute_travel
from planner.ui import state

ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES


@pytest.fixture
def region() -> Region:
    return valley.region()


def at(region: Region, cvegeo: str) -> tuple[float, float]:
    """Latitude and longitude of a locality."""
    return float(region.localities.at[cvegeo, "lat"]), float(region.localities.at[cvegeo, "lon"])


def table(region: Region) -> pd.DataFrame:
    return pd.DataFrame(region.units).assign(geometry=region.units.geometry.to_wkt()).fillna({"flags": ""})


GOOD = Correction("NUEVA1", "Nueva", "UMR", 1, 19.93, -98.95)
BAD = {
    "key in small letters": replace(GOOD, clues="nueva1"), "key of lines": replace(GOOD, clues="NUEVA\n1"),
    "key of markup": replace(GOOD, clues="<b>x</b>"), "short key": replace(GOOD, clues="ABC"), "long key": replace(GOOD, clues="A" * 17),
    "nothing told": Correction("NUEVA1"), "no coordinates": replace(GOOD, lat=None, lon=None), "half a place": Correction(ONE, lat=19.9),
    "other half": Correction(ONE, lon=-98.9), "swapped": Correction(ONE, lat=-98.9, lon=19.9), "far": Correction(ONE, lat=21.5, lon=-98.9),
    "no number": Correction(ONE, lat=np.nan, lon=-98.9), "endless": Correction(ONE, lat=np.inf, lon=-np.inf),
    "unknown class": Correction(ONE, unit_class="<script>"), "class out of the network": Correction(ONE, unit_class="otro"),
    "less than none": Correction(ONE, nuclei=-1), "too many": Correction(ONE, nuclei=41), "no name": Correction(ONE, name=" \n"),
    "long name": Correction(ONE, name="x" * 121)}


@pytest.mark.parametrize("what", BAD)
def test_a_correction_that_cannot_be_is_refused_and_changes_nothing(what: str, region: Region) -> None:
    before = table(region)
    with pytest.raises(DataError) as fault:
        corrected(region, [Correction(TWO, name="Buena"), BAD[what]])
    told = str(fault.value)
    assert told.startswith("No se cambió ninguna unidad: ")
    assert told.endswith(".")
    assert told.count(". ") == 0
    assert told.isprintable()
    assert "<" not in told
    pd.testing.assert_frame_equal(table(region), before)
    assert not region.findings
    assert not region.inputs


@pytest.mark.parametrize("made", [
    Correction(ONE, name='<b>"Uno"</b>\u202e'), Correction(ONE, unit_class="centro_salud", nuclei=3),
    Correction(TWO, unit_class="hospital_general"), Correction(MOBILE, lat=19.93, lon=-98.95), Correction(HOSPITAL, nuclei=0), GOOD,
    replace(GOOD, unit_class="HR")], ids=lambda made: ascii(made)[:60])
def test_a_correction_changes_just_that_unit_and_is_told(made: Correction, region: Region) -> None:
    changed = corrected(region, [made])
    columns.check(schema.UNITS, changed.units, "prueba")
    assert changed.units.dtypes.to_dict() == region.units.dtypes.to_dict()
    assert changed.units.index.is_monotonic_increasing
    others = region.units.index.drop(made.clues, errors="ignore")
    pd.testing.assert_frame_equal(table(changed).loc[others], table(region).loc[others])
    for field in ("name", "unit_class", "nuclei", "lat", "lon"):
        said, before = getattr(made, field), region.units[field].get(made.clues)
        assert changed.units.at[made.clues, field] == (before if said is None else said), field
    if made.lat is None:
        assert changed.units.at[made.clues, "cve_mun"] == region.units.at[made.clues, "cve_mun"]
    assert changed.units.at[made.clues, "level"] == (2 if changed.units.at[made.clues, "role"] == "hospital" else 1)
    note, = changed.findings
    assert (note.where, note.count, note.examples) == (ROLE, 1, (made.clues,))
    assert "supuesto" in note.what
    assert [file.role for file in changed.inputs] == [ROLE]
    assert corrected(region, []) is region


def test_corrections_of_one_unit_add_up(region: Region) -> None:
    """The form tells only what differs from what the page shows, earlier corrections included."""
    lat, lon = at(region, "990020001")
    made = [Correction(ONE, name="Primera"), Correction(ONE, nuclei=4), Correction(ONE, name="Segunda"), GOOD,
            Correction("NUEVA1", lat=lat, lon=lon)]
    units = corrected(region, made).units
    assert (units.at[ONE, "name"], units.at[ONE, "nuclei"]) == ("Segunda", 4)
    assert (units.at["NUEVA1", "name"], units.at["NUEVA1", "lat"], units.at["NUEVA1", "cve_mun"]) == ("Nueva", lat, "99002")
    assert corrected(region, made).inputs != corrected(region, made[:-1]).inputs


def test_what_a_correction_answers_is_no_longer_flagged(region: Region) -> None:
    flagged = replace(region, units=region.units.assign(flags="nucleos_supuestos,movil_por_nombre,estatus_en_blanco"))
    told = {name: corrected(flagged, [made]).units.at[TWO, "flags"].split(",") for name, made in (
        ("nuclei", Correction(TWO, nuclei=2)), ("class", Correction(TWO, unit_class="UMR")), ("name", Correction(TWO, name="x")))}
    assert told == {"nuclei": ["movil_por_nombre", "estatus_en_blanco"], "class": ["nucleos_supuestos", "estatus_en_blanco"],
                    "name": ["nucleos_supuestos", "movil_por_nombre", "estatus_en_blanco"]}


def nearest(region: Region) -> pd.Series:
    found = compute_travel(region, Scenario()).nearest["primer_nivel", "a_pie"]
    return found["minutes"]


def test_a_unit_that_moves_takes_its_minutes_along(region: Region) -> None:
    """Unit one goes from beside A to where D is: D has it at home, and A walks past where it stood, then as D walked before."""
    lat, lon = at(region, "990020001")
    before, after = nearest(region), nearest(corrected(region, [Correction(ONE, lat=lat, lon=lon)]))
    assert before["990010001"] == pytest.approx(2 * 11.912, abs=0.01)  # two cells at the walking speed of level ground
    assert after["990020001"] == 0
    assert after["990010001"] > before["990010001"]
    assert after["990010003"] == before["990010003"] == 0  # unit two stays
    assert after["990010001"] == pytest.approx(before["990020001"] + 2 * 11.912, abs=0.1)


@pytest.mark.parametrize("cvegeo", ["990010001", "990010002", "990020002", "990020003"])
def test_a_new_unit_lengthens_nobodys_way(cvegeo: str, region: Region) -> None:
    lat, lon = at(region, cvegeo)
    before, after = nearest(region), nearest(corrected(region, [replace(GOOD, lat=lat, lon=lon)]))
    assert (after <= before).all()
    assert after[cvegeo] == 0
    assert (after[before > 0] < before[before > 0]).any()


def test_the_form_refuses_what_changes_nothing_and_tells_what_is_wrong(valley_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_HOME", str(valley_home))
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["parte"] = "Corregir unidades"
    visit(page, "datos")
    next(one for one in page.selectbox if one.label == "Unidad").set_value(ONE).run()
    next(button for button in page.button if button.label == "Aplicar").click().run()
    assert "No hay nada que aplicar" in page.info[0].value
    next(field for field in page.text_input if field.label == "Nombre").set_value("   ")
    next(button for button in page.button if button.label == "Aplicar").click().run()
    assert "de 1 a 120 letras" in page.error[0].value
    next(field for field in page.text_input if field.label == "Nombre").set_value("<b>Uno</b> [x](https://evil.example)")
    next(button for button in page.button if button.label == "Aplicar").click().run()
    next(field for field in page.number_input if field.label.startswith("Núcleos")).set_value(3)
    next(button for button in page.button if button.label == "Aplicar").click().run()
    assert not page.exception
    assert not page.error
    made = page.session_state[state._UNITS]["valle"]
    assert len(made) == 2
    assert Correction(ONE, "<b>Uno</b> [x](https://evil.example)", nuclei=3) == replace(made[0], nuclei=made[1].nuclei)
    assert not any("<b>Uno" in text for field, text in texts(page) if field not in AS_TEXT and field != "TextInput:default")
