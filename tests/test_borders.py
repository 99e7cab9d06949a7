"""A state beside its neighbours: with a border as wide as the cutoffs reach its numbers are those of one undivided run."""

from dataclasses import replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import small_roads
import valley
from cut_states import cropped, state
from shapely.affinity import translate

from planner.access.gap import compute_access
from planner.access.outcome import evaluate
from planner.borders import across, border_m, unsure, with_neighbours, within
from planner.borders.ways import joined_roads
from planner.decide.robustness import robustness
from planner.engine import ALONE
from planner.errors import DataError, PlannerError, SettingsError
from planner.model import Access, Outcome, Plan, Region, Roads, Solution, Travel
from planner.scenarios import run_scenario
from planner.settings import Scenario
from planner.travel.times import compute_travel

RAINS = Scenario(name="lluvias", season="lluvias", rain_closes=("vados",))
A, B, C, D, E, F = valley.PLACES
ONE, TWO, CARAVAN, HOSPITAL = valley.FACILITIES
EVERYWHERE = (-np.inf, -np.inf, np.inf, np.inf)


class Found(NamedTuple):
    region: Region
    travel: Travel
    access: Access
    outcome: Outcome


def found(own: Region, others: list[Region], metres: float, scenario: Scenario) -> Found:
    """The state as it is today, with so wide a border; the whole region where there are no others."""
    wide = with_neighbours(own, others, metres)
    travel = compute_travel(wide, scenario, own=own)
    access = compute_access(wide, travel, scenario)
    region, travel, access = within(own, wide, travel, access)
    nobody = pd.DataFrame({"option": pd.Series(dtype="str"), "cvegeo": pd.Series(dtype="str"), "tier": pd.Series(dtype="str"),
                           "people": pd.Series(dtype=float), "minutes": pd.Series(dtype=float)})
    plan = Plan((), (), nobody, Solution(0.0, 0.0, "", ""))
    return Found(region, travel, access, evaluate(region, travel, access, plan, scenario))


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other), check_exact=False, rtol=0, atol=1e-6, check_dtype=False)


def near(one: Any, other: Any) -> None:
    """Nested numbers that agree; inf and NaN are themselves."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key, value in one.items():
            near(value, other[key])
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-6, nan_ok=True)
    else:
        assert one == other


def assert_as_undivided(own: Region, part: Found, whole: Found) -> None:
    """Every number of the state is that of the undivided run."""
    places, units = own.localities.index, own.units.index
    same(part.access.localities, whole.access.localities.loc[places])
    theirs = whole.access.shares[whole.access.shares["cvegeo"].isin(places)].reset_index(drop=True)
    same(part.access.shares, theirs)
    for key, table in part.travel.nearest.items():
        same(table, whole.travel.nearest[key].loc[places])
    assert set(part.access.shares["clues"]) <= set(part.access.units.index)
    for clues in units:  # its own units have the load of both sides
        same(part.access.units.loc[[clues]], whole.access.units.loc[[clues]])
    used = part.region.units.index.difference(units)
    assert (part.region.units["role"][used] == "vecina").all()
    same(part.access.units.loc[used].drop(columns=["localities"]), whole.access.units.loc[used].drop(columns=["localities"]))
    ways = whole.travel.referral[whole.travel.referral.index.isin(units)]
    same(part.travel.referral[["site", "minutes", "walk_min", "drive_min", "metres"]],
         ways[["site", "minutes", "walk_min", "drive_min", "metres"]])
    for times, all_of_them in ((part.travel.first_level, whole.travel.first_level), (part.travel.seats, whole.travel.seats),
                               (part.travel.bases, whole.travel.bases)):
        pairs, every = times.pairs(), all_of_them.pairs()
        every = every[every["cvegeo"].isin(places) & every["site"].isin(times.sites)].reset_index(drop=True)
        same(pairs.astype({"cvegeo": "str", "site": "str"}), every.astype({"cvegeo": "str", "site": "str"}))
    assert set(part.travel.bases.sites) <= set(units)
    assert part.travel.road_any.equals(whole.travel.road_any.loc[places])
    towns = list(own.municipalities.index)
    near({k: part.outcome.indicators["por_municipio"][k] for k in towns}, {k: whole.outcome.indicators["por_municipio"][k] for k in towns})
    assert list(part.outcome.indicators["por_municipio"]) == towns
    if whole.access.dispersed is not None:
        same(part.access.dispersed, whole.access.dispersed.reindex(part.access.dispersed.index))
        assert set(part.access.dispersed.index) <= set(towns)


def assert_sums(parts: list[Found], whole: Found) -> None:
    """Nobody is counted twice, and nobody is lost."""
    told = whole.outcome.indicators["total"]["actual"]
    for key in told.keys() - {"p90_min"}:
        assert sum(p.outcome.indicators["total"]["actual"][key] for p in parts) == pytest.approx(told[key]), key
    for key in ("unidades_por_funcion", "unidades_por_clase"):
        summed = pd.DataFrame([p.outcome.indicators[key] for p in parts]).sum().astype(int).to_dict()
        assert summed == whole.outcome.indicators[key]
    full = [f.outcome.indicators["unidades_saturadas"]["actual"] for f in (*parts, whole)]
    assert sum(full[:-1]) == full[-1]
    assert sum(p.outcome.indicators["poblacion_total"] for p in parts) == whole.outcome.indicators["poblacion_total"]


@pytest.fixture(scope="module", params=["con tabla oficial", "por cercanía"])
def demo(demo_region: Region, request: pytest.FixtureRequest) -> tuple[Region, Region, Region]:
    """The demo undivided, and its western and eastern municipalities as two states; stops beyond the border are in no file."""
    middle = demo_region.localities.geometry.x.groupby(demo_region.localities["cve_mun"]).mean()
    west = set(middle.index[middle < middle.median()])
    stops = demo_region.circuits
    assert stops is not None
    here = stops["cvegeo"].str[:5].isin(west) == stops["clues"].map(demo_region.units["cve_mun"]).isin(west)
    whole = replace(demo_region, circuits=stops[here].reset_index(drop=True))
    if request.param == "por cercanía":
        whole = replace(whole, responsibility=None)
    return whole, state(whole, "Oeste", "98", west), state(whole, "Este", "99", set(middle.index) - west)


@pytest.fixture(scope="module")
def undivided(demo: tuple[Region, Region, Region]) -> Found:
    """The demo as one region, in the dry season."""
    return found(demo[0], [], 0.0, Scenario())


@pytest.mark.parametrize(("demo", "scenario"), [
    ("con tabla oficial", Scenario()), ("con tabla oficial", RAINS), ("por cercanía", Scenario())],
    indirect=["demo"], ids=["con tabla, secas", "con tabla, lluvias", "por cercanía, secas"])
def test_two_states_tell_what_one_undivided_region_tells(demo, undivided, scenario):
    region, west, east = demo
    whole = undivided if scenario == Scenario() else found(region, [], 0.0, scenario)
    metres = border_m(scenario, [west, east])
    parts = [found(west, [east], metres, scenario), found(east, [west], metres, scenario)]
    for own, part in zip((west, east), parts, strict=True):
        assert_as_undivided(own, part, whole)
    assert_sums(parts, whole)
    assert (parts[1].travel.referral["site"].isin(west.units.index)).all()  # the east has no hospital
    assert parts[1].outcome.indicators["total"]["actual"]["hospital_120"] > 0
    assert not unsure(west, [east], metres, parts[0].travel, scenario).any().any()


def test_without_the_border_the_numbers_are_others(demo, undivided):
    _, west, east = demo
    whole = undivided
    bare = found(east, [west], 0.0, Scenario())
    with pytest.raises(AssertionError):
        assert_as_undivided(east, bare, whole)
    towns = [v for k, v in whole.outcome.indicators["por_municipio"].items() if k in east.municipalities.index]
    assert not np.isclose(bare.outcome.indicators["total"]["actual"]["personas_equiv"], sum(v["actual"]["personas_equiv"] for v in towns))


@pytest.mark.parametrize("demo", ["por cercanía"], indirect=True)
def test_where_a_narrow_border_is_called_sure_no_minute_is_too_long(demo):
    region, west, east = demo
    scenario = Scenario(snap_max_m=250.0)
    whole = compute_travel(region, scenario)
    for own, other, metres in ((east, west, 0.0), (west, east, 12_000.0), (east, west, 12_000.0)):
        places = own.localities.index
        found_there = compute_travel(with_neighbours(own, [other], metres), scenario).nearest
        part = replace(whole, nearest={key: table.loc[places] for key, table in found_there.items()})
        doubted = unsure(own, [other], metres, part, scenario)
        assert not doubted.to_numpy().all()
        for (level, mode), table in part.nearest.items():
            least = whole.nearest[level, mode]["minutes"].loc[places]
            assert not (table["minutes"] < least - 1e-6).any()
            wrong = ~np.isclose(table["minutes"], least, rtol=0, atol=1e-6, equal_nan=True)
            assert doubted.loc[places[wrong], f"{level}_{mode}"].all()


def drawn() -> tuple[Region, Region, Region]:
    """The valley as two states: A, B and F with unit 1 and the caravan; C, D and E with unit 2 and the hospital."""
    home = {A: "99001", B: "99001", F: "99001", C: "99002", D: "99002", E: "99002"}
    region = valley.region(responsibility=False)
    units = region.units.assign(cve_mun=["99001", "99002", "99001", "99002"])
    region = replace(region, units=units, localities=region.localities.assign(cve_mun=pd.Series(home)))
    return region, state(region, "Uno", "98", ["99001"], margin_m=500.0), state(region, "Dos", "99", ["99002"], margin_m=500.0)


def test_the_valley_with_a_border_by_hand():
    """D answers to unit 1 across the border, which A, B and F share; the hospital of Uno is that of Dos."""
    region, uno, dos = drawn()
    assert (uno.grid.shape, dos.grid.shape) == ((3, 6), (4, 7))
    whole, metres = found(region, [], 0.0, Scenario()), border_m(Scenario(), [uno, dos])
    one, two = found(uno, [dos], metres, Scenario()), found(dos, [uno], metres, Scenario())
    for own, part in ((uno, one), (dos, two)):
        assert_as_undivided(own, part, whole)
    assert_sums([one, two], whole)
    load = 0.67 * (2000 + 600 + 1200 + 400)
    for part in (one, two):
        assert part.access.units.loc[ONE, "load"] == pytest.approx(load)
        assert part.access.units.loc[ONE, "rho"] == pytest.approx(2300 / load)
    assert two.access.localities.loc[D, "assigned"] == ONE
    assert two.access.localities.loc[D, "sufficiency"] == pytest.approx(2300 / load)
    assert two.region.units["role"].to_dict() == {ONE: "vecina", TWO: "primer_nivel", HOSPITAL: "hospital"}
    assert one.region.units["role"].to_dict() == {ONE: "primer_nivel", CARAVAN: "movil", HOSPITAL: "vecina"}
    assert set(one.access.localities["hospital_clues"]) == {HOSPITAL}
    assert one.travel.referral["site"].to_dict() == {ONE: HOSPITAL}
    words = {"assigned": "unidad", "hospital_clues": "hospital"}
    assert across(one.region, one.access.localities, words).to_dict() == dict.fromkeys((A, B, F), "hospital")
    assert across(two.region, two.access.localities, words).dropna().to_dict() == {D: "unidad"}
    assert one.outcome.indicators["unidades_por_funcion"] == {"movil": 1, "primer_nivel": 1}
    assert one.outcome.units.loc[HOSPITAL, "rho_plan"] == one.outcome.units.loc[HOSPITAL, "rho"] == 1.0
    assert two.outcome.units.loc[ONE, ["load_plan", "capacity_plan", "rho_plan"]].tolist() == pytest.approx([load, 2300, 2300 / load])
    alone = found(uno, [dos], 0.0, Scenario())
    assert alone.access.units.loc[ONE, "load"] == pytest.approx(0.67 * 3800)
    assert np.isinf(alone.access.localities["hospital_min"]).all()
    doubted = unsure(uno, [dos], 0.0, alone.travel, Scenario())
    assert list(doubted.index) == [A, B, F]
    assert doubted["hospital_vehiculo"].all()  # unreachable here


def test_an_official_table_finds_the_unit_across_the_border():
    """It names unit 2 for most of B, and the unit answers for B's people even where a border of no width hides it."""
    region, _, _ = drawn()
    table = valley.region().responsibility
    region = replace(region, responsibility=table)
    uno, dos = state(region, "Uno", "98", ["99001"]), state(region, "Dos", "99", ["99002"])
    assert uno.responsibility is not None
    assert uno.responsibility.set_index(["cvegeo", "published_clues"])["clues"].isna()[(B, TWO)]
    whole = found(region, [], 0.0, Scenario())
    one = found(uno, [dos], border_m(Scenario(), [uno, dos]), Scenario())
    assert_as_undivided(uno, one, whole)
    assert one.access.localities.loc[B, "assigned"] == TWO
    assert one.access.units.loc[TWO, "population"] == pytest.approx(0.7 * 600 + 4000 + 250)
    narrow = found(uno, [dos], 0.0, Scenario())
    assert narrow.access.units.loc[TWO, "population"] == pytest.approx(0.7 * 600 + 4000)  # E is tied by nearness alone


def test_a_border_of_two_legs_is_too_narrow():
    """A, U seven km on, B seven km beyond U and V six beyond B: B answers to V, and U's room for A depends on V being seen."""
    template = valley.region(responsibility=False)
    at = {A: 0, B: 14, C: 20, ONE: 7, TWO: 20, HOSPITAL: 0}

    def on_the_road(frame: gpd.GeoDataFrame, towns: dict[str, str]) -> gpd.GeoDataFrame:
        kept = frame.loc[sorted(towns)]
        x = [valley.ORIGIN[0] + 1000.0 * (at[i] + 0.5) for i in kept.index]
        points = gpd.points_from_xy(x, [valley.ORIGIN[1] - 1500.0] * len(x), crs=valley.CRS)
        return kept.assign(cve_mun=pd.Series(towns)).set_geometry(points)

    road = np.zeros((3, 30), np.float32)
    road[1] = 30
    grid = replace(template.grid, road_kmh=road, slope_deg=np.zeros_like(road), walk_factor=np.ones_like(road))
    region = replace(template, grid=grid, localities=on_the_road(template.localities, {A: "99001", B: "99002", C: "99002"}),
                     units=on_the_road(template.units, {ONE: "99002", TWO: "99002", HOSPITAL: "99001"}))
    uno, dos = state(region, "Uno", "98", ["99001"]), state(region, "Dos", "99", ["99002"])
    whole = found(region, [], 0.0, Scenario())
    assert whole.access.units.loc[ONE, "population"] == 2000
    two_legs, three_legs = (found(uno, [dos], legs * 90 * 100.0, Scenario()) for legs in (2, 3))
    assert two_legs.access.units.loc[ONE, "population"] == 2600
    assert_as_undivided(uno, three_legs, whole)


def test_the_border_is_as_wide_as_the_cutoffs_reach():
    _, uno, dos = drawn()  # roads of 60 km/h: a kilometre a minute
    astray = 7 * (1000 + 1000)
    assert border_m(Scenario(), [uno, dos]) == pytest.approx(180_000 + astray)  # the hospital's ramp
    assert border_m(Scenario(mode_first_level="vehiculo"), [uno, dos]) == pytest.approx(3 * 90_000 + astray)
    near_sighted = Scenario(mode_hospital="a_pie", shift_hours=4.0)
    assert border_m(near_sighted, [uno, dos]) == pytest.approx(120_000 + astray)  # what the indicators tell of every mode
    assert border_m(Scenario(), [uno]) <= border_m(Scenario())
    assert border_m(Scenario(public_transport_wait_min=0.0, mode_first_level="transporte_publico"), [uno]) == pytest.approx(
        3 * 90_000 + astray)


STRAINED = Scenario(capacity_people_per_nucleo=500.0, umr_people_min=200.0, mobile_people_min=100.0, budget_mxn_year=60e6)


def test_a_plan_serves_the_states_own_people_from_its_own_bases():
    _, uno, dos = drawn()
    for own, other in ((uno, dos), (dos, uno)):
        around = with_neighbours(own, [other], border_m(STRAINED, [uno, dos]))
        run = run_scenario(own, STRAINED, around=around)
        assert run.plan.chosen
        assert run.outcome.violations == ()
        assert {o.place for o in run.plan.options} <= {*own.localities.index, *own.units.index}
        assert {c for o in run.plan.options for c in [*o.serves["cvegeo"], *o.stops]} <= set(own.localities.index)
        assert set(run.plan.served["cvegeo"]) <= set(own.localities.index)
        assert list(run.outcome.localities.index) == list(own.localities.index)
        foreign = run.outcome.units[run.outcome.units["role"] == "vecina"]
        assert len(foreign)
        assert (foreign["capacity_plan"] == foreign["capacity"]).all()
        assert (foreign["load_plan"] <= foreign["load"] + 1e-9).all()


def test_draws_look_across_the_border_too():
    _, uno, dos = drawn()
    around = with_neighbours(uno, [dos], border_m(STRAINED, [uno, dos]))
    run = run_scenario(uno, STRAINED.model_copy(update={"draws": 2}), around=around, engine=ALONE)
    assert run.robustness is not None
    still = STRAINED.model_copy(update={"draws": 2, "uncertainty": STRAINED.uncertainty.model_copy(update=dict.fromkeys(
        ("dirt_speed", "rains", "capacity", "utilisation", "need", "people", "units_out"), 0.0))})
    found_again = robustness(run.region, still, run.plan, around=run.around, engine=ALONE)
    assert found_again.draws["value"].tolist() == pytest.approx([run.plan.solution.value] * 2)


def test_ways_that_two_states_cut_otherwise_become_one_network():
    """The long way is joined by a street of one state and by a street of the other, neither of which the other knows."""
    long = small_roads.way((0, 0), (500, 0), (1000, 0), (1500, 0), (2000, 0), way="larga")
    mine = small_roads.way((500, 0), (500, 500), way="mía")
    theirs = small_roads.way((1500, 0), (1500, 500), way="suya")
    own, other = small_roads.roads(long, mine), small_roads.roads(long, theirs)
    joined = joined_roads([own, other], EVERYWHERE)
    assert joined is not None
    whole = small_roads.roads(long, mine, theirs)
    assert sorted(joined.edges.geometry.to_wkt()) == sorted(whole.edges.geometry.to_wkt())
    assert len(joined.nodes) == len(whole.nodes)
    assert joined.edges["length_m"].sum() == 3000
    ends = [joined.nodes.geometry.loc[joined.edges[end]].reset_index(drop=True) for end in ("u", "v")]
    for k, line in enumerate(joined.edges.geometry):
        assert (line.coords[0], line.coords[-1]) == (ends[0][k].coords[0], ends[1][k].coords[0])
    assert joined.own == 4  # three pieces of the long way and the street
    assert set(joined.at_home.edges["way"]) == {"larga", "mía"}
    on = [small_roads.laid(small_roads.ground((10, 25)), net, mode="vehiculo") for net in (joined, whole)]
    told = [small_roads.minutes(ground, (500, 450), (1500, 450)) for ground in on]
    assert told[0] == pytest.approx(told[1])


def test_a_way_out_of_reach_stays_out_and_a_bridge_is_no_crossing():
    own = small_roads.roads(small_roads.way((0, 500), (2000, 500), way="puente", **small_roads.BRIDGE))
    other = small_roads.roads(small_roads.way((1000, 0), (1000, 1000), way="abajo"), small_roads.way((9000, 0), (9000, 100), way="lejos"))
    joined = joined_roads([own, other], (0, 0, 2000, 1000))
    assert isinstance(joined, Roads)
    assert sorted(joined.edges["way"]) == ["abajo", "puente"]
    assert len(joined.nodes) == 4
    assert joined.nodes["component"].nunique() == 2


def moved(region: Region, metres: float) -> Region:
    a, b, west, d, e, north = region.grid.transform
    return replace(region, grid=replace(region.grid, transform=(a, b, west + metres, d, e, north)))


REFUSED = {
    "another crs": (lambda _, dos: replace(dos, crs="EPSG:32613"), SettingsError, "terrain.cell_m"),
    "another lattice": (lambda _, dos: moved(dos, 300.0), SettingsError, "malla"),
    "the same state": (lambda _, dos: replace(dos, entity="98"), SettingsError, "dos veces"),
    "the same places": (lambda uno, dos: replace(dos, localities=pd.concat([dos.localities, uno.localities.loc[[A]]])), DataError,
                        f"claves de localidades en más de una de las regiones: 1 ({A})"),
    "the same units": (lambda uno, dos: replace(dos, units=pd.concat([dos.units, uno.units])), DataError, "claves de unidades"),
    "relief on one side": (lambda _, dos: replace(dos, grid=replace(dos.grid, elevation_m=dos.grid.slope_deg)), SettingsError,
                           "elevación"),
    "rivers on one side": (lambda _, dos: replace(dos, barriers=gpd.GeoSeries([], crs=valley.CRS)), SettingsError, "barreras"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_joined_is_refused_in_one_sentence(why):
    _, uno, dos = drawn()
    spoil, kind, words = REFUSED[why]
    with pytest.raises(kind) as told:
        with_neighbours(uno, [spoil(uno, dos)], 1000.0)
    assert words in str(told.value)
    assert str(told.value).count(".") <= 2 + str(told.value).count("terrain.")


def test_a_border_is_no_less_than_nothing_and_nobody_changes_nothing():
    region, uno, dos = drawn()
    assert with_neighbours(region, [], 5.0) is region
    with pytest.raises(PlannerError, match="no puede medir"):
        with_neighbours(uno, [dos], -1.0)
    with pytest.raises(PlannerError, match="no están en ella"):
        run_scenario(uno, STRAINED, around=dos)


def test_what_is_given_stays_as_it_was_and_the_own_word_counts_first():
    _, uno, dos = drawn()
    other = replace(dos, grid=replace(dos.grid, road_kmh=dos.grid.road_kmh + 1, walk_factor=dos.grid.walk_factor * np.float32(0.5)))
    before = uno.grid.road_kmh.copy(), other.grid.road_kmh.copy()
    wide = with_neighbours(uno, [other], 1e6)
    assert wide.grid.shape == (6, 10)
    np.testing.assert_array_equal(wide.grid.road_kmh[2, :6], 60)
    np.testing.assert_array_equal(wide.grid.road_kmh[2, 6:], 61)
    np.testing.assert_array_equal(wide.grid.walk_factor[:3, :6], 1)
    assert np.isnan(wide.grid.walk_factor[0, 6:]).all()  # nobody's
    np.testing.assert_array_equal((uno.grid.road_kmh, other.grid.road_kmh)[0], before[0])
    np.testing.assert_array_equal(other.grid.road_kmh, before[1])
    assert wide.grid.bounds == cropped(wide.grid, wide.grid.bounds).bounds
    assert translate(wide.localities.geometry[D], 0, 0).equals(dos.localities.geometry[D])
    assert (wide.name, wide.entity) == ("Uno", "98")
