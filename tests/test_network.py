"""The units of a scenario: those that close or do not count attend nobody, and what the region does not have is refused."""

from dataclasses import replace

import pandas as pd
import pytest
import valley
from valley_travel import HOSPITAL, MOBILE, U1, U2, A, B, C, D, F

from planner.access.gap import compute_access
from planner.decide.options import feasible_options
from planner.errors import SettingsError
from planner.network import network_of, with_units_out
from planner.settings import Scenario
from planner.sources.clues import read_units
from planner.travel.times import compute_travel


def region():
    stops = pd.DataFrame({"clues": [MOBILE], "cvegeo": [D], "visits_month": [4.0]})
    return replace(valley.region(), circuits=stops)


def test_nothing_closed_is_the_same_region():
    here = region()
    assert network_of(here, Scenario()) is here
    assert with_units_out(here, ()) is here


def test_a_closed_unit_attends_nobody_and_the_nearest_answers():
    here = region()
    before = here.units.copy(), here.responsibility.copy()
    shut = network_of(here, Scenario(closures=(U1,)))
    travel = compute_travel(shut, Scenario())
    access = compute_access(shut, travel, Scenario())
    shares = access.shares.set_index(["cvegeo", "clues"])["share"]
    assert U1 not in access.shares["clues"].to_numpy()
    assert access.units.loc[U1, ["load", "capacity"]].tolist() == [0, 0]
    assert shares[B].sum() == pytest.approx(1.0)  # the 0.3 that answered to unit 1 has gone to unit 2, if near enough
    assert shares[B, U2].sum() == pytest.approx(1.0)
    assert shares[C, U2] == 1.0
    assert (travel.nearest["primer_nivel", "a_pie"]["clues"] == U2).all()
    whole = compute_access(here, compute_travel(here, Scenario()), Scenario()).localities
    assert (access.localities["first_level_min"] >= whole["first_level_min"]).all()
    assert access.localities.at[F, "gap_share"] >= whole.at[F, "gap_share"]
    pd.testing.assert_frame_equal(pd.DataFrame(before[0]), pd.DataFrame(here.units))
    pd.testing.assert_frame_equal(before[1], here.responsibility)


def test_a_mobile_unit_out_visits_nobody_and_a_hospital_out_refers_nobody():
    shut = with_units_out(region(), [MOBILE, HOSPITAL])
    assert shut.circuits.empty
    travel = compute_travel(shut, Scenario())
    access = compute_access(shut, travel, Scenario()).localities
    assert access.at[D, "visits_month"] == 0
    assert access["hospital_min"].eq(float("inf")).all()
    assert access.at[A, "assigned"] == U1


@pytest.mark.parametrize(("closures", "said"), [
    (("MDIMB000012",), r"cierra 1 unidad que la región no tiene \(MDIMB000012\), ¿quiso decir MDIMB0000"),
    (("X", "Y", "Z", "W"), r"cierra 4 unidades que la región no tiene \(W, X, Y, …\), revise las claves\.$"),
])
def test_unknown_units_are_told(closures, said):
    with pytest.raises(SettingsError, match=said):
        network_of(region(), Scenario(closures=closures))


def test_other_institutions_make_the_network_that_preparing_with_them_would(tmp_path):
    """Units prepared with a list of institutions, and prepared by default and asked for the same list."""
    kinds = [("IMB", "RURAL DE 02 NÚCLEOS BÁSICOS"), ("IMO", "UNIDAD MÉDICA RURAL"), ("SSA", "HOSPITAL GENERAL"),
             ("SSA", "RURAL DE 01 NÚCLEO BÁSICO"), ("IMS", "UNIDAD MÉDICA RURAL"), ("SMP", "CONSULTORIO"), ("SSA", "UNIDAD MÓVIL")]
    rows = [{"CLUES": f"HG{key}{i:06d}", "CLAVE DE LA INSTITUCION": key, "NOMBRE DE TIPOLOGIA": name, "NOMBRE DE LA UNIDAD": f"U{i}",
             "NIVEL ATENCION": "1", "ESTATUS DE OPERACION": "EN OPERACION", "LATITUD": 20 + i / 100, "LONGITUD": -99.0,
             "CLAVE DE LA ENTIDAD": "13"}
            for i, (key, name) in enumerate(kinds)]
    pd.DataFrame(rows).to_csv(tmp_path / "clues.csv", index=False)
    default = read_units([tmp_path / "clues.csv"], "13").units
    here = replace(valley.region(responsibility=False), units=default)
    for asked in (("IMB",), ("IMO", "IMS"), ("IMB", "IMO", "IMS", "SSA"), ("SSA",)):
        wanted = read_units([tmp_path / "clues.csv"], "13", asked).units
        found = network_of(here, Scenario(institutions=asked)).units
        pd.testing.assert_series_equal(found["role"], wanted["role"])
        pd.testing.assert_series_equal(found["nuclei"], wanted["nuclei"])
    assert set(network_of(here, Scenario(institutions=("IMS",))).units["role"]) == {"primer_nivel", "ninguno"}


def test_units_that_leave_the_network_answer_for_nobody():
    here = region()
    mixed = replace(here, units=here.units.assign(institution=here.units["institution"].where(here.units.index != U1, "IMO")))
    left = network_of(mixed, Scenario(institutions=("IMB",)))
    shut = network_of(mixed, Scenario(closures=(U1,)))
    pd.testing.assert_frame_equal(pd.DataFrame(left.units), pd.DataFrame(shut.units))
    pd.testing.assert_frame_equal(left.responsibility, shut.responsibility)
    assert network_of(mixed, Scenario(institutions=("IMB", "IMO"))).units["role"].equals(here.units["role"])


@pytest.mark.parametrize(("asked", "said"), [
    (("IMBB",), r"nombra 1 institución que la región no tiene \(IMBB\), ¿quiso decir IMB\?; la región tiene de IMB\.$"),
    (("XX",), r"«institutions» nombra 1 institución .*revise las claves; la región tiene de IMB\.$"),
    (("imb",), r"\(imb\), ¿quiso decir IMB\?"),
    (("SSA",), r"«institutions» = SSA no deja ninguna unidad de primer nivel; la región tiene de IMB\."),
])
def test_a_wrong_network_is_told(asked, said):
    with pytest.raises(SettingsError, match=said):
        network_of(region(), Scenario(institutions=asked))


@pytest.mark.parametrize("key", ["require", "forbid"])
def test_what_the_plan_must_or_must_not_have_stands_in_the_region(key):
    here = region()
    known = (F, U1, f"umr-{F}", f"nucleo-{U1}-01", f"umm-{U1}-0a1b", f"ruta-{MOBILE}-todas")
    assert network_of(here, Scenario(**{key: known})) is here
    with pytest.raises(SettingsError, match=rf"«{key}» pide 2 lugares .* \(990020009, mdimb000011\), ¿quiso decir 99002000\d, {U1}\?$"):
        network_of(here, Scenario(**{key: ("umr-990020009", "mdimb000011", F)}))
    with pytest.raises(SettingsError, match=r"pide 1 lugar que la región no tiene \(umrr-xyz\), revise las claves\.$"):
        network_of(here, Scenario(**{key: ("umrr-xyz",)}))


def test_all_that_is_not_there_is_told_at_once():
    with pytest.raises(SettingsError) as told:
        network_of(region(), Scenario(closures=("X",), institutions=("XX",), require=("Y",), forbid=("Z",)))
    assert [f"«{key}»" in str(told.value) for key in ("closures", "institutions", "require", "forbid")] == [True] * 4


def test_travel_kept_on_disk_is_not_taken_for_that_of_another_network(tmp_path):
    """After a run of the whole network, one of other institutions finds what it would find without anything kept."""
    here = region()
    mixed = replace(here, units=here.units.assign(institution=here.units["institution"].where(here.units.index != U1, "IMO")))
    asked = Scenario(institutions=("IMB",), umr_people_min=200.0, mobile_people_min=100.0, capacity_people_per_nucleo=500.0)

    def found(scenario, cache):
        network = network_of(mixed, scenario)
        travel = compute_travel(network, scenario, cache)
        access = compute_access(network, travel, scenario)
        return travel, access, feasible_options(network, travel, access, scenario, cache)

    whole = found(asked.model_copy(update={"institutions": ()}), tmp_path)
    kept = sorted(tmp_path.rglob("*.bin"))
    assert kept
    clean, after = found(asked, None), found(asked, tmp_path)
    again = found(asked, tmp_path)
    for one in (after, again):
        for key, nearest in clean[0].nearest.items():
            pd.testing.assert_frame_equal(one[0].nearest[key], nearest)
        pd.testing.assert_frame_equal(pd.DataFrame(one[1].localities), pd.DataFrame(clean[1].localities))
        assert [o.id for o in one[2].options] == [o.id for o in clean[2].options]
    assert not clean[0].nearest["primer_nivel", "a_pie"].equals(whole[0].nearest["primer_nivel", "a_pie"])
    assert len(sorted(tmp_path.rglob("*.bin"))) > len(kept)  # searches of its own
