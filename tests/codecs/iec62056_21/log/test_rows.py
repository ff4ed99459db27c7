"""When each row ended: hours that bear a date only, and rows while a sensor was broken."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from smart_meter_reader.codecs.iec62056_21.log.rows import TimedTable, end_of, measure_row, time_table
from smart_meter_reader.codecs.iec62056_21.log.table import parse_log
from smart_meter_reader.codecs.iec62056_21.message import ShortLine
from smart_meter_reader.meters.iec62056_21.log.emulated import STARTED
from tests.codecs.iec62056_21.log.test_table import PROGRAM, parsed, sent

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
    assert timed(sent("#7"), None).untimed == 960


def test_a_day_with_an_hour_too_many_is_left_out() -> None:
    lines = sent("#7")
    table = timed([*lines[:30], lines[30], *lines[30:-1]], STARTED)
    assert table.untimed == 25
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


@pytest.mark.parametrize(
    ("info", "lost"),
    [(0, set()), (4, {"return_temperature_average_day"}), (8, {"flow_temperature_average_day"})],
)
def test_a_mean_of_a_broken_sensor_is_none(info: int, lost: set[str]) -> None:
    line = sent("#6")[0]
    table = parse_log("#6", [ShortLine(f"{line[:-8]}{info:07d} ".encode())])
    both = {"flow_temperature_average_day", "return_temperature_average_day"}
    assert measure_row(table, table.lines[0], PROGRAM).keys() == (both - lost) | {"info_code"}
