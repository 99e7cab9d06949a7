"""The calendar: worked out by hand, the same in table, CSV, iCalendar and layer, and empty where nothing travels."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import icalendar
import numpy as np
import pandas as pd
import pytest
import valley

from planner import schema
from planner.model import Day
from planner.outputs.calendar import calendar_csv, calendar_ics, team_calendar
from planner.outputs.folder import write_run
from planner.outputs.layers import layers
from planner.settings import Scenario

A, B, C, D, E, F = valley.PLACES
ONE, TWO, MOBILE, HOSPITAL = valley.FACILITIES
UMM = f"umm-{TWO}-1"
# Two nights out, two stops on the second day, home on the third; then a day of its own.
NIGHTS = (Day((F,), (60.25,)), Day((D, B), (20.0, 40.0)), Day((), (50.5,)), Day((A,), (12.0, 12.4)))


def brigade(run: Any, days: tuple[Day, ...] = NIGHTS, visits: float = 2.0) -> Any:
    """The run with a brigade from unit one beside its circuit."""
    option = replace(run.plan.options[1], id="brigada-1", kind="brigada", place=ONE, name="Unidad uno", days=days, visits_month=visits,
                     stops=tuple(stop for day in days for stop in day.stops))
    run.plan = replace(run.plan, options=(*run.plan.options, option), chosen=(*run.plan.chosen, "brigada-1"))
    return run


def table(run: Any) -> pd.DataFrame:
    return team_calendar(run.region, run.plan, run.scenario)


def events(run: Any) -> list[Any]:
    return list(icalendar.Calendar.from_ical(calendar_ics(table(run), run.region, run.scenario)).walk("VEVENT"))


def test_a_month_by_hand(run: Any) -> None:
    """Two days, twice a month: the second visit comes ten working days, that is two weeks, after the first."""
    told = table(run)
    assert told.columns.tolist() == [c.name for c in schema.CALENDAR.all()]
    assert told["date"].tolist() == [d for d in ("2026-01-05", "2026-01-06", "2026-01-19", "2026-01-20") for _ in range(2)]
    assert told["day"].tolist() == [1, 1, 2, 2, 11, 11, 12, 12]
    assert told["week"].tolist() == [1] * 4 + [3] * 4
    assert told["visit"].tolist() == [1] * 4 + [2] * 4
    first = ["trip", "order", "from_id", "to_id", "leaves", "arrives", "minutes", "stop_min", "night_out"]
    assert told.loc[:3, first].to_numpy().tolist() == [
        [1, 1, TWO, E, "08:00", "08:33", 100 / 3, 180.0, False], [1, 2, E, TWO, "11:33", "12:03", 30.0, 0.0, False],
        [2, 1, TWO, B, "08:00", "08:07", 7.25, 180.0, False], [2, 2, B, TWO, "11:07", "11:15", 8.0, 0.0, False]]
    assert told.loc[4:, first].to_numpy().tolist() == told.loc[:3, first].to_numpy().tolist()
    assert told["cvegeo"].fillna("").tolist() == [E, "", B, ""] * 2
    assert told["locality"].fillna("").tolist() == ["E", "", "B", ""] * 2
    assert (told[["route", "kind", "clues", "base"]] == [UMM, "umm", TWO, "Unidad dos"]).all(axis=None)


def test_nights_out_are_told_where_they_are_spent(run: Any) -> None:
    told = table(brigade(run)).query("route == 'brigada-1' and visit == 1")
    assert told[["from_id", "to_id", "leaves", "arrives", "stop_min", "night_out"]].to_numpy().tolist() == [
        [ONE, F, "08:00", "09:00", 180.0, True], [F, D, "08:00", "08:20", 180.0, False], [D, B, "11:20", "12:00", 180.0, True],
        [B, ONE, "08:00", "08:50", 0.0, False], [ONE, A, "08:00", "08:12", 180.0, False], [A, ONE, "11:12", "11:24", 0.0, False]]
    assert told["trip"].tolist() == [1, 1, 1, 1, 2, 2]
    assert told["week"].nunique() == 1


@pytest.mark.parametrize(("visits", "days"), [(1.0, 20), (2.0, 20), (4.0, 20), (2.0, 17)])
def test_nobody_is_in_two_places_and_every_stop_is_visited_as_promised(run: Any, visits: float, days: int) -> None:
    run.scenario = Scenario(working_days_month=days)
    told = table(brigade(run, visits=visits))
    rounds = {"brigada-1": (ONE, (F, D, B, A), visits), UMM: (TWO, (E, B), 2.0)}
    for route, (base, stops, times) in rounds.items():
        legs = told[told["route"] == route]
        assert legs["cvegeo"].dropna().value_counts().to_dict() == dict.fromkeys(stops, int(times))
        here, last, in_week, worked = base, 0, 0, 0.0
        for leg in legs.itertuples():
            assert leg.from_id == here
            worked = worked if leg.day == last else 0.0
            assert leg.leaves == f"{datetime(2026, 1, 1, 8) + timedelta(minutes=round(worked)):%H:%M}"
            worked += leg.minutes + leg.stop_min
            assert worked <= run.scenario.shift_hours * 60
            assert last <= leg.day <= days
            if here != base and leg.day != last:  # slept out: the next day, of the same week
                assert (leg.day, leg.week) == (last + 1, in_week)
            assert date.fromisoformat(leg.date).weekday() < 5
            here, last, in_week = leg.to_id, leg.day, leg.week
        assert here == base


def test_the_csv_is_the_table_with_spanish_names(run: Any) -> None:
    text = calendar_csv(table(brigade(run)))
    assert text.splitlines()[0] == ("ruta,tipo,clues,base,fecha,dia_habil,semana,visita,salida,orden,de,a,cvegeo,nom_loc,hora_salida,"
                                    "hora_llegada,minutos,minutos_parada,pernocta")
    read = pd.read_csv(StringIO(text), dtype={"cvegeo": "str", "de": "str", "a": "str"})
    told = table(run)
    assert read["fecha"].tolist() == told["date"].tolist()
    assert read["pernocta"].tolist() == told["night_out"].tolist()
    np.testing.assert_allclose(read["minutos"], told["minutes"], rtol=1e-11)
    assert read["cvegeo"].fillna("").tolist() == told["cvegeo"].fillna("").tolist()
    assert "\r" not in text


def test_the_icalendar_has_the_same_legs_and_repeats_every_four_weeks(run: Any) -> None:
    told, made = table(brigade(run)), events(run)
    assert len(made) == len(told)
    for row, event in zip(told.itertuples(), made, strict=True):
        starts, ends = event["DTSTART"].dt, event["DTEND"].dt
        assert starts.tzinfo is None  # floating: eight o'clock wherever one is
        assert (f"{starts:%Y-%m-%d}", f"{starts:%H:%M}") == (row.date, row.leaves)
        assert f"{ends - timedelta(minutes=row.stop_min):%H:%M}" == row.arrives
        assert event["RRULE"] == {"FREQ": ["WEEKLY"], "INTERVAL": [4]}
        place = run.region.localities.loc[row.cvegeo] if pd.notna(row.cvegeo) else run.region.units.loc[row.to_id]
        assert event["LOCATION"] == place["name"]
        assert (event["GEO"].latitude, event["GEO"].longitude) == pytest.approx((place["lat"], place["lon"]), abs=1e-6)
        assert ("duerme ahí" in event["DESCRIPTION"]) == row.night_out
    assert len({str(event["UID"]) for event in made}) == len(made)
    assert made[0]["SUMMARY"] == "Unidad uno: F"
    assert made[3]["SUMMARY"] == "Unidad uno: regreso a la base"
    assert "sale de Unidad uno a las 08:00, 60 min de camino, atiende de 09:00 a 12:00; duerme ahí." in made[0]["DESCRIPTION"]


def test_the_layer_tells_the_days_of_the_calendar(run: Any) -> None:
    told = table(run)
    routes = layers(run.region, run.travel, run.outcome, run.plan, run.scenario)["rutas"]
    for row in routes.itertuples():
        mine = told[(told["route"] == row.ruta) & (told["from_id"] == row.de) & (told["to_id"] == row.a)]
        assert row.dias == ", ".join(map(str, mine["day"]))
        assert set(mine["stop_min"]) == {row.min_parada}


def test_a_long_day_runs_into_the_night(run: Any) -> None:
    run.scenario = Scenario(shift_hours=24.0, stop_hours_min=15.9)
    told, made = table(run), events(run)
    assert told["leaves"].tolist()[1] == "00:27"  # 8:00 and 33.33 minutes and 15.9 hours
    assert made[1]["DTSTART"].dt == datetime(2026, 1, 6, 0, 27)


def test_a_leg_of_no_time_has_no_end_of_its_own(run: Any) -> None:
    made = events(brigade(run, (Day((C,), (0.0, 0.0)),)))
    assert "DTEND" in made[0]
    assert "DTEND" not in made[1]


def test_names_stay_text_in_csv_and_calendar(run: Any) -> None:
    name = 'El "Cerro", La Mesa; DTEND:\n2026\u2028ñandú'
    run.region = replace(run.region, localities=run.region.localities.assign(name=name))
    assert pd.read_csv(StringIO(calendar_csv(table(run))))["nom_loc"].dropna().unique().tolist() == [name]
    assert str(events(run)[0]["LOCATION"]) == name


def test_without_circuits_there_is_a_header_and_an_empty_calendar(run: Any, tmp_path: Path) -> None:
    run.plan = replace(run.plan, chosen=(), served=run.plan.served.iloc[:0])
    run.outcome = replace(run.outcome, proposals=run.outcome.proposals.iloc[:0])
    assert calendar_csv(table(run)).count("\n") == 1
    assert table(run).dtypes.astype(str).tolist() == table(brigade(run)).dtypes.astype(str).tolist()
    run.plan = replace(run.plan, chosen=())
    run.explained = run.explained.reindex([o.id for o in run.plan.options]).ffill()  # the brigade's option has come to the others
    assert events(run) == []
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared" / "manifest.json").write_text("{}")
    write_run(tmp_path / "run", run, tmp_path / "prepared", elapsed_s=0)
    assert (tmp_path / "run" / "calendario.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")


def test_shuffled_options_make_the_same_bytes(run: Any) -> None:
    first = calendar_ics(table(brigade(run)), run.region, run.scenario), calendar_csv(table(run))
    run.plan = replace(run.plan, options=run.plan.options[::-1], chosen=run.plan.chosen[::-1])
    assert (calendar_ics(table(run), run.region, run.scenario), calendar_csv(table(run))) == first
