"""Layers: the contract's names, nothing lost, nothing invented, nothing changed on the way."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley

from planner import columns, schema
from planner.errors import DataError
from planner.kinds import LEVELS, MODES, Mode
from planner.model import Outcome
from planner.outputs.layers import dictionary, layers

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
# design.md, section 5
CONTRACT = {
    "localidades": """cvegeo nom_ent nom_mun nom_loc pobtot poblacion pob_indigena irs grado_rezago irs_imputado clues_asignada
        min_primer_nivel min_hospital clues_hospital suficiencia visitas_mes puntaje_brecha personas_equiv brecha_ponderada cobertura
        intervencion motivo min_primer_nivel_plan min_hospital_plan clues_hospital_plan suficiencia_plan visitas_mes_plan
        puntaje_brecha_plan personas_equiv_plan brecha_ponderada_plan cobertura_plan""",
    "unidades": "clues nombre institucion tipologia clase nivel nucleos carga capacidad localidades poblacion",
    "propuestas": "id tipo cvegeo clues costo_inversion costo_anual personas brecha_ponderada_cerrada robustez motivo",
    "rutas": "dia orden minutos min_a_pie min_vehiculo km pernocta",
    "areas_influencia": "clues propuesta min_desde min_hasta",
    "referencias": "clues clues_hospital minutos km",
}


def made(run: Any) -> dict[str, Any]:
    return layers(run.region, run.travel, run.outcome, run.plan, run.scenario)


def test_every_field_of_the_contract_is_there_and_the_dictionary_tells_each(run: Any) -> None:
    found = made(run)
    told = dictionary().groupby("capa")["campo"].agg(list)
    assert list(found) == list(CONTRACT)
    for name, fields in CONTRACT.items():
        present = [found[name].index.name, *found[name].columns]
        assert set(fields.split()) <= set(present)
        assert [*told[name], "geometry"] == present
        assert len(set(present)) == len(present)
        assert found[name].crs == run.region.crs


def test_numbers_are_those_of_the_outcome(run: Any) -> None:
    found = made(run)["localidades"]
    assert found.loc[E, "personas_equiv"] == 200.0
    assert found.loc[E, "personas_equiv_plan"] == 150.0
    assert found.loc[F, "acceso_primer_nivel"] == 0.3
    assert found.loc[B, "intervencion"] == "ruta de UMM"
    units = made(run)["unidades"]
    assert units.loc[ONE, ["nombre", "clase", "carga", "suficiencia"]].tolist() == ["Unidad uno", "UMR", 3000.0, 0.766666666667]
    assert made(run)["propuestas"]["tipo"].tolist() == ["nucleo", "umm"]


def test_what_the_community_organises_stands_beside_each_locality_and_changes_no_number(run: Any) -> None:
    fields = [c.export for c in schema.COMMUNITY.columns]
    without = made(run)["localidades"]
    assert without[fields].isna().all(axis=None)
    found = layers(replace(run.region, community=valley.community()), run.travel, run.outcome, run.plan, run.scenario)["localidades"]
    assert found.loc[B, fields].fillna("-").tolist() == ["CE", 1, 0, "-", 1]
    assert found.loc[F, fields].fillna("-").tolist() == ["-", 2, "-", "-", 0]
    assert found.loc[[A, C, D, E], fields].isna().all(axis=None)
    pd.testing.assert_frame_equal(pd.DataFrame(found.drop(columns=fields)), pd.DataFrame(without.drop(columns=fields)))


def test_the_way_to_the_hospital_is_told_of_each_unit_and_drawn(run: Any) -> None:
    found = made(run)
    assert found["referencias"].loc[ONE, ["clues_hospital", "minutos", "min_a_pie", "km", "modo"]].tolist() == [
        HOSPITAL, 40.0, 4.0, 8.0, "vehiculo"]
    assert found["referencias"].geometry[ONE].length > 0
    assert found["unidades"].loc[ONE, ["clues_hospital", "min_hospital"]].tolist() == [HOSPITAL, 40.0]
    assert found["unidades"].loc[TWO, ["clues_hospital", "min_hospital"]].isna().all()


def test_unreachable_and_unknown_are_null_never_a_number(run: Any) -> None:
    found = made(run)
    places = found["localidades"]
    assert places.loc[[E], ["min_primer_nivel", "clues_primer_nivel"]].isna().all(axis=None)
    assert places.loc[[A], ["min_hospital", "puntaje_brecha", "intervencion"]].isna().all(axis=None)
    assert pd.isna(found["unidades"].loc[HOSPITAL, "capacidad"])
    for frame in found.values():
        numbers = frame.select_dtypes("number").astype(float)
        assert not np.isinf(numbers).any(axis=None)


def test_minutes_keep_every_decimal_that_travel_tells(run: Any) -> None:
    assert made(run)["localidades"].loc[F, "min_primer_nivel"] == 60.000001
    assert made(run)["localidades"].loc[C, "min_primer_nivel"] == 0.0
    far = run.outcome.localities.assign(hospital_min=123456.000001)
    told = layers(run.region, run.travel, replace(run.outcome, localities=far), run.plan, run.scenario)["localidades"]
    assert set(told["min_hospital"]) == {123456.000001}


def test_minutes_under_every_mode_come_from_travel(run: Any) -> None:
    found = made(run)["localidades"]
    for level in LEVELS:
        for mode in MODES:
            told = run.travel.nearest[level, mode]["minutes"].replace(np.inf, np.nan)
            pd.testing.assert_series_equal(found[f"min_{level}_{mode}"], told, check_names=False)


def test_a_route_has_a_stop_for_each_locality_and_a_line_along_each_way_in_its_sense(run: Any) -> None:
    routes = made(run)["rutas"]
    assert routes.index.tolist() == [f"umm-{TWO}-1-{k:02d}-{what}" for k, what in (
        (1, "parada"), (1, "tramo"), (2, "parada"), (2, "tramo"), (3, "tramo"), (4, "tramo"))]
    lines, stops = routes[routes["elemento"] == "tramo"], routes[routes["elemento"] == "parada"]
    assert lines[["de", "a", "orden", "orden_dia", "salida", "dia", "dias", "minutos", "min_parada"]].to_numpy().tolist() == [
        [TWO, E, 1, 1, 1, 1, "1, 11", 33.3333333333, 180.0], [E, TWO, 2, 2, 1, 1, "1, 11", 30.0, 0.0],
        [TWO, B, 3, 1, 2, 2, "2, 12", 7.25, 180.0], [B, TWO, 4, 2, 2, 2, "2, 12", 8.0, 0.0]]
    assert lines["cvegeo"].fillna("").tolist() == [E, "", B, ""]
    assert lines["nombre"].tolist() == ["Unidad dos, día 1: E", "Unidad dos, día 1: regreso a la base",
                                        "Unidad dos, día 2: B", "Unidad dos, día 2: regreso a la base"]
    assert stops[["cvegeo", "orden", "dia", "min_parada", "personas", "visitas_mes"]].to_numpy().tolist() == [
        [E, 1, 1, 180.0, 250.0, 2.0], [B, 2, 2, 180.0, 50.0, 2.0]]
    np.testing.assert_allclose(lines["min_a_pie"] + lines["min_vehiculo"], lines["minutos"], atol=1e-9)
    np.testing.assert_allclose(lines["km"], lines.length / 1000)
    ways = run.outcome.legs.set_index(["from_id", "to_id"]).geometry
    assert [g.equals(ways[row.de, row.a]) for g, row in zip(lines.geometry, lines.itertuples(), strict=True)] == [True] * 4
    assert stops.geometry.tolist() == run.region.localities.geometry[[E, B]].tolist()
    assert not routes["pernocta"].any()
    assert lines["personas"].isna().tolist() == [False, True, False, True]


def test_a_leg_whose_way_is_not_known_is_refused_in_words(run: Any) -> None:
    short = replace(run.outcome, legs=run.outcome.legs.iloc[1:])
    with pytest.raises(DataError, match=f"Capa rutas.*walk_min» está vacía.*umm-{TWO}-1-"):
        layers(run.region, run.travel, short, run.plan, run.scenario)


def test_the_calendar_is_in_the_dictionary() -> None:
    told = dictionary()
    assert told.loc[told["capa"] == "calendario", "campo"].tolist() == [c.export for c in schema.CALENDAR.all()]


def test_an_empty_plan_gives_empty_layers_with_their_fields(run: Any) -> None:
    bare = Outcome(run.outcome.localities, run.outcome.units, run.outcome.proposals.iloc[:0], {})  # as of a plan without circuits
    none = replace(run.plan, chosen=(), served=run.plan.served.iloc[:0])
    for outcome in (bare, replace(bare, legs=run.outcome.legs)):
        empty_but_for_fields(run, layers(run.region, run.travel, outcome, none, run.scenario))


def empty_but_for_fields(run: Any, found: dict[str, Any]) -> None:
    for name in ("propuestas", "rutas"):
        assert found[name].empty
        assert list(found[name].columns) == list(made(run)[name].columns)
        assert found[name].dtypes.astype(str).tolist() == made(run)[name].dtypes.astype(str).tolist()


def test_areas_follow_the_surface_of_the_scenario(run: Any) -> None:
    walk = made(run)["areas_influencia"]
    assert walk[walk["origen"] == "actual"]["clues"].unique().tolist() == [ONE, TWO]
    assert sorted(walk["min_hasta"].unique()) == [30.0, 60.0]  # the farthest cell is 12 x sqrt(13) = 43.3 min away
    places = run.region.localities.geometry
    inside = walk[walk.contains(places[D])]
    assert inside[["clues", "min_desde", "min_hasta"]].to_numpy().tolist() == [[ONE, 0.0, 30.0]]  # 12 x sqrt(5) = 26.8
    ridden = layers(run.region, run.travel, run.outcome, run.plan, run.scenario.model_copy(update={"mode_first_level": "vehiculo"}))
    assert set(ridden["areas_influencia"]["min_hasta"]) == {30.0}
    assert ridden["areas_influencia"]["superficie_km2"].sum() == pytest.approx(60.0)
    bus = layers(run.region, run.travel, run.outcome, run.plan, run.scenario.model_copy(update={"mode_first_level": "transporte_publico"}))
    edge = bus["areas_influencia"]
    assert edge[edge.contains(places[F])]["min_hasta"].tolist() == [30.0]  # walking 26.8 beats waiting 30
    assert edge["superficie_km2"].sum() == pytest.approx(60.0)


@pytest.mark.parametrize("mode", ["a_pie", "vehiculo", "transporte_publico"])
def test_a_new_unit_gets_the_ground_it_would_be_nearest_to(run: Any, mode: Mode) -> None:
    seat = f"umr-{F}"
    scenario = run.scenario.model_copy(update={"mode_first_level": mode})
    found = layers(run.region, run.travel, run.outcome, replace(run.plan, chosen=(seat,)), scenario)["areas_influencia"]
    today, new = found[found["origen"] == "actual"], found[found["origen"] == "propuesta"]
    assert set(new["propuesta"]) == {seat}
    assert new["clues"].isna().all()
    assert new.contains(run.region.localities.geometry[F]).sum() == 1
    assert not new.contains(run.region.localities.geometry[A]).any()
    pd.testing.assert_frame_equal(today, layers(run.region, run.travel, run.outcome, run.plan, scenario)["areas_influencia"])


def test_shuffled_rows_and_columns_make_the_same_layers_and_nothing_given_is_changed(run: Any) -> None:
    before = copy.deepcopy(run)
    plain = made(run)
    mixed = replace(run.outcome, localities=run.outcome.localities.iloc[::-1, ::-1].set_geometry("geometry"),
                    units=run.outcome.units.sample(frac=1, random_state=1))
    again = layers(run.region, run.travel, mixed, replace(run.plan, options=run.plan.options[::-1]), run.scenario)
    for name, frame in plain.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(again[name]))
    pd.testing.assert_frame_equal(run.outcome.localities, before.outcome.localities)
    pd.testing.assert_frame_equal(run.plan.served, before.plan.served)


def test_a_broken_table_is_refused_in_words(run: Any) -> None:
    bad = run.outcome.localities.assign(sufficiency=[0.5, 1.5, 1, 0, 0, 0])
    with pytest.raises(DataError, match=f"Capa localidades.*sufficiency.*{B}"):
        layers(run.region, run.travel, replace(run.outcome, localities=bad), run.plan, run.scenario)
    with pytest.raises(DataError, match="falta la columna «score»"):
        layers(run.region, run.travel, replace(run.outcome, localities=bad.drop(columns="score")), run.plan, run.scenario)


def test_names_come_from_the_schema() -> None:
    assert columns.export_names(schema.PLANNED)["score_plan"] == "puntaje_brecha_plan"
