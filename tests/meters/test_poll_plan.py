"""Which registers are due when: schedules, groups, what the meter lacks, counts of a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.meters.kmp.absences import Absences
from smart_meter_reader.meters.poll_plan import Group, LastDay, Plan, Spacing
from smart_meter_reader.settings.schedule import Schedule

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def plan(*groups: tuple[tuple[int, ...], str]) -> Plan:
    return Plan([Group(registers, Schedule.parse(text)) for registers, text in groups])


def hourly(_register: int) -> timedelta:
    return HOUR


def test_everything_is_due_at_first() -> None:
    fresh = plan(((60, 68), "1h"), ((139, 143), "1d"))
    assert fresh.next_due(START) == START
    assert fresh.registers_due(START) == [60, 68, 139, 143]


def test_groups_follow_their_own_intervals_and_merge_when_due_together() -> None:
    groups = plan(((60, 68), "1h"), ((139, 60), "2h"))
    seen = []
    now = START
    for _ in range(5):
        seen.append(groups.registers_due(now))
        groups.mark_read(now)
        now = groups.next_due(now)
    assert seen == [[60, 68, 139], [60, 68], [60, 68, 139], [60, 68], [60, 68, 139]]


def test_an_interval_does_not_drift_by_the_time_a_reading_takes() -> None:
    groups = plan(((60,), "1h"))
    groups.mark_read(START)
    groups.mark_read(START + HOUR + timedelta(seconds=2))
    assert groups.next_due(START + HOUR + MINUTE) == START + 2 * HOUR


def test_what_was_missed_is_not_caught_up() -> None:
    groups = plan(((60,), "1h"))
    groups.mark_read(START)
    late = START + 10 * HOUR + MINUTE
    assert groups.next_due(late) == late
    groups.mark_read(late)
    assert groups.next_due(late) == late + HOUR


def test_wall_clock_minutes_are_kept() -> None:
    groups = plan(((60,), "at :59"))
    groups.mark_read(START)
    due = groups.next_due(START)
    assert due.astimezone().minute == 59
    # Half a minute early (read together with another group) does not mean twice.
    early = due - timedelta(seconds=20)
    assert groups.registers_due(early) == [60]
    groups.mark_read(early)
    assert groups.next_due(early) == due + HOUR


def test_a_clock_put_back_does_not_stop_the_readings() -> None:
    groups = plan(((60,), "1h"))
    groups.mark_read(START)
    before = START - timedelta(days=30)
    assert groups.next_due(before) == before + HOUR


JUMPS = [sign * size for size in (HOUR, 24 * HOUR, 365 * 24 * HOUR) for sign in (1, -1)]


def readings_of(
    text: str, jump: timedelta, after: timedelta, whole: timedelta
) -> list[tuple[timedelta, datetime]]:
    """When a plan of one group is read, as time that has truly passed and by a clock that jumps."""
    groups = plan(((60,), text))
    passed, read = timedelta(0), []
    while passed < whole:
        now = START + passed + (jump if passed >= after else timedelta(0))
        due = groups.next_due(now)
        if due == now:
            assert groups.registers_due(now) == [60]
            groups.mark_read(now)
            read.append((passed, now))
        passed += min(max(due - now, timedelta(seconds=1)), timedelta(seconds=30))
    return read


@pytest.mark.parametrize("jump", JUMPS, ids=str)
@pytest.mark.parametrize("text", ["at :59", "at :00,:20,:40", "at :58,:59", "daily 06:00,18:00", "1h"])
@pytest.mark.parametrize(
    "after", [timedelta(hours=5, minutes=10), timedelta(hours=6, minutes=58, seconds=50)], ids=str
)
def test_whatever_the_clock_does_the_readings_go_on_by_it(
    text: str, jump: timedelta, after: timedelta
) -> None:
    period = Schedule.parse(text).period
    read = readings_of(text, jump, after, after + 2 * period)
    for (earlier, _), (later, _) in pairwise(read):
        # Never later than a period, an hour more when summer time ends; and nothing is caught up in a row.
        assert later - earlier <= period + HOUR + MINUTE
    times = [now for passed, now in read if passed > after]
    assert times
    # The first one may have been due for long; the others come at their times, each once.
    for now in times[1:]:
        if not text.endswith("h"):
            local = (now + timedelta(seconds=1)).astimezone()
            assert f"{local:%H:%M}" in text or f":{local:%M}" in text
            assert local.second <= 31
    assert len(set(times)) == len(times)


@pytest.mark.parametrize("seconds", [1, 20, 45, 120, 280])
def test_a_clock_put_back_a_little_makes_no_time_due_twice(seconds: int) -> None:
    groups = plan(((60,), "at :59"))
    groups.mark_read(START)
    due = groups.next_due(START)
    groups.mark_read(due)
    assert groups.next_due(due - timedelta(seconds=seconds)) == due + HOUR


def test_a_clock_put_back_right_before_a_time_does_not_skip_it() -> None:
    groups = plan(((60,), "at :59"))
    groups.mark_read(START + 30 * MINUTE)
    due = groups.next_due(START + 30 * MINUTE)
    assert groups.next_due(due - HOUR - timedelta(seconds=10)) == due - HOUR


def test_a_register_is_asked_for_again_though_the_clock_was_put_back() -> None:
    absences = Absences()
    absences.note([4711], {}, START, hourly)
    assert absences.present([4711], START + MINUTE) == []
    assert absences.present([4711], START - 365 * 24 * HOUR) == [4711]


def test_a_day_is_counted_though_the_clock_was_put_back() -> None:
    counts = LastDay()
    counts.add(START, 5)
    before = START - 365 * 24 * HOUR
    assert counts.total(before) == 5
    counts.add(before, 2)
    assert counts.total(before + 23 * HOUR) == 7
    assert counts.total(before + 25 * HOUR) == 0


def test_a_reading_on_demand_reads_the_first_group_and_leaves_the_rhythm_alone() -> None:
    groups = plan(((60,), "1h"), ((139,), "1d"))
    groups.mark_read(START)
    assert groups.registers_due(START + 10 * MINUTE) == []
    assert groups.registers_due(START + 10 * MINUTE, first_too=True) == [60]
    groups.mark_read(START + 10 * MINUTE)
    assert groups.next_due(START + 10 * MINUTE) == START + HOUR


def test_bringing_forward_never_delays() -> None:
    groups = plan(((60,), "1h"))
    groups.bring_forward(START + 5 * MINUTE)
    assert groups.next_due(START) == START
    groups.mark_read(START)
    groups.bring_forward(START + 5 * MINUTE)
    assert groups.next_due(START) == START + 5 * MINUTE
    groups.bring_forward(START + 2 * HOUR)
    assert groups.next_due(START) == START + 5 * MINUTE


@given(
    st.lists(st.sampled_from(["10s", "15min", "1h", "at :59", "at :00,:30", "daily 06:00"]), min_size=1),
    st.lists(st.integers(0, 100_000), min_size=1, max_size=20),
)
def test_the_next_reading_is_never_in_the_past_and_never_later_than_a_period(
    texts: list[str], pauses: list[int]
) -> None:
    groups = plan(*(((number,), text) for number, text in enumerate(texts)))
    shortest = min(Schedule.parse(text).period for text in texts)
    now = START
    for pause in pauses:
        due = groups.next_due(now)
        assert now <= due <= now + shortest + HOUR  # an hour more when summer time ends
        if due == now:
            assert groups.registers_due(now)
            groups.mark_read(now)
            assert not groups.registers_due(now)
        now += timedelta(seconds=pause)


def test_a_register_left_out_is_told_once_and_asked_for_ever_more_rarely() -> None:
    absences = Absences()
    asked_at, told = [], []
    for hour in range(24 * 8):
        now = START + hour * HOUR
        asked = absences.present([60, 4711], now)
        told += absences.note(asked, {60: None}, now, hourly)
        assert 60 in asked
        if 4711 in asked:
            asked_at.append(hour)
    assert told == [4711]
    assert asked_at[:4] == [0, 2, 6, 14]
    assert max(later - earlier for earlier, later in pairwise(asked_at)) == 24


def test_a_register_that_comes_back_is_asked_for_always() -> None:
    absences = Absences()
    assert absences.note([80], {}, START, hourly) == [80]
    assert absences.present([80], START + HOUR) == []
    assert absences.note([80], {80: None}, START + 2 * HOUR, hourly) == []
    assert absences.present([80], START + 2 * HOUR + MINUTE) == [80]


def test_a_register_that_was_answered_before_may_be_missing_once() -> None:
    absences = Absences()
    absences.note([80], {80: None}, START, hourly)
    assert absences.note([80], {}, START + HOUR, hourly) == []
    assert absences.present([80], START + 2 * HOUR) == [80]
    assert absences.note([80], {}, START + 2 * HOUR, hourly) == [80]
    assert absences.present([80], START + 3 * HOUR) == []


def test_a_register_read_once_a_day_is_not_asked_for_every_day_either() -> None:
    groups = plan(((60,), "1h"), ((139, 60), "1d"))
    assert groups.period_of(60) == HOUR
    assert groups.period_of(139) == timedelta(days=1)
    absences = Absences()
    asked_on = []
    for day in range(20):
        now = START + timedelta(days=day)
        if 139 in absences.present([139], now):
            asked_on.append(day)
            absences.note([139], {}, now, groups.period_of)
    assert asked_on == [0, 2, 6, 10, 14, 18]


def test_a_new_connection_asks_for_everything_once_more() -> None:
    absences = Absences()
    absences.note([80], {}, START, hourly)
    absences.forget_pauses()
    assert absences.present([80], START) == [80]
    assert absences.note([80], {}, START, hourly) == []


def test_the_last_day_forgets_what_is_older() -> None:
    requests = LastDay()
    for hour in range(48):
        requests.add(START + hour * HOUR, 3)
    assert requests.total(START + 47 * HOUR) == 24 * 3
    assert requests.total(START + 100 * HOUR) == 0


def test_a_request_is_free_at_first_and_again_when_the_distance_is_over() -> None:
    spacing = Spacing(5 * MINUTE)
    assert spacing.free_at(START) == START
    spacing.take(START)
    assert spacing.free_at(START + MINUTE) == START + 5 * MINUTE
    later = START + 5 * MINUTE
    assert spacing.free_at(later) == later
    assert spacing.free_at(later + HOUR) == later + HOUR


def test_after_the_clock_was_put_back_nobody_waits_longer_than_the_distance() -> None:
    spacing = Spacing(5 * MINUTE)
    spacing.take(START)
    before = START - 24 * HOUR
    assert spacing.free_at(before) == before + 5 * MINUTE
    assert spacing.free_at(before + MINUTE) == before + 5 * MINUTE
    assert spacing.free_at(before + 6 * MINUTE) == before + 6 * MINUTE


def test_a_meter_that_proves_to_be_on_mains_is_free_at_once() -> None:
    spacing = Spacing(5 * MINUTE)
    spacing.take(START)
    spacing.least = timedelta(0)
    assert spacing.free_at(START + timedelta(seconds=1)) == START + timedelta(seconds=1)


@given(st.lists(st.timedeltas(timedelta(0), HOUR), max_size=60), st.timedeltas(timedelta(0), HOUR))
def test_requests_that_are_taken_are_never_closer_than_the_distance(
    pauses: list[timedelta], least: timedelta
) -> None:
    spacing, now, taken = Spacing(least), START, []
    for pause in pauses:
        now += pause
        if spacing.free_at(now) == now:
            spacing.take(now)
            taken.append(now)
    assert all(later - earlier >= least for earlier, later in pairwise(taken))


def test_whether_the_first_group_is_due_is_told_apart_from_others() -> None:
    groups = plan(((60,), "1h"), ((139,), "30min"))
    groups.mark_read(START)
    assert not groups.first_is_due(START + 30 * MINUTE)
    assert groups.registers_due(START + 30 * MINUTE) == [139]
    assert groups.first_is_due(START + HOUR)
