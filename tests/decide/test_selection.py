"""The chosen plan against every subset of options, and the rules that no plan may break."""

from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from planner.access.gap import TIERS
from planner.decide import selection
from planner.decide.gains import people_tiers, take_best
from planner.decide.program import model_of, towns_of
from planner.decide.selection import select
from planner.model import Access, Choices, Option
from planner.settings import Scenario


def make_access(people: np.ndarray, room: np.ndarray, access: np.ndarray) -> Access:
    ids = pd.Index([f"9900100{i:02d}" for i in range(len(people))], name="cvegeo")
    table = pd.DataFrame({"people": people, "sufficiency": room, "access": access, "visits_month": 0.0,
                          "need_weight": 1.0, "weighted_gap": 1.0}, index=ids)
    return Access(table, pd.DataFrame(), pd.DataFrame())


def places(access: Access) -> pd.DataFrame:
    """Localities as the region tells them: two municipalities, the grade and the indigenous part by the last digits of the key."""
    ids = access.localities.index
    last = np.array([int(c[-2:]) for c in ids])
    return pd.DataFrame({"cve_mun": np.where(last % 2, "99001", "99002"), "irs_grade": np.where(last % 3 == 0, "Muy alto", "Alto"),
                         "population": 100.0, "indigenous": 10.0 * (last % 5)}, index=ids)


def make_option(access: Access, name: str, kind: str, pairs: list[tuple[int, int, float, float]], capacity: float,
                annual: float, capital: float = 0.0, place: str = "", excludes: tuple[str, ...] = ()) -> Option:
    """An option whose pairs are (locality, tier, available people, gain a person)."""
    table = pd.DataFrame(pairs, columns=["at", "rank", "available", "gain"]).sort_values(["at", "rank"])
    serves = pd.DataFrame({
        "cvegeo": access.localities.index[table["at"].to_numpy(int)], "tier": [TIERS[r] for r in table["rank"]], "minutes": 10.0,
        "available": table["available"].to_numpy(float), "gain": table["gain"].to_numpy(float)})
    serves["people"] = take_best(serves["available"].to_numpy(), serves["gain"].to_numpy(), capacity)
    serves["weighted"] = serves["people"] * serves["gain"]
    return Option(name, kind, place or name, name, capital, annual, capacity, serves, "prueba", excludes=excludes)  # type: ignore[arg-type]


def random_instance(seed: int) -> tuple[tuple[Option, ...], Access, Scenario]:
    """At most six localities and seven options of all kinds: gains and prices with many ties, tight capacities."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    access = make_access(rng.integers(1, 60, n).astype(float), rng.choice([0.0, 0.3, 0.5, 1.0], n), np.zeros(n))
    people = access.localities["people"].to_numpy()
    room = access.localities["sufficiency"].to_numpy()
    options: list[Option] = []

    def pairs(tiers: tuple[int, ...], part: float) -> list[tuple[int, int, float, float]]:
        found = []
        for i in sorted(rng.choice(n, int(rng.integers(1, n + 1)), replace=False)):
            low, more = rng.choice([0.1, 0.25, 0.4], 2)
            for tier in tiers:
                there = people[i] * ((1 - room[i]) if tier == 0 else room[i])
                if there > 0:
                    found.append((int(i), tier, there * part, float(low + (more if tier == 0 else 0))))
        return found

    for k in range(int(rng.integers(1, 4))):
        excludes = ("umr-0",) if k == 1 and rng.random() < 0.5 else ()
        options.append(make_option(access, f"umr-{k}", "umr", pairs((0, 1), 1.0), float(rng.integers(10, 80)),
                                   float(rng.choice([30, 40, 50])), float(rng.integers(0, 90)), excludes=excludes))
    unit = pairs((0,), float(rng.choice([0.4, 1.0])))
    options += [make_option(access, f"nucleo-9-{k}", "nucleo", unit, 15.0, 20.0, 35.0, place="9") for k in range(int(rng.integers(0, 3)))]
    options += [make_option(access, f"umm-{k}", "umm", pairs((0, 1), 1.0), 50.0, 25.0, 20.0) for k in range(int(rng.integers(0, 2)))]
    capital = float(rng.integers(40, 250)) if rng.random() < 0.4 else None
    scenario = Scenario(budget_mxn_year=float(rng.integers(0, 190)), capital_mxn=capital)
    usable = [o for o in options if len(o.serves)]
    return tuple(usable), access, scenario


def worth(chosen: tuple[Option, ...], access: Access, scenario: Scenario) -> float:
    """The best assignment of people to these options, by another solver and a plain dense model."""
    tiers = people_tiers(access, scenario)
    rows: list[np.ndarray] = []
    limits: list[float] = []
    pairs = [(o, r) for o in chosen for r in o.serves.itertuples()]
    if not pairs:
        return 0.0
    for t in tiers.itertuples():
        rows.append(np.array([r.cvegeo == t.cvegeo and r.tier == t.tier for _, r in pairs], float))
        limits.append(t.people)
    for option in chosen:
        rows.append(np.array([o is option for o, _ in pairs], float))
        limits.append(option.capacity_people)
    for place in {o.place for o in chosen if o.kind == "nucleo"}:
        unit = next(o for o in chosen if o.place == place)
        for s in unit.serves.itertuples():
            rows.append(np.array([o.place == place and r.cvegeo == s.cvegeo and r.tier == s.tier for o, r in pairs], float))
            limits.append(s.available)
    gains = np.array([r.gain for _, r in pairs])
    answer = linprog(-gains, A_ub=np.array(rows), b_ub=limits, bounds=[(0, r.available) for _, r in pairs], method="highs-ds")
    assert answer.status == 0
    return float(-answer.fun)


def allowed(chosen: tuple[Option, ...], scenario: Scenario) -> bool:
    ids = {o.id for o in chosen}
    return (sum(o.annual_mxn for o in chosen) <= scenario.budget_mxn_year
            and (scenario.capital_mxn is None or sum(o.capital_mxn for o in chosen) <= scenario.capital_mxn)
            and not any(ids & set(o.excludes) for o in chosen))


@pytest.mark.parametrize("seed", range(120))
def test_no_subset_of_options_is_worth_more(seed: int) -> None:
    options, access, scenario = random_instance(seed)
    best = max(worth(s, access, scenario) for k in range(len(options) + 1) for s in combinations(options, k) if allowed(s, scenario))
    plan = select(Choices(options), places(access), access, scenario)
    assert plan.solution.value == pytest.approx(best, abs=1e-6)
    assert plan.solution.bound == pytest.approx(best, abs=1e-5)
    assert allowed(tuple(o for o in options if o.id in plan.chosen), scenario)
    check_plan(plan.served, options, plan.chosen, access, scenario, plan.solution.value)


def check_plan(served: pd.DataFrame, options: tuple[Option, ...], chosen: tuple[str, ...], access: Access, scenario: Scenario,
               value: float) -> None:
    """Nobody twice, capacities kept, unserved people first, and the value is the sum of the gains."""
    by_id = {o.id: o for o in options}
    assert set(served["option"]) == set(chosen)
    tiers = people_tiers(access, scenario).set_index(["cvegeo", "tier"])["people"]
    taken = served.groupby(["cvegeo", "tier"])["people"].sum()
    assert (taken <= tiers.loc[taken.index] + 1e-6).all()
    for name, people in served.groupby("option")["people"].sum().items():
        assert people <= by_id[str(name)].capacity_people + 1e-6
    gains = [by_id[r.option].serves.set_index(["cvegeo", "tier"]).at[(r.cvegeo, r.tier), "gain"] for r in served.itertuples()]
    assert value == pytest.approx(float(served["people"] @ np.array(gains)) if len(served) else 0.0, abs=1e-6)
    for row in served[served["tier"] == TIERS[1]].itertuples():
        free = tiers.get((row.cvegeo, TIERS[0]), 0.0) - taken.get((row.cvegeo, TIERS[0]), 0.0)
        full = served[served["option"] == row.option]["people"].sum() - by_id[row.option].capacity_people
        first = by_id[row.option].serves.query("cvegeo == @row.cvegeo and tier == @TIERS[0]")
        assert free <= 1e-6 or first.empty, full


@pytest.mark.parametrize("seed", range(40))
def test_the_greedy_plan_is_a_start_and_no_more(seed: int) -> None:
    options, access, scenario = random_instance(seed)
    tiers, there = people_tiers(access, scenario), places(access)
    towns = towns_of(list(options), tiers, there, access.localities)
    model = model_of(list(options), tiers, there, scenario, towns=towns)
    copies = selection.greedy_copies(model)
    bought = tuple(o for o in options for ids, n in zip(model.ids, copies, strict=True) if o.id in ids[:n])
    assert allowed(bought, scenario)
    solution = select(Choices(options), places(access), access, scenario).solution
    assert worth(bought, access, scenario) <= solution.value + 1e-6 <= solution.bound + 2e-6


@pytest.mark.parametrize("seed", range(20))
def test_more_budget_never_buys_less(seed: int) -> None:
    options, access, scenario = random_instance(seed)
    values = [select(Choices(options), places(access), access, scenario.model_copy(update={"budget_mxn_year": b, "capital_mxn": None})).solution.value
              for b in np.linspace(0, 200, 9)]
    assert (np.diff(values) >= -1e-6).all()


def test_shuffled_options_give_the_same_plan() -> None:
    options, access, scenario = random_instance(7)
    rng = np.random.default_rng(0)
    mixed = [replace(o, serves=o.serves.sample(frac=1, random_state=3)) for o in options]
    rng.shuffle(mixed)  # type: ignore[arg-type]
    turned = replace(access, localities=access.localities.sample(frac=1, random_state=1))
    one, other = select(Choices(options), places(access), access, scenario), select(Choices(tuple(mixed)), places(turned), turned, scenario)
    assert one.chosen == other.chosen
    pd.testing.assert_frame_equal(one.served, other.served)
    assert asdict(one.solution) == asdict(other.solution)


def test_equal_options_are_told_apart_by_id() -> None:
    access = make_access(np.array([100.0]), np.array([0.0]), np.array([0.0]))
    twins = tuple(make_option(access, f"umr-{k}", "umr", [(0, 0, 100.0, 0.5)], 100.0, 10.0) for k in (2, 1, 3))
    assert select(Choices(twins), places(access), access, Scenario(budget_mxn_year=10)).chosen == ("umr-1",)
    assert select(Choices(twins), places(access), access, Scenario(budget_mxn_year=30)).chosen == ("umr-1",), "what serves nobody more is not bought"


def test_an_empty_plan_is_an_honest_answer() -> None:
    access = make_access(np.array([100.0]), np.array([0.5]), np.array([0.5]))
    option = make_option(access, "umr-1", "umr", [(0, 0, 50.0, 0.5)], 100.0, 10.0, 80.0)
    useless = make_option(access, "umr-2", "umr", [(0, 1, 50.0, 0.0)], 100.0, 10.0)
    for options, scenario in (((), Scenario()), ((option,), Scenario(budget_mxn_year=0)), ((option,), Scenario(budget_mxn_year=9.99)),
                              ((option,), Scenario(capital_mxn=79.0)), ((useless,), Scenario())):
        plan = select(Choices(options), places(access), access, scenario)
        assert plan.chosen == ()
        assert plan.served.empty
        assert list(plan.served.columns) == ["option", "cvegeo", "tier", "people", "minutes"]
        assert (plan.solution.value, plan.solution.bound, plan.solution.gap) == (0.0, 0.0, 0.0)


def test_the_budget_is_inclusive() -> None:
    access = make_access(np.array([100.0]), np.array([0.0]), np.array([0.0]))
    option = make_option(access, "umr-1", "umr", [(0, 0, 100.0, 0.5)], 60.0, 10.0, 80.0)
    plan = select((option,), access, Scenario(budget_mxn_year=10, capital_mxn=80))
    assert plan.solution.value == pytest.approx(30.0)
    assert plan.served["people"].tolist() == pytest.approx([60.0])


def test_nothing_given_is_changed() -> None:
    options, access, scenario = random_instance(3)
    before = [o.serves.copy() for o in options], access.localities.copy()
    select(Choices(options), places(access), access, scenario)
    for option, table in zip(options, before[0], strict=True):
        pd.testing.assert_frame_equal(option.serves, table)
    pd.testing.assert_frame_equal(access.localities, before[1])
