"""The chosen plan against every set of options, and the rules that no plan may break."""

from dataclasses import asdict, replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from planner.access.gap import HOSPITAL_KINDS, HOSPITAL_TIER, TIERS
from planner.decide import selection
from planner.decide.fleet import Choices
from planner.decide.gains import people_tiers, take_best
from planner.decide.selection import select
from planner.errors import SettingsError
from planner.model import Access, Option, Plan
from planner.settings import Scenario

ALL_TIERS = (*TIERS, HOSPITAL_TIER)
PRICED = Scenario(cost_ambulance_capital_mxn=1.0, cost_ambulance_annual_mxn=1.0, cost_caro_capital_mxn=1.0, cost_caro_annual_mxn=1.0)
Pairs = list[tuple[int, int, float, float]]


def make_access(people: np.ndarray, room: np.ndarray, gap: float | np.ndarray = 1.5) -> Access:
    """Localities near a first level and far from the hospital, whose gap a person is `gap`."""
    ids = pd.Index([f"9900100{i:02d}" for i in range(len(people))], name="cvegeo")
    table = pd.DataFrame({"people": people, "sufficiency": room, "access": 0.0, "visits_month": 0.0, "hospital_access": 0.0,
                          "first_level_min": 10.0, "hospital_min": 150.0, "need_weight": 1.0, "weighted_gap": people * gap}, index=ids)
    return Access(table, pd.DataFrame(), pd.DataFrame())


def places(access: Access) -> pd.DataFrame:
    """Localities as the region tells them: two municipalities, the grade and the indigenous part by the last digits of the key."""
    ids = access.localities.index
    last = np.array([int(c[-2:]) for c in ids])
    return pd.DataFrame({"cve_mun": np.where(last % 2, "99001", "99002"), "irs_grade": np.where(last % 3 == 0, "Muy alto", "Alto"),
                         "population": 100.0, "indigenous": 10.0 * (last % 5)}, index=ids)


def make_option(access: Access, name: str, kind: str, pairs: Pairs, capacity: float, annual: float, capital: float = 0.0, place: str = "",
                excludes: tuple[str, ...] = ()) -> Option:
    """An option whose pairs are (locality, tier, available people, gain a person)."""
    table = pd.DataFrame(pairs, columns=["at", "rank", "available", "gain"]).sort_values(["at", "rank"])
    serves = pd.DataFrame({
        "cvegeo": access.localities.index[table["at"].to_numpy(int)], "tier": [ALL_TIERS[int(r)] for r in table["rank"]], "minutes": 10.0,
        "available": table["available"].to_numpy(float), "gain": table["gain"].to_numpy(float)})
    serves["people"] = take_best(serves["available"].to_numpy(), serves["gain"].to_numpy(), capacity)
    serves["weighted"] = serves["people"] * serves["gain"]
    return Option(name, kind, place or name, name, capital, annual, capacity, serves, "prueba", excludes=excludes)  # type: ignore[arg-type]


def random_instance(seed: int) -> tuple[tuple[Option, ...], Access, Scenario]:
    """At most five localities and nine options of all kinds: gains and prices with many ties, tight capacities, some of it for nothing."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    access = make_access(rng.integers(1, 60, n).astype(float), rng.choice([0.0, 0.3, 0.5, 1.0], n), rng.choice([1.2, 1.5, 3.0], n))
    people, room = (access.localities[c].to_numpy() for c in ("people", "sufficiency"))

    def pairs(ranks: tuple[int, ...], part: float = 1.0) -> Pairs:
        found = []
        for i in sorted(rng.choice(n, int(rng.integers(1, n + 1)), replace=False)):
            low, more = rng.choice([0.1, 0.25, 0.4], 2)
            there = (1 - room[i], room[i], 1.0)
            found += [(int(i), t, people[i] * there[t] * part, float(low + (more if t == 0 else 0))) for t in ranks if there[t] > 0]
        return found

    def some(most: int) -> range:
        return range(int(rng.integers(0, most + 1)))

    options: list[Option] = []
    for k in range(int(rng.integers(1, 3))):
        excludes = ("umr-0",) if k == 1 and rng.random() < 0.5 else ()
        options.append(make_option(access, f"umr-{k}", "umr", pairs((0, 1)), float(rng.integers(10, 80)),
                                   float(rng.choice([30, 40, 50])), float(rng.integers(0, 90)), excludes=excludes))
    own = pairs((0,), float(rng.choice([0.4, 1.0])))
    options += [make_option(access, f"nucleo-9-{k}", "nucleo", own, 15.0, 20.0, 35.0, place="9") for k in some(2)]
    options += [make_option(access, f"plaza-9-{k}", "plaza", own, 15.0, float(rng.choice([0, 15])), place="9") for k in some(1)]
    for kind in ("umm", "brigada"):
        options += [make_option(access, f"{kind}-{k}", kind, pairs((0, 1)), 50.0, 25.0, 20.0, place="9") for k in some(1)]
    for kind in HOSPITAL_KINDS:
        options += [make_option(access, f"{kind}-9-{k}", kind, pairs((2,)), 40.0, 25.0, 30.0, place="9") for k in some(1)]
    options = [o for o in options if len(o.serves)]
    return tuple(options), access, _random_scenario(rng, [*(o.id for o in options), "9"])


def _random_scenario(rng: np.random.Generator, names: list[str]) -> Scenario:
    """A budget, and what is asked besides it in some cases."""
    asked = rng.permutation(names)[: int(rng.integers(0, 3))].tolist() if rng.random() < 0.4 else []
    cut = int(rng.integers(0, len(asked) + 1))
    return PRICED.model_copy(update={
        "budget_mxn_year": float(rng.integers(0, 190)), "capital_mxn": float(rng.integers(40, 250)) if rng.random() < 0.4 else None,
        "objective": str(rng.choice(["brecha", "brecha", "personas", "peor_municipio"])),
        "share_min_very_high": float(rng.choice([0, 0, 0, 0.4])), "share_min_indigenous": float(rng.choice([0, 0, 0, 0.25])),
        "require": tuple(asked[:cut]), "forbid": tuple(asked[cut:])})


def allowed(chosen: tuple[Option, ...], scenario: Scenario) -> bool:
    ids = {o.id for o in chosen}
    named = ids | {o.place for o in chosen}
    return (sum(o.annual_mxn for o in chosen) <= scenario.budget_mxn_year
            and (scenario.capital_mxn is None or sum(o.capital_mxn for o in chosen) <= scenario.capital_mxn)
            and not any(ids & set(o.excludes) for o in chosen)
            and set(scenario.require) <= named and not named & set(scenario.forbid))


class Truth:
    """The best assignment of people to some options, by another solver and a plain dense model: one column a pair, and the last for `s`."""

    def __init__(self, options: tuple[Option, ...], access: Access, scenario: Scenario) -> None:
        self.scenario, self.access, self.there = scenario, access, places(access)
        reachable = [o for o in options if allowed((o,), scenario.model_copy(update={"require": ()}))]
        reached = {c for o in reachable for c in o.serves["cvegeo"]}
        self.towns = sorted(set(self.there.loc[sorted(reached), "cve_mun"]))
        table = access.localities.groupby(self.there["cve_mun"])[["people", "weighted_gap"]].sum()
        self.people, self.lack = table["people"], table["weighted_gap"] / table["people"]
        self.worst = max((self.lack[t] for t in self.towns), default=0.0)

    def best(self, chosen: tuple[Option, ...]) -> tuple[float, float]:
        """What the objective counts first, and the gap closed by the best of those plans."""
        self.pairs = [(o, r) for o in chosen for r in o.serves.itertuples()]
        if not self.pairs:
            return 0.0, 0.0
        self.rows: list[list[float]] = []
        self.limits: list[float] = []
        self._rules(chosen)
        gain = np.array([*(r.gain for _, r in self.pairs), 0.0])
        first = {"brecha": gain, "personas": np.sign(gain), "peor_municipio": np.eye(len(gain))[-1]}[self.scenario.objective]
        value = self._most(first)
        self._limit(-first[:-1], -value + 1e-8, s=-first[-1])
        return value, self._most(gain)

    def _limit(self, row: np.ndarray, limit: float, s: float = 0.0) -> None:
        self.rows.append([*row, s])
        self.limits.append(limit)

    def _rules(self, chosen: tuple[Option, ...]) -> None:
        def where(what) -> np.ndarray:  # type: ignore[no-untyped-def]
            return np.array([float(what(o, r)) for o, r in self.pairs])

        for c, place in self.access.localities.iterrows():
            full = (1 - place["sufficiency"], place["sufficiency"], 1.0)
            for tier, part in zip(ALL_TIERS, full, strict=True):
                self._limit(where(lambda _, r, c=c, t=tier: (r.cvegeo, r.tier) == (c, t)), place["people"] * part)
        for option in chosen:
            self._limit(where(lambda o, _, option=option: o is option), option.capacity_people)
        own = [o for o in chosen if o.kind in ("nucleo", "plaza")]
        for unit, row in {(o.place, r.cvegeo, r.tier): r for o in own for r in o.serves.itertuples()}.items():
            self._limit(where(lambda o, r, u=unit: o in own and (o.place, r.cvegeo, r.tier) == u), row.available)
        high = {c: float(g == "Muy alto") for c, g in self.there["irs_grade"].items()}
        native = dict(self.there["indigenous"] / self.there["population"])
        for part, least in ((high, self.scenario.share_min_very_high), (native, self.scenario.share_min_indigenous)):
            self._limit(where(lambda _, r, p=part, least=least: least - p[r.cvegeo] if least else 0.0), 0.0)
        for town in self.towns:  # what the town still lacks is the worst of today, less s, at most
            closed = where(lambda _, r, t=town: -r.gain / self.people[t] if self.there.at[r.cvegeo, "cve_mun"] == t else 0.0)
            self._limit(closed, self.worst - self.lack[town], s=1.0)

    def _most(self, gain: np.ndarray) -> float:
        bounds = [*((0, r.available) for _, r in self.pairs), (0, None)]
        answer = linprog(-gain, A_ub=np.array(self.rows), b_ub=self.limits, bounds=bounds, method="highs-ds")
        assert answer.status == 0, answer.message
        return float(-answer.fun)


def largest_sets(options: tuple[Option, ...], scenario: Scenario) -> list[tuple[Option, ...]]:
    """All sets of options that are allowed and to which none can be added: whoever has more may always do as well."""
    told = [tuple(o for o, there in zip(options, bits, strict=True) if there) for bits in product((0, 1), repeat=len(options))]
    sets = {frozenset(o.id for o in s): s for s in told if allowed(s, scenario)}
    alike = {tuple(sorted((o.kind, o.place) if o.kind == "nucleo" else (o.id, "") for o in s)): s
             for k, s in sets.items() if not any(k < other for other in sets)}
    return list(alike.values())


@pytest.mark.parametrize("part", range(10))
def test_no_set_of_options_is_worth_more(part: int) -> None:
    for seed in range(30 * part, 30 * part + 30):
        options, access, scenario = random_instance(seed)
        sets = largest_sets(options, scenario)
        if not sets:
            with pytest.raises(SettingsError, match=r"require|exigido"):
                select(Choices(options), places(access), access, scenario)
            continue
        truth = Truth(options, access, scenario)
        found = [truth.best(s) for s in sets]
        best = max(value for value, _ in found)
        closed = max(closed for value, closed in found if value >= best - 1e-7)
        plan = select(Choices(options), places(access), access, scenario)
        assert plan.solution.value == pytest.approx(best, abs=1e-6), seed
        assert plan.solution.bound == pytest.approx(best, abs=1e-6), seed
        assert plan.solution.ceiling == plan.solution.bound, seed
        assert plan.solution.status == "óptimo", seed
        assert gap_closed(plan) == pytest.approx(closed, abs=1e-4), seed
        assert allowed(tuple(o for o in options if o.id in plan.chosen), scenario), seed
        check_plan(plan, access, scenario)


def gap_closed(plan: Plan) -> float:
    gains = {(o.id, r.cvegeo, r.tier): r.gain for o in plan.options for r in o.serves.itertuples()}
    return float(sum(r.people * gains[r.option, r.cvegeo, r.tier] for r in plan.served.itertuples()))


def check_plan(plan: Plan, access: Access, scenario: Scenario) -> None:
    """Nobody twice, capacities kept, unserved people first, the value and the sums by locality those of the people told."""
    by_id = {o.id: o for o in plan.options}
    served, chosen = plan.served, set(plan.chosen)
    assert set(served["option"]) <= chosen
    idle = chosen - set(served["option"])
    assert all({i, by_id[i].place} & set(scenario.require) for i in idle), "nothing idle is bought unless asked for"
    tiers = people_tiers(access, scenario).set_index(["cvegeo", "tier"])["people"]
    taken = served.groupby(["cvegeo", "tier"])["people"].sum()
    assert (taken <= tiers.loc[taken.index] + 1e-6).all()
    assert (served["people"] > 0).all()
    for name, people in served.groupby("option")["people"].sum().items():
        assert people <= by_id[str(name)].capacity_people + 1e-6
    counted = {"brecha": gap_closed(plan), "personas": float(served["people"].sum())}
    assert plan.solution.value == pytest.approx(counted.get(scenario.objective, plan.solution.value), abs=1e-6)
    by_place = served.groupby("cvegeo")["people"].sum()
    assert by_place.sum() == pytest.approx(served["people"].sum())
    for row in served[served["tier"] == TIERS[1]].itertuples():
        free = tiers.get((row.cvegeo, TIERS[0]), 0.0) - taken.get((row.cvegeo, TIERS[0]), 0.0)
        assert free <= 1e-6 or by_id[row.option].serves.query("cvegeo == @row.cvegeo and tier == @TIERS[0]").empty


def plain(seed: int) -> tuple[tuple[Option, ...], Access, Scenario]:
    """A random instance of which nothing besides money is asked."""
    options, access, scenario = random_instance(seed)
    return options, access, PRICED.model_copy(update={"budget_mxn_year": scenario.budget_mxn_year, "capital_mxn": scenario.capital_mxn})


@pytest.mark.parametrize("seed", range(30))
def test_the_greedy_plan_is_a_start_and_no_more(seed: int) -> None:
    options, access, scenario = plain(seed)
    scenario = scenario.model_copy(update={"budget_mxn_year": scenario.budget_mxn_year + 50.0})
    model = selection.model_for(Choices(options), places(access), access, scenario)
    copies = selection.greedy_copies(model)
    bought = tuple(o for o in options for ids, n in zip(model.ids, copies, strict=True) if o.id in ids[:n])
    solution = select(Choices(options), places(access), access, scenario).solution
    assert allowed(bought, scenario)
    greedy = Truth(options, access, scenario).best(bought)[0]
    assert greedy <= solution.value + 1e-6 <= solution.bound + 2e-6 <= solution.ceiling + 3e-6


@pytest.mark.parametrize("objective", ["brecha", "personas", "peor_municipio"])
@pytest.mark.parametrize("seed", range(4))
def test_more_budget_never_buys_less_and_the_mix_no_less_than_one_kind(seed: int, objective: str) -> None:
    options, access, scenario = plain(seed)
    there, values = places(access), []
    for budget in np.linspace(0, 200, 5):
        asked = scenario.model_copy(update={"budget_mxn_year": float(budget), "capital_mxn": None, "objective": objective})
        values.append(select(Choices(options), there, access, asked).solution.value)
        if objective == "brecha":
            for kind in {o.kind for o in options}:
                alone = select(Choices(tuple(o for o in options if o.kind == kind)), there, access, asked).solution
                assert alone.value <= values[-1] + 1e-6
    assert (np.diff(values) >= -1e-6).all()


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_a_known_plan_is_never_made_worse(seed: int) -> None:
    """Not even where the solver may look at no node and finds nothing itself."""
    options, access, scenario = plain(seed)
    best = select(Choices(options), places(access), access, scenario)
    dearer = scenario.model_copy(update={"budget_mxn_year": scenario.budget_mxn_year * 1.1})
    again = select(Choices(options), places(access), access, dearer, known=best.chosen, nodes=0)
    assert again.solution.value >= best.solution.value - 1e-9
    asked = {"require": best.chosen[:1], "share_min_indigenous": 0.05}  # and neither where more than money is asked
    bound = select(Choices(options), places(access), access, scenario.model_copy(update=asked))
    again = select(Choices(options), places(access), access, dearer.model_copy(update=asked), known=bound.chosen, nodes=0)
    assert again.solution.value >= bound.solution.value - 1e-9
    cheaper = scenario.model_copy(update={"budget_mxn_year": scenario.budget_mxn_year * 0.5})
    less = select(Choices(options), places(access), access, cheaper, known=best.chosen)
    assert allowed(tuple(o for o in options if o.id in less.chosen), cheaper)
    assert less.solution.value == pytest.approx(select(Choices(options), places(access), access, cheaper).solution.value, abs=1e-9)


@pytest.mark.parametrize("seed", [3, 7, 20, 52, 118])
def test_shuffled_rows_give_the_same_plan_and_nothing_given_is_changed(seed: int) -> None:
    options, access, scenario = random_instance(seed)
    before = [o.serves.copy() for o in options], access.localities.copy()
    mixed = [replace(o, serves=o.serves.sample(frac=1, random_state=3)) for o in options]
    np.random.default_rng(0).shuffle(mixed)  # type: ignore[arg-type]
    turned = replace(access, localities=access.localities.sample(frac=1, random_state=1))
    one = select(Choices(options), places(access), access, scenario)
    other = select(Choices(tuple(mixed)), places(turned), turned, scenario)
    assert one.chosen == other.chosen
    pd.testing.assert_frame_equal(one.served, other.served)
    assert asdict(one.solution) == asdict(other.solution)
    for option, table in zip(options, before[0], strict=True):
        pd.testing.assert_frame_equal(option.serves, table)
    pd.testing.assert_frame_equal(access.localities, before[1])


ONE = make_access(np.array([100.0]), np.array([0.0]))


def one_place(name: str, kind: str = "umr", **more: object) -> Option:
    told: dict[str, object] = {"pairs": [(0, 0, 100.0, 0.5)], "capacity": 100.0, "annual": 10.0, **more}
    return make_option(ONE, name, kind, **told)  # type: ignore[arg-type]


def planned(options: tuple[Option, ...], scenario: Scenario, access: Access = ONE) -> Plan:
    return select(Choices(options), places(access), access, scenario)


def test_equal_options_are_told_apart_by_id() -> None:
    twins = tuple(one_place(f"umr-{k}") for k in (2, 1, 3))
    assert planned(twins, Scenario(budget_mxn_year=10)).chosen == ("umr-1",)
    assert planned(twins, Scenario(budget_mxn_year=30)).chosen == ("umr-1",), "what serves nobody more is not bought"


@pytest.mark.parametrize(("budget", "require", "forbid", "chosen"), [
    (10, ("nucleo-9-3",), (), ["nucleo-9-3"]),
    (30, ("nucleo-9-3", "nucleo-9-4", "9"), (), ["nucleo-9-1", "nucleo-9-3", "nucleo-9-4"]),
    (20, ("9",), ("nucleo-9-1",), ["nucleo-9-2", "nucleo-9-3"]),
    (20, ("nucleo-9-1", "9"), (), ["nucleo-9-1", "umr-1"]),  # the place has what it asks for
    (10, ("nucleo-9-3", "nucleo-9-4"), (), None)])
def test_a_copy_that_is_asked_for_by_name_is_the_one_bought(
    budget: float, require: tuple[str, ...], forbid: tuple[str, ...], chosen: list[str] | None,
) -> None:
    options = (*(one_place(f"nucleo-9-{k}", "nucleo", place="9", capacity=30.0) for k in range(1, 5)), one_place("umr-1", capacity=40.0))
    scenario = Scenario(budget_mxn_year=budget, require=require, forbid=(*forbid, *(() if "umr-1" in (chosen or ()) else ("umr-1",))))
    if chosen is None:
        with pytest.raises(SettingsError, match="no cabe en el presupuesto"):
            planned(options, scenario)
    else:
        assert list(planned(options, scenario).chosen) == chosen


@pytest.mark.parametrize(("change", "said"), [
    ({"require": ("umr-7",)}, "require pide umr-7, que no es una propuesta factible"),
    ({"require": ("umr-1",), "budget_mxn_year": 9.0}, "require pide umr-1, que cuesta 10 MXN al año y 80 de inversión"),
    ({"require": ("umr-1",), "capital_mxn": 79.0}, "el presupuesto no alcanza"),
    ({"require": ("umr-1", "umr-2")}, "se excluye entre sí"),
    ({"require": ("umr-1", "9"), "budget_mxn_year": 19.0}, "no cabe en el presupuesto"),
    ({"require": ("umr-1",), "forbid": ("9", "umr-2")}, None),
])
@pytest.mark.parametrize("objective", ["brecha", "personas", "peor_municipio"])
def test_what_cannot_be_had_is_told_in_one_sentence(change: dict[str, object], said: str | None, objective: str) -> None:
    options = (one_place("umr-1", capital=80.0), one_place("umr-2", excludes=("umr-1",)), one_place("nucleo-9-01", "nucleo", place="9"))
    scenario = Scenario(**{"budget_mxn_year": 100.0, "objective": objective, **change})  # type: ignore[arg-type]
    if said is None:
        assert planned(options, scenario).chosen == ("umr-1",)
        return
    with pytest.raises(SettingsError, match=said) as told:
        planned(options, scenario)
    assert str(told.value).count(". ") == 0


def test_an_empty_plan_is_an_honest_answer() -> None:
    half = make_access(np.array([100.0]), np.array([0.5]))
    option = make_option(half, "umr-1", "umr", [(0, 0, 50.0, 0.5)], 100.0, 10.0, 80.0)
    useless = make_option(half, "umr-2", "umr", [(0, 1, 50.0, 0.0)], 100.0, 10.0)
    full = make_option(half, "umr-3", "umr", [(0, 0, 50.0, 0.5)], 0.0, 10.0)
    cases = (((), Scenario()), ((option,), Scenario(budget_mxn_year=0)), ((option,), Scenario(budget_mxn_year=9.99)),
             ((option,), Scenario(capital_mxn=79.0)), ((useless,), Scenario()), ((full,), Scenario()),
             ((option,), Scenario(forbid=("umr-1",))),
             ((option,), Scenario(share_min_very_high=1.0, share_min_indigenous=1.0)))
    for objective in ("brecha", "personas", "peor_municipio"):
        for options, scenario in cases:
            plan = planned(options, scenario.model_copy(update={"objective": objective}), half)
            assert plan.chosen == ()
            assert plan.served.empty
            assert list(plan.served.columns) == ["option", "cvegeo", "tier", "people", "minutes"]
            assert (plan.solution.value, plan.solution.bound, plan.solution.gap) == (0.0, 0.0, 0.0)


def test_the_budget_is_inclusive_and_what_costs_nothing_is_taken() -> None:
    option = one_place("umr-1", capacity=60.0, capital=80.0)
    plan = planned((option,), Scenario(budget_mxn_year=10, capital_mxn=80))
    assert plan.solution.value == pytest.approx(30.0)
    assert plan.served["people"].tolist() == pytest.approx([60.0])
    gift = one_place("umr-2", annual=0.0, capacity=60.0)
    assert planned((option, gift), Scenario(budget_mxn_year=0)).chosen == ("umr-2",)
    assert planned((option, gift), Scenario(budget_mxn_year=10)).solution.value == pytest.approx(50.0)
