"""Rules that every circuit of a mobile team must keep, recounted leg by leg and apart from whoever planned it; each broken one in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd

from planner.model import Option, Region
from planner.settings import Scenario

_MINUTES = 1e-6
_TOLERANCE = 1e-6  # relative, of people
_WEEKS = 4  # of the month


@dataclass(frozen=True)
class _Leg:
    """One leg of a round: its day (from 1), minutes as the round tells them, whether a trip begins with it, whether it ends at the base."""

    frm: str
    to: str
    minutes: float
    day: int
    first: bool
    home: bool

    def __str__(self) -> str:
        return f"día {self.day}, {self.frm} a {self.to}"


@dataclass(frozen=True, eq=False)
class _Round:
    """A circuit, its legs in order, the true minutes of every leg, and what its unit visits today if it extends that."""

    option: Option
    legs: tuple[_Leg, ...]
    true: Mapping[tuple[str, str], float]
    scenario: Scenario
    brigade: bool  # it keeps a brigade's rules
    today: Mapping[str, float]  # visits a month by stop

    def minutes(self, leg: _Leg) -> float:
        return self.true.get((leg.frm, leg.to), np.inf)


def circuit_faults(options: Iterable[Option], legs: pd.DataFrame, scenario: Scenario, region: Region | None = None) -> list[str]:
    """The rules that the circuits among these options break, a sentence each; none if all keep them.

    `legs` has the true minutes of every leg in the scenario's season: from_id, to_id, minutes (`inf`: no way); `region` what
    its mobile units visit today, which nothing that extends it may drop. Told are what, the first three cases (circuit, day and
    leg where there is one) and how many more.
    """
    true = dict(zip(zip(legs["from_id"], legs["to_id"], strict=True), legs["minutes"].astype(float), strict=True))
    rounds = [_Round(o, _legs(o), true, scenario, _is_brigade(o, region), todays_visits(o, region))
              for o in sorted(options, key=lambda o: o.id) if o.stops or o.days]
    faults = []
    for what, rule in _RULES.items():
        found = [f"{gone.option.id} ({where})" for gone in rounds for where in rule(gone)]
        if found:
            faults.append(f"El plan {what} {', '.join(found[:3])}{f' y {len(found) - 3} más' if len(found) > 3 else ''}.")
    return faults


def todays_visits(option: Option, region: Region | None) -> dict[str, float]:
    """Visits a month today of each stop of the circuit that the option extends; nothing if it extends none."""
    if option.kind != "ruta" or region is None or region.circuits is None:
        return {}
    mine = region.circuits[(region.circuits["clues"] == option.place) & (region.circuits["visits_month"] > 0)]
    return {str(stop): float(visits) for stop, visits in mine.groupby("cvegeo")["visits_month"].sum().items()}


def _is_brigade(option: Option, region: Region | None) -> bool:
    if option.kind != "ruta" or region is None or option.place not in region.units.index:
        return option.kind == "brigada"
    return bool(region.units.at[option.place, "unit_class"] == "brigada")


def _legs(option: Option) -> tuple[_Leg, ...]:
    """The legs of the round; minutes that its days do not tell are `nan`."""
    here, legs, sets_out = option.place, [], True
    for number, day in enumerate(option.days, 1):
        ends = day.stops if day.night_out else (*day.stops, option.place)
        told = (*day.legs_min, *[np.nan] * len(ends))
        for order, there in enumerate(ends):
            home = order == len(day.stops)
            legs.append(_Leg(here, there, told[order], number, sets_out, home))
            here, sets_out = there, home
    return tuple(legs)


def _once(gone: _Round) -> Iterator[str]:
    made, wanted = Counter(leg.to for leg in gone.legs if not leg.home), Counter(gone.option.stops)
    yield from (f"{stop}: {made[stop]} veces" for stop in sorted(made | wanted) if made[stop] != 1 or wanted[stop] != 1)


def _chained(gone: _Round) -> Iterator[str]:
    """Each day goes somewhere and tells the minutes of each of its legs; the last one comes home."""
    days = gone.option.days
    for number, day in enumerate(days, 1):
        from_base = number == 1 or not days[number - 2].night_out
        if len(day.legs_min) not in (len(day.stops), len(day.stops) + 1) or (not day.stops and (from_base or day.night_out)):
            yield f"día {number}"
    if not days or days[-1].night_out:
        yield "no vuelve a su base"


def _reached(gone: _Round) -> Iterator[str]:
    yield from (str(leg) for leg in gone.legs if not np.isfinite(gone.minutes(leg)))


def _true(gone: _Round) -> Iterator[str]:
    for leg in gone.legs:
        minutes = gone.minutes(leg)
        if np.isfinite(minutes) and not abs(leg.minutes - minutes) <= _MINUTES:
            yield f"{leg}: {leg.minutes:.10g} y no {minutes:.10g} min"


def _shift(gone: _Round) -> Iterator[str]:
    for number, day in enumerate(gone.option.days, 1):
        minutes = sum(day.legs_min) + len(day.stops) * gone.scenario.stop_hours_min * 60.0
        if not minutes <= gone.scenario.shift_hours * 60.0 + _MINUTES:
            yield f"día {number}: {minutes / 60.0:.6g} h"


def _day_stops(gone: _Round) -> Iterator[str]:
    for number, day in enumerate(gone.option.days, 1):
        if len(day.stops) > gone.scenario.stops_day_max:
            yield f"día {number}: {len(day.stops)}"


def _first(gone: _Round) -> Iterator[str]:
    yield from _longer((leg for leg in gone.legs if leg.first and not leg.home), gone.scenario.first_stop_max_min)


def _between(gone: _Round) -> Iterator[str]:
    yield from _longer((leg for leg in gone.legs if not leg.first and not leg.home), gone.scenario.leg_max_min)


def _longer(legs: Iterable[_Leg], limit_min: float) -> Iterator[str]:
    yield from (f"{leg}: {leg.minutes:.10g} min" for leg in legs if not leg.minutes <= limit_min + _MINUTES)


def _nights(gone: _Round) -> Iterator[str]:
    allowed = gone.scenario.brigade_nights_max if gone.brigade else 0
    for out, days in groupby(enumerate(gone.option.days, 1), key=lambda numbered: numbered[1].night_out):
        numbers = [number for number, _ in days]
        if out and len(numbers) > allowed:
            yield f"desde el día {numbers[0]}: {len(numbers)}"


def _weeks(gone: _Round) -> Iterator[str]:
    """A trip lasts no longer than the working days of a week."""
    begun = 1
    for number, day in enumerate(gone.option.days, 1):
        if not day.night_out:
            if number - begun + 1 > -(-gone.scenario.working_days_month // _WEEKS):
                yield f"desde el día {begun}: {number - begun + 1} días"
            begun = number + 1


def _month(gone: _Round) -> Iterator[str]:
    days, visits = len(gone.option.days), gone.option.visits_month
    if not 0 < days * visits <= gone.scenario.working_days_month + _TOLERANCE:
        yield f"{days} días, {visits:g} visitas al mes"


def _stops(gone: _Round) -> Iterator[str]:
    if len(gone.option.stops) > max(gone.scenario.umm_stops_max, len(gone.today)):  # today's circuits are as long as they are
        yield f"{len(gone.option.stops)}"


def _kept(gone: _Round) -> Iterator[str]:
    """What extends a circuit visits all of its stops, no less often."""
    if gone.option.kind == "ruta" and not gone.today:
        yield "su unidad no tiene paradas hoy"
    for stop, visits in sorted(gone.today.items()):
        made = gone.option.visits_month if stop in gone.option.stops else 0.0
        if made < visits - _TOLERANCE:
            yield f"{stop}: {made:g} de {visits:g} visitas al mes"


def _people(gone: _Round) -> Iterator[str]:
    if gone.option.people > gone.scenario.umm_people_max * (1 + _TOLERANCE):
        yield f"{gone.option.people:,.0f}"


_RULES: Mapping[str, Callable[[_Round], Iterator[str]]] = {
    "tiene rutas que no visitan una vez por ronda cada parada:": _once,
    "tiene rutas con días que no se encadenan desde la base y de vuelta:": _chained,
    "tiene rutas con tramos sin camino en la temporada:": _reached,
    "tiene rutas con minutos que no son los del traslado:": _true,
    "tiene rutas que rebasan la jornada:": _shift,
    "tiene rutas con demasiadas paradas en un día:": _day_stops,
    "tiene rutas cuya primera parada está demasiado lejos de la base:": _first,
    "tiene rutas con paradas seguidas demasiado lejos entre sí:": _between,
    "tiene rutas con más noches fuera que las permitidas:": _nights,
    "tiene rutas con salidas más largas que una semana:": _weeks,
    "tiene rutas que no caben en los días de trabajo del mes:": _month,
    "tiene rutas con demasiadas paradas:": _stops,
    "tiene rutas con demasiadas personas:": _people,
    "tiene rutas ampliadas que no conservan las visitas de hoy:": _kept,
}
