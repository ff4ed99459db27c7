"""When each row ended: hours that bear a date only, and rows while a sensor was broken."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.iec62056_21.log.rows import (
    TimedTable,
    added_in,
    end_of,
    growth_of,
    marks_of,
    measure_row,
    meter_time,
    time_table,
)
from smart_meter_reader.codecs.iec62056_21.log.table import parse_log
from smart_meter_reader.codecs.iec62056_21.message import ShortLine
from smart_meter_reader.codecs.iec62056_21.multical import ShortAnswer
from smart_meter_reader.meters.iec62056_21.log.emulated import STARTED, log_lines
from tests.codecs.iec62056_21.log.test_table import COUNTERS, PROGRAM, parsed, sent

HOUR = timedelta(hours=1)
FULL = STARTED.replace(minute=0, second=0)


def timed(lines: list[str], clock: datetime | None) -> TimedTable:
    return time_table(parsed("#7", lines), clock)


def test_the_newest_hour_ended_at_the_last_full_one() -> None:
    table = timed(sent("#7"), STARTED)
    assert [entry.at for entry in table.lines] == [FULL - HOUR * place for place in range(960)]
    assert not table.untimed


def test_hours_that_bear_the_date_of_their_end() -> None:
    """The hour from 23 to 24 then is the first of the next day's 24."""
    ends = [FULL - HOUR * place for place in range(960)]
    lines = [f"0{end:%y%m%d}{line[7:]}" for end, line in zip(ends, sent("#7"), strict=True)]
    assert [entry.at for entry in timed(lines, STARTED).lines] == ends


@pytest.mark.parametrize("hours", [-2, -1, 1, 2, 24, 48])
def test_hours_that_do_not_fit_the_clock_have_no_time(hours: int) -> None:
    table = timed(sent("#7"), STARTED + HOUR * hours)
    # Ahead by one, the hour from 23 to 24 could bear either date: then the clock alone decides, rightly or
    # not; whoever reads keeps away from the turn of the hour.
    if hours == -1:
        assert table.lines[0].at == FULL - HOUR
        return
    assert not table.lines
    assert table.untimed == 960
    assert table.told


def test_without_a_clock_hours_have_no_time() -> None:
    table = timed(sent("#7"), None)
    assert (table.lines, table.untimed) == ((), 960)
    assert table.told == ("the hours bear no time, and the meter's clock is not known",)


@pytest.mark.parametrize("clock", [None, STARTED])
def test_of_no_hours_nothing_is_told(clock: datetime | None) -> None:
    assert timed([], clock) == TimedTable(())


def test_a_young_meter_has_hours_of_today_only() -> None:
    assert [entry.at for entry in timed(sent("#7")[:18], STARTED).lines] == [
        FULL - HOUR * place for place in range(18)
    ]


def test_after_midnight_no_hour_of_today_is_over() -> None:
    midnight = STARTED.replace(hour=0)
    table = timed(log_lines("#7", COUNTERS, midnight, 60_017), midnight)
    assert table.lines[0].at == midnight.replace(minute=0, second=0)
    assert table.untimed == 0


@pytest.mark.parametrize("hour", [1, 22, 23])
def test_at_any_hour_the_newest_ended_at_the_last_full_one(hour: int) -> None:
    clock = STARTED.replace(hour=hour)
    table = timed(log_lines("#7", COUNTERS, clock, 60_017), clock)
    assert table.lines[0].at == clock.replace(minute=0, second=0)
    assert (table.untimed, len(table.lines)) == (0, 960)


def test_where_yesterdays_newest_hour_is_missing_today_is_not_known_to_be_whole() -> None:
    lines = sent("#7")
    lines[18] = "x"
    table = timed(lines, STARTED)
    assert (table.lines, table.untimed) == ((), 959)
    assert table.told == ("18 hours of today do not fit the meter's clock, 18:04: no hour has a time",)


@pytest.mark.parametrize(("missing", "timed_hours"), [(18 + 24, 18 + 24), (18 + 24 + 3, 18 + 24 + 3)])
def test_the_oldest_day_may_be_cut_at_its_end_and_not_at_its_begin(missing: int, timed_hours: int) -> None:
    """A table ends anywhere in its last day, so that nothing tells how many lines of it a damaged one was."""
    lines = sent("#7")[: 18 + 24 + 10]
    lines[missing] = "x"
    table = timed(lines, STARTED)
    assert [entry.at for entry in table.lines] == [FULL - HOUR * place for place in range(timed_hours)]
    assert table.untimed == 9 - (timed_hours - 42)
    assert len(table.told) == 1


@pytest.mark.parametrize("place", [25, 950, 955])
def test_two_lines_that_came_as_one_move_no_other(place: int) -> None:
    """Where the CR between them was lost."""
    lines = sent("#7")
    times = {line: FULL - HOUR * number for number, line in enumerate(lines)}
    table = timed([*lines[:place], lines[place] + lines[place + 1], *lines[place + 2 :]], STARTED)
    for entry in table.lines:
        line = " ".join(entry.line.fields.values()) + " "
        assert entry.at == times[line]


def test_hours_of_tomorrow_fit_no_clock() -> None:
    assert timed(sent("#7"), STARTED - 24 * HOUR).lines == ()


def test_a_day_with_an_hour_too_many_is_left_out() -> None:
    lines = sent("#7")
    table = timed([*lines[:30], lines[30], *lines[30:-1]], STARTED)
    assert table.untimed == 25
    day = (FULL - HOUR * 19).date()
    assert table.told == (f"{day.isoformat()} has not 24 hours: nothing tells which is which",)
    assert {entry.at for entry in table.lines} == {FULL - HOUR * place for place in range(959)} - {
        FULL - HOUR * place for place in range(18, 42)
    }


def test_a_line_that_is_missing_moves_no_other() -> None:
    lines = sent("#7")
    lines[25] = "x"
    assert [entry.at for entry in timed(lines, STARTED).lines] == [
        FULL - HOUR * place for place in range(960) if place != 25
    ]


def test_the_date_of_a_day_means_its_end() -> None:
    table = time_table(parsed("#6", sent("#6")))
    assert table.lines[0].at == datetime(2017, 10, 28)  # noqa: DTZ001 - by the meter's clock
    assert end_of(table.lines[0].line.day) == table.lines[0].at


FLOW, THIRD, RETURN = (
    f"{name}_average_day" for name in ("flow_temperature", "temperature_t3", "return_temperature")
)
ALL = {FLOW, THIRD, RETURN}


@pytest.mark.parametrize(
    ("info", "lost"),
    [
        # 5511-634, info codes: 4 and 8 are t2 and t1 of which there is one too many or none, 32 is t3.
        (0, set()),
        (4, {RETURN}),
        (8, {FLOW}),
        (12, {FLOW, RETURN}),
        (32, {THIRD}),
        (44, ALL),
        (1 + 2 + 16 + 64, set()),
    ],
)
def test_a_mean_of_a_broken_sensor_is_none(info: int, lost: set[str]) -> None:
    assert means(info=info) == ALL - lost


@pytest.mark.parametrize(("t3", "is_there"), [(19999, True), (20000, False), (21920, False)])
def test_a_sensor_that_is_not_there_shows_an_impossible_temperature(t3: int, is_there: bool) -> None:
    """KenanV's 66-C without a third one shows 219.2 °C, and no info code."""
    assert means(t3=t3) == (ALL if is_there else ALL - {THIRD})


def means(*, info: int = 0, t3: int = 4500) -> set[str]:
    fields = sent("#6")[0].split(" ")
    assert (fields[9], fields[11]) == ("21920", "0000000")
    fields[9], fields[11] = f"{t3:05d}", f"{info:07d}"
    table = parse_log("#6", [ShortLine(" ".join(fields).encode())])
    measured = measure_row(table, table.lines[0], PROGRAM)
    assert measured.pop("info_code") == {"value": info, "unit": ""}
    return set(measured)


def test_what_was_added_is_no_reading_and_readings_are_not_added() -> None:
    days, months = parsed("#6", sent("#6")), parsed("#5", sent("#5"))
    assert added_in(days, days.lines[0], PROGRAM) == {
        "heat_energy": {"value": Decimal("0.108"), "unit": "MWh"},
        "mass": {"value": Decimal("2.72"), "unit": "t"},
        "mass_2": {"value": Decimal("0.00"), "unit": "t"},
    }
    assert added_in(months, months.lines[0], PROGRAM) == {}
    assert measure_row(months, months.lines[0], PROGRAM).keys() == {
        "heat_energy",
        "volume",
        "power_maximum_month",
    }


def test_events_bear_their_own_time() -> None:
    events = parsed("#J", sent("#J"))
    assert [entry.at for entry in time_table(events).lines] == [line.moment for line in events.lines]


CALENDAR = {"calendar": "0171028", "clock_or_target": "0180419"}


@pytest.mark.parametrize(
    ("fields", "time"),
    [
        (CALENDAR, STARTED),
        ({**CALENDAR, "calendar": "0171301"}, None),
        ({**CALENDAR, "clock_or_target": "0240000"}, None),
        ({"calendar": "0171028"}, None),
        ({"clock_or_target": "0180419"}, None),
    ],
)
def test_the_clock_of_a_meter_that_tells_it(fields: dict[str, str], time: datetime | None) -> None:
    assert meter_time(ShortAnswer("#D", fields)) == time


def test_growth_and_marks_are_what_the_columns_say() -> None:
    days, months = (time_table(parsed(name, sent(name))).lines for name in ("#6", "#5"))
    grown = growth_of(days, "day", "energy_E1_E2", 3)
    assert (grown[0].ends, grown[0].lasts, grown[0].added) == (days[0].at, 24 * HOUR, Decimal("0.108"))
    assert growth_of(days, "hour", "mass1", 2)[0].lasts == HOUR
    marks = marks_of(months, 3)
    assert [mark.at for mark in marks] == [month.at for month in months]
    assert marks[0].counter == Decimal(months[0].line.fields["energy"]).scaleb(-3)
