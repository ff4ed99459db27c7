"""What is read next: whole, once, in order, inside the budget, whatever interrupts it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_meter_reader.meters.backfill import memory
from smart_meter_reader.meters.backfill.budget import UNLIMITED
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.state import LoggerFacts, StoredEntry
from tests.meters.backfill.simulated import BEGIN, KilledError, Reader, SimulatedMeter, costs

DEPTHS = {"month": 36, "day": 460, "hour": 72}
OLD = timedelta(days=800)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def all_of(meter: SimulatedMeter, logger: str, first: int, last: int) -> set[tuple[str, str]]:
    return {(logger, meter.content(entry)) for entry in range(first, last + 1)}


def extent(meter: SimulatedMeter, logger: str, now: object) -> tuple[int, int]:
    found = meter.extent(logger, now)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_months_come_before_days_and_hours_last_each_oldest_first_without_a_budget() -> None:
    meter, reader = SimulatedMeter(DEPTHS, OLD), Reader(UNLIMITED)
    reader.wake_up(meter, BEGIN)
    assert list(dict.fromkeys(window.logger for window in reader.windows)) == ["month", "day", "hour"]
    for logger in DEPTHS:
        own = [window for window in reader.windows if window.logger == logger]
        assert (own[0].first, own[-1].last) == extent(meter, logger, BEGIN)
        assert all(after.first == before.last + 1 for before, after in pairwise(own))
    assert set(reader.stored.values()) == {1}
    assert str(reader.planner.progress(BEGIN)) == ""


def test_on_battery_it_takes_the_days_that_were_told() -> None:
    meter, reader = SimulatedMeter(DEPTHS, OLD), Reader(60.0, every_hour=False)
    reader.wake_up(meter, BEGIN)
    told = str(reader.planner.progress(BEGIN))
    assert told == "days of 9 months and hours of 3 days, about 2 days to go"
    for days in (1, 2):
        assert reader.planner.progress(BEGIN + days * DAY).days > 0 or days == 2
        reader.wake_up(meter, BEGIN + days * DAY)
    assert str(reader.planner.progress(BEGIN + 2 * DAY)) == ""
    assert max(reader.line.values()) <= 60.0


def test_hours_made_since_come_before_what_is_older() -> None:
    meter, reader = SimulatedMeter(DEPTHS, OLD), Reader(30.0)
    reader.wake_up(meter, BEGIN)
    before = len(reader.windows)
    reader.wake_up(meter, BEGIN + DAY)
    # The stored day that is looked at again, the new day, the new hours; only then the older days.
    looked, day, hours, older = reader.windows[before : before + 4]
    assert [each.logger for each in (looked, day, hours, older)] == ["day", "day", "hour", "day"]
    assert looked.checks
    assert (looked.rows, day.rows, hours.rows) == (1, 1, 24)
    assert (day.last, hours.last) == tuple(extent(meter, name, BEGIN + DAY)[1] for name in ("day", "hour"))
    assert older.last < day.first


def test_hours_that_were_read_live_are_not_read_again_but_those_of_an_outage_are() -> None:
    meter, reader = SimulatedMeter(DEPTHS, OLD), Reader(UNLIMITED, every_hour=False)
    reader.wake_up(meter, BEGIN)
    at_first = extent(meter, "hour", BEGIN)
    reader.wake_up(meter, BEGIN + DAY)
    assert {key for key in reader.stored if key[0] == "hour"} == all_of(meter, "hour", *at_first)
    reader.wake_up(meter, BEGIN + 3 * DAY, missed=True)
    last = extent(meter, "hour", BEGIN + 3 * DAY)[1]
    read = all_of(meter, "hour", *at_first) | all_of(meter, "hour", last - 47, last)
    assert {key for key in reader.stored if key[0] == "hour"} == read
    assert set(reader.stored.values()) == {1}


def test_what_the_meter_has_overwritten_is_counted_as_lost() -> None:
    meter, reader = SimulatedMeter({"hour": 72}, OLD), Reader(UNLIMITED)
    reader.wake_up(meter, BEGIN)
    reader.wake_up(meter, BEGIN + 5 * DAY, missed=True)
    assert reader.lost == 5 * 24 - 72


def test_another_meter_gets_a_series_of_its_own_and_one_that_comes_back_goes_on() -> None:
    meter, other = SimulatedMeter({"hour": 72}, OLD), SimulatedMeter({"hour": 72}, timedelta(days=1))
    other.serial = "2"
    reader = Reader(UNLIMITED)
    reader.wake_up(meter, BEGIN)
    reader.wake_up(other, BEGIN + HOUR)
    assert len(reader.stored) == 72 + 25
    reader.wake_up(meter, BEGIN + 2 * HOUR)
    assert len(reader.stored) == 72 + 25 + 2
    assert set(reader.stored.values()) == {1}


@pytest.mark.parametrize("grown", [5 * HOUR, 100 * DAY], ids=["lower ids", "higher ids of other content"])
def test_ids_that_begin_anew_are_a_new_series(grown: timedelta) -> None:
    meter, reader = SimulatedMeter({"hour": 960}, timedelta(hours=200)), Reader(UNLIMITED)
    reader.wake_up(meter, BEGIN)
    meter.replace("1", BEGIN + HOUR)
    now = BEGIN + HOUR + grown
    reader.wake_up(meter, now, missed=True)
    first, last = extent(meter, "hour", now)
    assert all_of(meter, "hour", first, last) <= set(reader.stored)


def test_an_empty_logger_is_looked_at_again_and_read_when_it_has_something() -> None:
    meter, reader = SimulatedMeter({"day": 460}, timedelta(hours=5)), Reader(60.0)
    reader.wake_up(meter, BEGIN)
    assert not reader.windows
    reader.wake_up(meter, BEGIN + DAY)
    assert len(reader.stored) == 1


def test_a_window_that_fails_is_halved_until_the_one_entry_is_given_up() -> None:
    planner = Planner(costs)
    planner.meet("1", BEGIN)
    planner.learn({"hour": LoggerFacts(72)})
    planner.note_extent("hour", (0, 71), BEGIN)
    bad, tries, read = 13, 0, set()
    while (window := planner.next_window(BEGIN)) is not None:
        tries += 1
        if window.first <= bad <= window.last:
            assert planner.failed(window) == (window.rows == 1)
        else:
            read |= set(range(window.first, window.last + 1))
            planner.done(window, StoredEntry(window.last, "x"))
    assert read == set(range(72)) - {bad}
    assert tries < 40


def test_a_meter_without_loggers_is_left_alone() -> None:
    planner = Planner(costs)
    planner.meet("1", BEGIN)
    planner.learn({})
    assert planner.loggers == {}
    planner.note_missed()
    assert planner.looks_due(BEGIN) == []
    assert planner.next_window(BEGIN) is None


def test_a_logger_that_refuses_keeps_no_other_waiting() -> None:
    meter, reader = SimulatedMeter(DEPTHS, OLD), Reader(UNLIMITED)
    reader.planner.meet("1", BEGIN)
    reader.planner.learn(meter.facts)
    reader.planner.failures.refuse("month", BEGIN)
    reader.wake_up(meter, BEGIN)
    assert {window.logger for window in reader.windows} == {"day", "hour"}
    reader.wake_up(meter, BEGIN + DAY)
    assert "month" in {window.logger for window in reader.windows}


def test_hours_of_an_outage_are_read_when_their_logger_no_longer_refuses() -> None:
    meter, reader = SimulatedMeter({"hour": 960}, OLD), Reader(UNLIMITED, every_hour=False)
    reader.wake_up(meter, BEGIN)
    reader.planner.failures.refuse("hour", BEGIN + 2 * DAY)
    reader.wake_up(meter, BEGIN + 2 * DAY, missed=True)
    seen, outage = (extent(meter, "hour", BEGIN + days * DAY)[1] for days in (0, 2))
    assert not all_of(meter, "hour", seen + 1, outage) & reader.stored.keys()
    reader.wake_up(meter, BEGIN + 3 * DAY)
    assert all_of(meter, "hour", seen + 1, outage) <= reader.stored.keys()


def test_answers_are_asked_for_as_large_as_they_turned_out_to_be() -> None:
    meter, reader = SimulatedMeter({"day": 460}, OLD), Reader(60.0)
    reader.planner.meet("1", BEGIN)
    reader.planner.learn(meter.facts)
    reader.planner.note_extent("day", (340, 799), BEGIN)
    reader.planner.note_page("day", 14, limited=True)
    window = reader.planner.next_window(BEGIN)
    assert window is not None
    assert window.rows % 14 == 0
    assert window.seconds == costs("day", LoggerFacts(460)).rows(window.rows, 14)


_MOMENTS = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(["", "reserved", "sent", "read", "stored", "done"])),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(_MOMENTS, st.sampled_from([12.0, 60.0, UNLIMITED]))
def test_no_interruption_leaves_a_hole_or_costs_more_than_the_budget(
    wake_ups: list[tuple[int, str]], daily: float
) -> None:
    meter, reader = SimulatedMeter({"month": 36, "day": 40, "hour": 960}, OLD), Reader(daily)
    now, kills = BEGIN, 0
    first = {logger: extent(meter, logger, now)[0] for logger in meter.depths}
    for hours, killed_at in wake_ups:

        def at(point: str, killed_at: str = killed_at) -> None:
            if point == killed_at:
                raise KilledError

        reader.at = at
        try:
            reader.wake_up(meter, now, missed=True)
        except KilledError:
            kills += 1
            reader.restart()
        now += hours * HOUR
    reader.at = lambda point: None
    assert max(reader.line.values(), default=0.0) <= daily + 1e-9
    now += DAY
    reader.planner.daily = reader.daily = UNLIMITED
    reader.wake_up(meter, now, missed=True)
    for logger in meter.depths:
        oldest, newest = extent(meter, logger, now)
        # Nobody looks for a new month every day.
        seen = newest if logger != "month" else (reader.planner.loggers or {})["month"].covered
        assert all_of(meter, logger, max(first[logger], oldest), seen) <= set(reader.stored)
    # Read again only what was not known to be stored when the process ended.
    assert max(reader.stored.values()) <= 1 + kills
    if not kills:
        assert set(reader.stored.values()) == {1}


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=12))
def test_inside_of_what_is_missing_windows_come_in_the_order_of_time(
    outages: list[tuple[int, int]],
) -> None:
    meter, reader = SimulatedMeter({"hour": 960}, timedelta(days=20)), Reader(25.0)
    now = BEGIN
    for hours, more in outages:
        reader.wake_up(meter, now, missed=True)
        now += timedelta(hours=hours, minutes=more)
        news = [window for window in reader.windows if window.first > extent(meter, "hour", BEGIN)[1]]
        assert [window.first for window in news] == sorted(window.first for window in news)


def knowing_info(oldest: int, newest: int, events: int = 7) -> Planner:
    planner = Planner(costs)
    planner.meet("1", BEGIN)
    planner.learn({"info": LoggerFacts(50)})
    assert planner.looks_due(BEGIN, events=events) == ["info"]
    planner.note_extent("info", (oldest, newest), BEGIN, events=events)
    return planner


def test_the_info_logger_is_looked_at_when_the_count_is_another_one_and_only_then() -> None:
    planner = knowing_info(1, 7)
    planner.note_missed()
    for events in (7, None):
        assert planner.looks_due(BEGIN + 400 * DAY, events=events) == []
    assert planner.looks_due(BEGIN, events=8) == ["info"]
    # That it has fallen is news too: the meter was reset.
    assert planner.looks_due(BEGIN, events=2) == ["info"]


def test_what_is_left_of_it_is_read_after_a_restart_too() -> None:
    again = Planner(costs)
    memory.recall(again, memory.encode(knowing_info(1, 7)))
    assert again.next_window(BEGIN) is None, "it is looked at first"
    again.note_missed()
    assert again.looks_due(BEGIN, events=None) == []
    assert again.looks_due(BEGIN, events=7) == ["info"]


def test_an_entry_of_it_is_read_with_the_one_before_where_there_is_one() -> None:
    planner = knowing_info(11, 40)
    first = planner.next_window(BEGIN)
    assert first is not None
    assert (first.first, first.joins, first.wanted) == (11, False, (11, first.last))
    planner.done(first, StoredEntry(first.last, "x"))
    second = planner.next_window(BEGIN)
    assert second is not None
    assert (second.first, second.joins, second.wanted[0]) == (first.last, True, first.last + 1)
    # Where only one entry at a time can be read, that one is not read for ever.
    while second.rows > 1:
        planner.failed(second)
        second = planner.next_window(BEGIN)
        assert second is not None
    assert (second.first, second.joins) == (first.last + 1, False)
    assert planner.failed(second)
    third = planner.next_window(BEGIN)
    assert third is not None
    assert third.wanted[0] == first.last + 2


@given(st.floats(2.0, 30), st.integers(1, 20))
def test_every_entry_of_it_is_wanted_once_whatever_a_day_allows(daily: float, page: int) -> None:
    planner = knowing_info(3, 60)
    planner.note_page("info", page, limited=True)
    found: list[int] = []
    for _ in range(400):
        window = planner.next_window(BEGIN, daily)
        if window is None:
            break
        assert window.seconds <= daily
        found += range(window.wanted[0], window.wanted[1] + 1)
        planner.done(window, StoredEntry(window.last, "x"))
    assert found in ([], list(range(3, 61)))
