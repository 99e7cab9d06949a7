import re
import tomllib
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.assumptions import Frozen, Need, Regional, RoadFactors, RoadSpeeds, Uncertainty
from planner.errors import SettingsError
from planner.kinds import MODES
from planner.regionfile import load_region_file
from planner.scenariofile import scenario_text
from planner.settings import Scenario, describe_scenario, find_scenario, load_scenario, validated
from planner.words import DOUBTS, ROADS

ROOT = Path(__file__).parents[1]
SHIPPED = sorted((ROOT / "scenarios").glob("*.toml"))


def written(folder: Path, text: str, name: str = "x.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_base_scenario_is_the_default_one_and_lists_every_key() -> None:
    assert load_scenario(ROOT / "scenarios" / "base.toml") == Scenario() == load_scenario(None)
    text = (ROOT / "scenarios" / "base.toml").read_text(encoding="utf-8")
    assert text == scenario_text(Scenario())
    assert not [key for key in Scenario.model_fields if f"{key} =" not in text and f"[{key}]" not in text]


def test_each_setting_is_documented_where_it_stands() -> None:
    """Before every key a line with what it is, its mark and its source; numbers say their range."""
    lines = (ROOT / "scenarios" / "base.toml").read_text(encoding="utf-8").splitlines()
    keys = [i for i, line in enumerate(lines) if re.match(r"(# )?\w+ =", line)]
    parts = sum(len(kind.model_fields) for kind in (Need, RoadSpeeds, RoadFactors, Uncertainty, Regional))
    assert len(keys) == len(Scenario.model_fields) - 5 + parts
    assert lines[keys[0] - 1] == "# Nombre del escenario y de la carpeta de su corrida [minúsculas sin acento, cifras y _; a lo más 40]."
    for i in keys[1:]:
        said = re.fullmatch(r"# (.{5,}?)( \[.+\])?\. (dato|derivado|supuesto): (.{3,})", lines[i - 1])
        assert said, lines[i - 1]
        if re.search(r"= [\d.]+(_\d+)*$", lines[i]) and "seed" not in lines[i]:
            assert re.search("desde|más de|números| o ", said[2] or ""), lines[i - 1]


ODD = Scenario(name="otra", season="lluvias", rain_closes=("vados",), capital_mxn=2.5e6, utilisation=0.123456789012345,
               require=('umr-"1"', "x\\y\n\x7f"), need=Need(bajo=0.3), allow=(), calendar_start=date(2027, 1, 4), unlimited_capacity=True,
               regional=Regional(districts="libre", hospital_people_max=None, together=("99001+99002",)))


@pytest.mark.parametrize("base", [None, Scenario()], ids=["entero", "lo que cambia"])
@pytest.mark.parametrize("scenario", [ODD, *map(load_scenario, SHIPPED)], ids=lambda s: s.name)
def test_a_scenario_written_down_reads_back_as_it_was(tmp_path: Path, scenario: Scenario, base: Scenario | None) -> None:
    assert load_scenario(written(tmp_path, scenario_text(scenario, base))) == scenario


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_number_and_text_reads_back(data: st.DataObject) -> None:
    texts = st.lists(st.text('aÑ"\\\'\n\r\t\x00\x1f\x7f\x85#[]=\u2028😀', max_size=8), max_size=3, unique=True).map(tuple)
    scenario = Scenario(
        utilisation=data.draw(st.floats(0, 1, exclude_min=True)), budget_mxn_year=data.draw(st.floats(0, 1e300)),
        capital_mxn=data.draw(st.none() | st.floats(0, 1e12)), closures=data.draw(texts), seed=data.draw(st.integers(0, 2**62)),
        uncertainty=Uncertainty(people=data.draw(st.floats(0, 1, exclude_max=True))))
    for text in (scenario_text(scenario), scenario_text(scenario, Scenario())):
        assert validated(Scenario, tomllib.loads(text), "x") == scenario


def test_only_what_differs_is_written_with_what_it_means() -> None:
    text = scenario_text(ODD, Scenario())
    values = tomllib.loads(text)
    assert values.keys() == {"name", "season", "rain_closes", "capital_mxn", "utilisation", "require", "need", "allow", "calendar_start",
                             "unlimited_capacity", "regional"}
    assert values["need"] == {"bajo": 0.3}
    assert values["regional"] == {"districts": "libre", "hospital_people_max": "sin tope", "together": ["99001+99002"]}
    said = "# Parte de la población objetivo que usa la unidad [proporción; más de 0, hasta 1]. derivado: PA/PO del programa\n"
    assert f"{said}utilisation = 0.123456789012345\n" in text
    assert tomllib.loads(scenario_text(Scenario(), Scenario())) == {"name": "base"}


def test_a_shipped_scenario_is_found_whatever_its_case() -> None:
    folder = ROOT / "scenarios"
    assert find_scenario(None, folder) is None
    assert find_scenario("presupuesto_100M", folder) == folder / "presupuesto_100m.toml"
    assert find_scenario(str(folder / "lluvias.toml"), folder / "nada") == folder / "lluvias.toml"
    with pytest.raises(SettingsError, match=r"escenario lluvia \(¿quiso decir «lluvias»\?\); los incluidos son ampliar"):
        find_scenario("lluvia", folder)
    with pytest.raises(SettingsError, match=r"No existe el archivo de escenario zzz; los incluidos son"):
        find_scenario("zzz", folder)


def test_every_scenario_of_a_committee_is_shipped_and_lists_only_what_differs() -> None:
    names = {p.stem for p in SHIPPED}
    assert names >= {"base", "lluvias", "vehiculo", "transporte_publico", "umbral_30", "presupuesto_100m", "presupuesto_300m",
                     "presupuesto_600m", "sin_capacidad", "equidad_muy_alto", "ampliar_unidades", "solo_moviles", "incorporacion_ssa",
                     "programa_ordinario", "decision"}
    for path in SHIPPED:
        text = path.read_text(encoding="utf-8")
        comment = " ".join(line.removeprefix("# ") for line in text.split("\n\n")[0].splitlines() if line.startswith("# "))
        if path.stem != "base":  # what it asks, and what to compare it with, which there is
            assert text.startswith("# ¿")
            told = comment.split("Compárese con ")[1]
            assert names & set(re.findall(r"\w+", told)) - {path.stem}
        if path.stem not in ("base", "presupuesto_100m"):  # that one says a budget of its own, the base's today
            values = tomllib.loads(text)
            scenario = load_scenario(path)
            assert all(getattr(scenario, key) != getattr(Scenario(), key) for key in values if key != "name"), path.stem


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_scenarios_load(path: Path) -> None:
    assert load_scenario(path).name == path.stem


def test_every_setting_says_its_mark_and_what_it_means() -> None:
    table = describe_scenario(Scenario()).set_index("key").drop(index="name")
    assert set(table["mark"]) == {"dato", "derivado", "supuesto"}
    assert (table["meaning"].str.len() > 5).all()
    assert (table["source"].str.len() > 2).all()
    assert ROADS.keys() == {*RoadSpeeds.model_fields, *RoadFactors.model_fields}
    assert DOUBTS.keys() == Uncertainty.model_fields.keys()


def test_every_setting_is_read_by_some_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "planner").rglob("*.py"))
    told_only = {"inflation"}  # comparisons read it from manifests
    read = set(re.findall(r"\b(?:scenario|question|self)\.(?=(\w+))", code))
    assert Scenario.model_fields.keys() - read == told_only


def test_a_scenario_is_frozen_hashable_and_compares_by_value(tmp_path: Path) -> None:
    rains = load_scenario(written(tmp_path, 'season = "lluvias"', "aguas.toml"))
    assert rains == Scenario(name="aguas", season="lluvias")
    assert hash(rains) == hash(Scenario(name="aguas", season="lluvias"))
    with pytest.raises(ValueError, match="frozen"):
        rains.season = "secas"


@pytest.mark.parametrize(("text", "words"), [
    ("utilization = 0.5", "«utilization» no existe (¿quiso decir «utilisation»?)"),
    ("utilisation = 1.5", "«utilisation» = 1.5"),
    ("budget_mxn_year = -1", "«budget_mxn_year» = -1"),
    ("cost_umr_annual_mxn = -2.0", "«cost_umr_annual_mxn»"),
    ('season = "otoño"', "«season»"),
    ('season = "lluvia"', "(¿quiso decir «lluvias»?)"),
    ('allow = ["umr", "brigadas"]', "(¿quiso decir «brigada»?)"),
    ("budget_mxn_year = nan", "«budget_mxn_year»"),
    ("ramp_first_level_good_min = 95", "ramp_first_level_good_min = 95 debe ser menor que ramp_first_level_none_min = 90"),
    ("reach_first_level_min = 240", "cutoff_first_level_min = 180 debe ser al menos reach_first_level_min = 240"),
    ("[need]\nalta = 1", "«need.alta» no existe (¿quiso decir «alto»?)"),
    ("utilisation = ", "no es TOML válido"),
    ("utilisation = true", "«utilisation» = true no se admite: debe ser un número"),
    ('utilisation = "0.5"', "«utilisation» = '0.5' no se admite: debe ser un número"),
    ("draws = 2.5", "debe ser un número entero"),
    ('unlimited_capacity = "no"', "debe ser true o false"),
    ('capital_mxn = "nada"', "«capital_mxn» = 'nada' no se admite: debe ser un número"),
    ("[necesidad]\nalto = 1", "la clave «necesidad» no existe"),
    ("[needs]\nalto = 1", "«needs» no existe (¿quiso decir «need»?)"),
    ("capacity = 0.1", "«capacity» no existe (¿quiso decir «uncertainty.capacity»?)"),
    ('[need]\nalto = 1\nseason = "secas"', "«need.season» no existe (¿quiso decir «season»?)"),
    ('need = "alto"', "«need» = 'alto' no se admite: debe ser una sección con claves"),
    ('name = "Presupuesto 100M"', "«name» = 'Presupuesto 100M' no se admite: solo admite minúsculas sin acento, cifras y _"),
    ("road_factor.tracktype = [1, 0.9]", "a la lista «road_factor.tracktype» le faltan elementos"),
    ("umr_people_min = 3000", "umr_people_max = 2500 debe ser al menos umr_people_min = 3000"),
    ("calendar_start = 2026-01-06", "calendar_start = 2026-01-06 no es lunes"),
    ('mode_hospital = "en vehículo"', "(¿quiso decir «vehiculo»?)"),
])
def test_a_wrong_scenario_is_told_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError) as told:
        load_scenario(written(tmp_path, text))
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_missing_and_badly_encoded_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No existe el archivo de escenario"):
        load_scenario(tmp_path / "nada.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes("# año\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load_scenario(latin)


@pytest.mark.parametrize(("text", "words"), [
    ('entity = "13"\n[localities]\niter = "a.zip"', "falta la clave «name»"),
    ('name = "X"\nentity = 13\n[localities]\niter = "a.zip"', 'entre comillas, como "13"'),
    ('name = "X"\nentity = "13"\n[localities]\niter = "a"\ntable = "b"', "exactamente una de las claves iter o table"),
    ('name = "X"\nentity = "13"\n[localities]\niter = "a"\n[road]\nosm = "b"', "«road» no existe (¿quiso decir «roads»?)"),
    ('name = "X"\nentity = "13"\n[localities]\niter = "a"\n[units]\nfiles = []', "«units.files»"),
])
def test_a_wrong_region_file_is_told_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError) as told:
        load_region_file(written(tmp_path, text))
    assert words in str(told.value)


def test_need_and_modes_are_complete() -> None:
    assert list(Need().by_grade().values()) == [0, 0.25, 0.5, 0.75, 1]
    assert {Scenario(mode_first_level=m).mode_first_level for m in MODES} == set(MODES)


def test_a_wrong_kind_of_number_is_told_under_its_own_key(tmp_path: Path) -> None:
    path = tmp_path / "muchos.toml"
    path.write_text('[regional]\ndistricts = "muchos"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="«regional.districts» = 'muchos' no se admite: debe ser un número entero") as told:
        load_scenario(path)
    assert "'libre'" in str(told.value)
    assert "constrained" not in str(told.value)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        load_scenario(written(tmp_path, 'season = "lluvia"\nutilisation = 2\nkosts = 1\n[need]\nalto = 7\n'))
    assert [key in str(told.value) for key in ("«season»", "«utilisation»", "«kosts»", "«need.alto»")] == [True] * 4
    with pytest.raises(SettingsError) as told:
        load_scenario(written(tmp_path, "ramp_first_level_none_min = 20\nramp_hospital_good_min = 200\ncalendar_start = 2026-01-06\n"))
    assert [key in str(told.value) for key in ("ramp_first_level_good_min", "ramp_hospital_good_min", "no es lunes")] == [True] * 3


NONSENSE: tuple[Any, ...] = (
    True, -1, 1e9, 2.5, float("nan"), float("inf"), "", "zzz", [], ["zzz"], [1], {"a": 1}, date(2026, 1, 6), time(3))


def test_no_nonsense_is_told_in_english() -> None:
    """Each kind of value, right or absurd, in each key: taken, or refused under the name of the key in Spanish."""
    keys = [(key,) for key in Scenario.model_fields]
    sections = {key: type(info.default) for key, info in Scenario.model_fields.items() if isinstance(info.default, Frozen)}
    keys += [(key, part) for key, kind in sections.items() for part in kind.model_fields]
    refused = []
    for *section, key in keys:
        for value in NONSENSE:
            try:
                validated(Scenario, {section[0]: {key: value}} if section else {key: value}, "x")
            except SettingsError as fault:
                refused.append((key, str(fault)))
    assert len(refused) > len(keys) * 7
    assert not [(key, told) for key, told in refused if key not in told]
    assert not [told for _, told in refused if re.search(r"(?i)should|must|input|valid|than|least|provided|error", told)]
