"""Longer rounds of today's teams: none whatever passes the ceiling, and a run with one holds from the choice to its files."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import valley
from valley_travel import MOBILE, D, times

from planner.access.circuit_rules import circuit_faults
from planner.decide import current
from planner.decide.current import todays_circuits
from planner.decide.extension import wider_circuits
from planner.decide.fleet import Choices
from planner.decide.gains import mobile_gain, people_tiers, price_serves
from planner.decide.robustness import robustness
from planner.decide.rounds import RoundRules, plan_round
from planner.decide.selection import select
from planner.engine import Engine
from planner.model import Access, Option, Region, TeamTimes
from planner.outputs.decisions import circuits_table, decision_indicators
from planner.outputs.folder import write_run
from planner.scenarios import Run, choose_again, run_scenario
from planner.settings import Scenario

TEAMS = ["MDIMB000033", "MDIMB000034"]


class Small:
    """At most four places to add, two teams with a stop or two each, and directed minutes many of which are too long or missing."""

    def __init__(self, seed: int, monkeypatch: pytest.MonkeyPatch, *, shuffled: bool = False) -> None:
        rng = np.random.default_rng(seed)
        n, fixed = int(rng.integers(3, 5)), int(rng.integers(2, 4))
        self.ids = [f"9900100{i:02d}" for i in range(n + fixed)]
        self.scenario = Scenario(
            umm_stops_max=int(rng.integers(1, 6)), umm_people_max=float(rng.choice([90, 160, 400])), stops_day_max=int(rng.integers(1, 4)),
            shift_hours=float(rng.choice([8, 10])), brigade_nights_max=int(rng.integers(0, 3)), first_stop_max_min=60.0,
            working_days_month=int(rng.choice([8, 20])), budget_mxn_year=float(rng.choice([0, 30])))
        where = rng.uniform(0, 75, (len(self.ids) + 2, 2))
        away = np.hypot(*(where[:, None] - where).transpose(2, 0, 1)) * rng.uniform(1, 1.3, (len(where), len(where)))
        away = np.where(rng.random(away.shape) < 0.07, np.inf, np.round(away, 6))
        np.fill_diagonal(away, 0.0)
        self.away = pd.DataFrame(away, [*self.ids, *TEAMS], [*self.ids, *TEAMS])
        people = rng.integers(5, 60, len(self.ids)).astype(float)
        table = pd.DataFrame({
            "people": people, "sufficiency": rng.choice([0.0, 0.5], len(self.ids)), "access": 0.0, "visits_month": 0.0,
            "hospital_access": 0.0, "hospital_min": 10.0, "need_weight": rng.choice([1.0, 1.5, 2.0], len(self.ids)),
            "weighted_gap": people * 2, "first_level_min": 100.0}, index=pd.Index(self.ids, name="cvegeo"))
        stops = [(TEAMS[i % 2], self.ids[i], float(rng.choice([1, 1, 2, 4]))) for i in range(fixed)]
        self.candidates = pd.DataFrame({k: rng.random(len(self.ids)) < 0.85 for k in ("umm", "brigada")}, index=table.index)
        flat = valley.region()
        units = flat.units.loc[[MOBILE, MOBILE]].set_axis(pd.Index(TEAMS, name="clues")).assign(
            unit_class=rng.choice(["UMM", "brigada"], 2), name=TEAMS)
        places = flat.localities.iloc[[0] * len(self.ids)].set_axis(table.index)
        circuits = pd.DataFrame(stops, columns=["clues", "cvegeo", "visits_month"])
        if shuffled:
            units, places, circuits, table, self.candidates = (t.iloc[::-1] for t in (units, places, circuits, table, self.candidates))
        self.region: Any = SimpleNamespace(units=units, localities=places, circuits=circuits, grid=flat.grid)
        self.access = Access(table, pd.DataFrame({"cvegeo": [], "clues": [], "kind": []}), pd.DataFrame())
        self.tiers = people_tiers(self.access, self.scenario)
        monkeypatch.setattr(current, "team_times", lambda *_, bases: self.team_times(list(bases)))
        self.today = todays_circuits(self.region, self.access, self.scenario)
        self.options, self.pools = wider_circuits(self.today, self.candidates, self.region, self.access, self.tiers, self.scenario)

    def team_times(self, bases: list[str]) -> TeamTimes:
        left, rows = (self.scenario.shift_hours - self.scenario.stop_hours_min) * 60.0, pd.Index(self.ids)
        home = {(c, b): self.away.at[c, b] for c in self.ids for b in bases}
        out = {(c, b): self.away.at[b, c] for c in self.ids for b in bases}
        between = {(a, b): self.away.at[a, b] for a in self.ids for b in self.ids}
        return TeamTimes(*(times(pairs, rows, sites, limit) for pairs, sites, limit in (
            (out, bases, self.scenario.first_stop_max_min), (home, bases, left), (between, self.ids, self.scenario.leg_max_min))))

    def every(self) -> list[Option]:
        """All longer rounds that some team may drive, from the rules alone."""
        found = []
        for circuit in self.today.circuits:
            n, room = len(circuit.stops), self.scenario.umm_people_max - circuit.people
            if not circuit.days or circuit.team is None or room <= 0:
                continue
            may = [c for c in self.ids if self.candidates.at[c, circuit.team] and c not in circuit.stops]
            for k in range(1, max(n, self.scenario.umm_stops_max) - n + 1):
                for added in combinations(may, k):
                    names = [circuit.clues, *circuit.stops, *added]
                    days = plan_round(circuit.clues, names[1:], self.away.loc[names, names].to_numpy(),
                                      RoundRules.of(circuit.team, circuit.visits_month, self.scenario))
                    if days is not None:
                        rows = self.tiers[self.tiers["cvegeo"].isin(added)].rename(columns={"people": "available"})
                        rows = rows.assign(gain=mobile_gain(rows, circuit.visits_month, self.scenario), minutes=0.0)
                        found.append(Option(f"ruta-{circuit.clues}-{'-'.join(added)}", "ruta", circuit.clues, "", 0.0, 0.0, room,
                                            price_serves(rows, room), "", stops=tuple(names[1:]), days=days))
        return [replace(o, excludes=tuple(p.id for p in found if p.place == o.place and p is not o)) for o in found]

    def unit(self) -> Option:
        """A rival for the same people."""
        rows = self.tiers.iloc[:3].rename(columns={"people": "available"}).assign(gain=0.9, minutes=5.0)
        return Option("umr-9", "umr", "9", "", 0.0, 20.0, 70.0, price_serves(rows, 70.0), "")

    def plan(self, rutas: list[Option], pools: list[Option]):  # type: ignore[no-untyped-def]
        there = pd.DataFrame({"cve_mun": "99001", "irs_grade": "Alto", "population": 100.0, "indigenous": 0.0}, index=pd.Index(self.ids))
        return select(Choices((*rutas, self.unit()), tuple(pools)), there, self.access, self.scenario, nodes=1000)


@pytest.mark.parametrize("part", range(3))
def test_no_longer_round_whatever_passes_the_ceiling(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = most = 0
    for seed in range(8 * part, 8 * part + 8):
        small = Small(seed, monkeypatch)
        every = small.every()
        ends = small.away.stack().rename("minutes").rename_axis(["from_id", "to_id"]).reset_index()
        assert circuit_faults(small.options, ends, small.scenario, small.region) == [], seed
        assert bool(small.options) <= bool(small.pools), seed
        relaxed = {c for p in small.pools for c in p.serves["cvegeo"]}
        assert {c for o in every for c in o.serves["cvegeo"]} <= relaxed, seed
        known = {(o.place, frozenset(o.stops)): o for o in every}
        for option in small.options:
            same = known[option.place, frozenset(option.stops)]
            assert option.weighted == pytest.approx(same.weighted), seed
            assert option.excludes == tuple(sorted(o.id for o in small.options if o.place == option.place and o.id != option.id))
        best, told = small.plan(every, []).solution, small.plan(small.options, small.pools)
        assert best.status == "óptimo", seed
        assert told.solution.value <= best.value + 1e-6, seed
        assert best.value <= told.solution.ceiling + 1e-6, seed
        chosen = [o.place for o in small.options if o.id in told.chosen]
        assert len(chosen) == len(set(chosen)), seed
        offered, most = offered + len(small.options), most + (told.solution.value >= best.value - 1e-6)
    assert offered > 3
    assert most >= 4  # of eight: a few rounds are tried, not all


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_rows_give_the_same_rounds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Small(seed, monkeypatch), Small(seed, monkeypatch, shuffled=True)
    assert [replace_days(o) for o in one.options] == [replace_days(o) for o in other.options]
    assert [vars(c) for c in one.today.circuits] == [vars(c) for c in other.today.circuits]
    for a, b in zip((*one.options, *one.pools), (*other.options, *other.pools), strict=True):
        pd.testing.assert_frame_equal(a.serves, b.serves)


def replace_days(option: Option) -> dict[str, Any]:
    return {k: v for k, v in vars(option).items() if k != "serves"}


ASKED = Scenario(
    capacity_people_per_nucleo=1000.0, reach_first_level_min=40, ramp_first_level_good_min=10, ramp_first_level_none_min=60,
    umr_people_min=100, mobile_people_min=10, mobile_locality_min=0, umr_spacing_min=20, budget_mxn_year=0.0)


@pytest.fixture(scope="module")
def run() -> Run:
    """The mobile unit is a brigade that visits D twice a month."""
    region, rows = valley.region(), pd.DataFrame([(MOBILE, D, 2.0)], columns=["clues", "cvegeo", "visits_month"])
    units = region.units.assign(unit_class=region.units["unit_class"].mask(region.units.index == MOBILE, "brigada"))
    return run_scenario(replace(region, units=units, circuits=rows), ASKED)


def test_the_valleys_team_goes_further_for_nothing(run: Run) -> None:
    (chosen,) = run.plan.chosen
    (option,) = [o for o in run.plan.options if o.id == chosen]
    assert (option.kind, option.place, set(option.stops) > {D}) == ("ruta", MOBILE, True)
    assert run.outcome.violations == ()
    assert run.plan.solution.value == pytest.approx(
        run.outcome.localities["weighted_gap"].sum() - run.outcome.localities["weighted_gap_plan"].sum())
    assert (run.outcome.localities["gap_share_plan"] <= run.outcome.localities["gap_share"] + 1e-12).all()
    assert (run.outcome.localities["visits_month_plan"] >= run.outcome.localities["visits_month"]).all()
    assert set(run.plan.served["cvegeo"]) == set(option.stops) - {D}
    rivals = run.explained[(run.explained["kind"] == "ruta") & ~run.explained["chosen"]]
    assert rivals["sentence"].str.startswith("no cabe junto a lo elegido: el plan ya amplía de otro modo la ruta").all()
    assert len(rivals) == sum(o.kind == "ruta" for o in run.plan.options) - 1
    assert not any(o.place == MOBILE for o in run.plan.options if o.kind != "ruta"), "no new team starts from a mobile unit"


def test_its_files_tell_of_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    write_run(tmp_path / "run", run, tmp_path, elapsed_s=1.0)
    told = json.loads((tmp_path / "run/indicadores.json").read_text(encoding="utf-8"))["circuitos_hoy"]
    table = pd.read_csv(tmp_path / "run/circuitos_hoy.csv", dtype={"localidades": str})
    assert [tuple(row[name] for name in ("clues", "transitable", "ampliable", "ampliada_en")) for row in told] == [
        (MOBILE, "sí", "sí", *run.plan.chosen)]
    (circuit,) = run.choices.today.circuits
    assert table.loc[0, ["paradas", "localidades", "visitas_mes", "costo_anual", "dias_ronda", "dias_usados_mes"]].tolist() == [
        1, D, 2.0, 1.5e6, 1, 2]
    assert table.loc[0, "minutos_ronda"] == pytest.approx(circuit.driven_min) == sum(circuit.days[0].legs_min)
    months = pd.read_csv(tmp_path / "run/calendario.csv", dtype={"cvegeo": str})
    assert (months["tipo"] == "ruta").all()
    assert (months["clues"] == MOBILE).all()
    option = next(o for o in run.plan.options if o.id in run.plan.chosen)
    assert months["cvegeo"].dropna().value_counts().to_dict() == dict.fromkeys(option.stops, 2)
    lines = json.loads((tmp_path / "run/rutas.geojson").read_text(encoding="utf-8"))["features"]
    ends = [f["properties"] for f in lines if f["properties"]["elemento"] == "tramo"]
    assert {p["de"] for p in ends} == {p["a"] for p in ends} == {MOBILE, *option.stops}


def test_curve_other_plans_and_draws_hold_with_it(run: Run) -> None:
    asked = ASKED.model_copy(update={"budget_mxn_year": 6e6, "curve_points": 2, "alternatives": 1, "alternatives_differ": 1, "draws": 4})
    whole = run_scenario(run.region, asked)
    assert whole.outcome.violations == ()
    assert whole.curve is not None
    assert all(p.solution.value <= p.solution.ceiling + 1e-6 for p in whole.curve.plans)
    assert whole.plan.solution.value >= run.plan.solution.value
    draws = robustness(run.region, asked, run.plan, engine=Engine(jobs=1))
    assert draws.frequency(run.plan.chosen).min() > 0, "a team that starts from its own place is there in the draws too"
    again = choose_again(run, asked)
    assert again.choices.today is run.choices.today
    assert again.plan.solution.value == pytest.approx(whole.plan.solution.value)


def test_where_the_scenario_does_not_allow_it_circuits_are_told_and_not_extended(run: Run) -> None:
    without = run_scenario(run.region, ASKED.model_copy(update={"allow": ("umr", "umm", "brigada")}))
    assert not any(o.kind == "ruta" for o in without.plan.options)
    assert circuits_table(without).loc[0, ["transitable", "ampliable"]].tolist() == ["sí", "no"]
    assert vars(without.choices.today.circuits[0]) == vars(run.choices.today.circuits[0])
    assert "circuitos_hoy" not in decision_indicators(replace(run, region=valley.region()))


def test_the_demos_circuits_from_end_to_end(demo_region: Region, searches: Path, tmp_path: Path) -> None:
    """The published one, and one of four stops near a team that nothing is published of."""
    demo = demo_region
    other = demo.units.index[(demo.units["role"] == "movil") & ~demo.units.index.isin(demo.circuits["clues"])][0]
    away = demo.localities.distance(demo.units.geometry[other])
    near = away[(demo.localities["population"] <= 300) & ~demo.localities.index.isin(demo.circuits["cvegeo"])].nsmallest(4).index
    more = pd.DataFrame({"clues": other, "cvegeo": sorted(near), "visits_month": 2.0})
    found = run_scenario(replace(demo, circuits=pd.concat([demo.circuits, more], ignore_index=True)), Scenario(), cache=searches)
    assert found.outcome.violations == ()
    assert [c.clues for c in found.choices.today.circuits] == sorted({*demo.circuits["clues"], other})
    mine = next(c for c in found.choices.today.circuits if c.clues == other)
    assert mine.stops == tuple(sorted(near))
    assert mine.days
    rutas = [o for o in found.plan.options if o.kind == "ruta"]
    assert {o.place for o in rutas} <= {other}
    taken = [o for o in rutas if o.id in found.plan.chosen]
    assert len(taken) == (1 if rutas else 0), "it costs nothing"
    (tmp_path / "manifest.json").write_text("{}")
    write_run(tmp_path / "run", found, tmp_path, elapsed_s=1.0)
    assert len(pd.read_csv(tmp_path / "run/circuitos_hoy.csv")) == len(found.choices.today.circuits)
