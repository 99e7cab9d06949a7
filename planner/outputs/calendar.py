"""The calendar of the chosen circuits: one table by day and leg, told as CSV and as an iCalendar that repeats."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd
from icalendar import Calendar, Event, vText

from planner import columns, schema
from planner.access.rules import chosen_options
from planner.decide.calendar import dates, schedule, week_days
from planner.model import Option, Plan, Region
from planner.settings import Scenario
from planner.words import KINDS

DAY_STARTS = time(8)  # when every team sets out, as the fields' meanings say
_WEEKS = 4  # after which the month repeats
_STAMP = datetime(2000, 1, 1, tzinfo=UTC)  # equal runs give equal bytes
_TYPES = {"text": "str", "int": "int64", "float": "float64", "bool": "bool"}


def calendar_files(region: Region, plan: Plan, scenario: Scenario) -> dict[str, bytes]:
    """calendario.csv and calendario.ics of a run: a header alone and an empty calendar where no circuit is chosen."""
    table = team_calendar(region, plan, scenario)
    return {"calendario.csv": calendar_csv(table).encode(), "calendario.ics": calendar_ics(table, region, scenario)}


def team_calendar(region: Region, plan: Plan, scenario: Scenario) -> pd.DataFrame:
    """Each leg of each visit of the chosen circuits: the columns of schema.CALENDAR, sorted by route, day and order.

    Hours are local and told to the minute. DataError if the table breaks its declaration.
    """
    months = [_month(o, region, scenario) for o in chosen_options(plan) if o.days]
    names = [c.name for c in schema.CALENDAR.all()]
    table = pd.concat(months, ignore_index=True) if months else pd.DataFrame(columns=names)
    table = table[names].astype({c.name: _TYPES[c.kind] for c in schema.CALENDAR.all()})
    columns.check(schema.CALENDAR, table, "Calendario")
    return table.sort_values(["route", "day", "order"], ignore_index=True)


def calendar_csv(table: pd.DataFrame) -> str:
    """The calendar with Spanish names, plain UTF-8, comma, LF; nothing where there is no stop."""
    told = table.assign(night_out=table["night_out"].map({True: "true", False: "false"}))
    return told.rename(columns=columns.export_names(schema.CALENDAR)).to_csv(index=False, lineterminator="\n", float_format="%.12g")


def calendar_ics(table: pd.DataFrame, region: Region, scenario: Scenario) -> bytes:
    """The calendar as RFC 5545: an event per leg, from setting out to the end of the stay; it repeats every four weeks, local time."""
    told = Calendar()
    told.add("prodid", "-//planner//calendario de rutas//ES")
    told.add("version", "2.0")
    told.add("x-wr-calname", vText(f"Rutas de {region.name}, escenario {scenario.name}" + (" (SINTÉTICA)" if region.synthetic else "")))
    places = pd.concat([region.localities[["name", "lon", "lat"]], region.units[["name", "lon", "lat"]]])
    where = places.to_dict("index")
    for row in table.assign(before=_worked_before(table)).to_dict("records"):
        told.add_component(_event(row, where, f"{region.slug}.{scenario.name}"))
    return bytes(told.to_ical())


def _month(option: Option, region: Region, scenario: Scenario) -> pd.DataFrame:
    legs = schedule(option, scenario)
    cvegeo = legs["to_id"].where(legs["to_id"] != option.place).astype("str")
    week = (legs["day"] - 1) // week_days(scenario.working_days_month) + 1
    legs = legs.assign(
        route=option.id, kind=option.kind, clues=option.place, base=region.units.at[option.place, "name"], week=week,
        date=[dates(day, scenario).isoformat() for day in legs["day"]], cvegeo=cvegeo,
        locality=cvegeo.map(region.localities["name"]).astype("str"))
    before = _worked_before(legs)
    return legs.assign(**{name: [f"{_hour(date, minutes):%H:%M}" for date, minutes in zip(legs["date"], after, strict=True)]
                          for name, after in (("leaves", before), ("arrives", before + legs["minutes"]))})


def _worked_before(legs: pd.DataFrame) -> pd.Series:
    """Minutes of the team's day that have gone when it sets out on each leg; legs are sorted."""
    worked = legs["minutes"] + legs["stop_min"]
    return pd.Series(worked.groupby([legs["route"], legs["day"]]).cumsum() - worked)


def _hour(day: str, minutes: float) -> datetime:
    """So many minutes after the day starts, to the minute.

    >>> _hour("2026-01-05", 213.333333), _hour("2026-01-05", 1000.0)
    (datetime.datetime(2026, 1, 5, 11, 33), datetime.datetime(2026, 1, 6, 0, 40))
    """
    return datetime.combine(date.fromisoformat(day), DAY_STARTS) + timedelta(minutes=round(minutes))


def _event(row: dict[Any, Any], where: dict[Any, Any], owner: str) -> Event:
    """One leg and the stay after it."""
    arrived = row["before"] + row["minutes"]
    starts, arrives, ends = (_hour(row["date"], after) for after in (row["before"], arrived, arrived + row["stop_min"]))
    home = pd.isna(row["cvegeo"])
    place = where[row["to_id"]]
    stay = "" if home else f", atiende de {arrives:%H:%M} a {ends:%H:%M}"
    event = Event()
    event.add("uid", f"{row['route']}-{row['day']:02d}-{row['order']:02d}@{owner}")
    event.add("dtstamp", _STAMP)
    event.add("dtstart", starts)
    if ends > starts:
        event.add("dtend", ends)
    event.add("rrule", {"freq": "weekly", "interval": _WEEKS})
    event.add("summary", f"{row['base']}: {'regreso a la base' if home else place['name']}")
    event.add("location", place["name"])
    event.add("geo", (round(float(place["lat"]), 6), round(float(place["lon"]), 6)))
    event.add("description", f"{KINDS[row['kind']]} ({row['route']}), visita {row['visit']} del mes, día hábil {row['day']}: sale de "
                             f"{where[row['from_id']]['name']} a las {starts:%H:%M}, {row['minutes']:.0f} min de camino{stay}"
                             f"{'; duerme ahí' if row['night_out'] else ''}.")
    return event
