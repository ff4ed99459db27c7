"""Frame counters: what is new, what is recorded, and a meter whose counter was reset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.ciphering.counters import MAX_METERS, FrameCounter, FrameCounters
from smart_meter_reader.exceptions import DecryptionError

TITLE = b"SAG5\x00\x00\x00\x01"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def is_new(counters: FrameCounters, counter: int, now: datetime | None = START, title: bytes = TITLE) -> bool:
    try:
        counters.count(title, counter, now)
    except DecryptionError as error:
        return error.reason != "replayed"
    return True


def after(last: int) -> FrameCounters:
    counters = FrameCounters()
    counters.recall({TITLE: FrameCounter(last)})
    return counters


@given(st.lists(st.integers(0, 50), max_size=40))
def test_only_what_counts_on_is_new(sent: list[int]) -> None:
    counters = FrameCounters()
    highest = -1
    for counter in sent:
        assert is_new(counters, counter) == (counter > highest)
        highest = max(highest, counter)
    assert counters.values.get(TITLE, FrameCounter(-1)).last == highest


def first_believed(counters: FrameCounters, pause: timedelta, *, since: datetime = START) -> timedelta | None:
    """When a counter that begins anew is believed, if it is within three days."""
    for number in range(int(3 * DAY / pause)):
        if is_new(counters, number + 1, since + number * pause):
            return number * pause
    return None


def test_a_counter_that_was_reset_is_believed_after_a_day() -> None:
    counters = after(1011)
    with pytest.raises(DecryptionError, match="believed when it has counted on for a day"):
        counters.count(TITLE, 0, START)
    assert first_believed(counters, 10 * MINUTE) == DAY
    # From then on it is the meter's counter.
    assert is_new(counters, 500)
    assert not is_new(counters, 499)


def test_a_row_with_long_pauses_is_not_believed() -> None:
    assert first_believed(after(1011), 60 * MINUTE) == DAY
    assert first_believed(after(1011), 61 * MINUTE) is None


def test_a_recording_played_again_and_again_is_not_believed() -> None:
    counters = after(1011)
    assert not any(is_new(counters, 1 + number % 1000, START + number * MINUTE) for number in range(5000))


def test_one_recorded_frame_sent_for_days_is_not_believed() -> None:
    counters = after(1011)
    assert not any(is_new(counters, 7, START + number * MINUTE) for number in range(3000))


def test_frames_that_came_at_once_are_of_one_row() -> None:
    """What waited in a buffer is received in one piece, so with one time."""
    counters = after(100_000)
    for number in range(0, 288, 2):
        for behind in (0, 1):
            assert not is_new(counters, number + behind, START + number * 5 * MINUTE)
    assert is_new(counters, 288, START + DAY)


@pytest.mark.parametrize("now", [None, START + 12 * timedelta(hours=1)], ids=["no time", "a time"])
def test_who_repeats_the_last_frame_does_not_end_the_row_of_a_reset_meter(now: datetime | None) -> None:
    counters = after(1011)
    for number in range(144):
        assert not is_new(counters, number, START + number * 10 * MINUTE)
        if number == 72:
            assert not is_new(counters, 1011, now)
    assert is_new(counters, 144, START + DAY)


def test_a_frame_without_a_time_leaves_the_row_as_it_was() -> None:
    counters = after(1011)
    for number in range(144):
        assert not is_new(counters, number, None if number == 72 else START + number * 10 * MINUTE)
    assert is_new(counters, 144, START + DAY)


def test_without_a_time_nothing_is_believed_that_fell() -> None:
    counters = after(1011)
    assert not any(is_new(counters, number, None) for number in range(1000))


def test_the_meter_itself_ends_the_row_of_a_recording() -> None:
    counters = after(1011)
    for number in range(1, 145):
        assert not is_new(counters, number, START + number * 10 * MINUTE)
        if number == 100:
            assert is_new(counters, 1012, START + number * 10 * MINUTE)


@pytest.mark.parametrize("jump", [-365 * DAY, -timedelta(hours=2), timedelta(hours=2), 365 * DAY], ids=str)
def test_a_clock_that_is_set_makes_no_day(jump: timedelta) -> None:
    counters = after(100_000)
    assert not is_new(counters, 1, START)
    assert not is_new(counters, 2, START + MINUTE)
    for number in range(3, 1440):
        assert not is_new(counters, number, START + jump + number * MINUTE)


def test_a_row_goes_on_over_a_restart() -> None:
    counters = after(100_000)
    for number in range(1, 1000):
        assert not is_new(counters, number, START + number * MINUTE)
    restarted = FrameCounters()
    restarted.recall(counters.values)
    news = [number for number in range(1000, 1500) if is_new(restarted, number, START + number * MINUTE)]
    assert news == list(range(1441, 1500))


def titles(count: int) -> list[bytes]:
    return [number.to_bytes(8, "big") for number in range(count)]


def test_meters_are_kept_apart_and_bounded() -> None:
    counters = FrameCounters()
    for title in titles(100):
        assert is_new(counters, 1, title=title)
        counters.check(title, 7, against_proven=True)
    assert len(counters.values) == MAX_METERS


def test_of_too_many_meters_the_one_not_heard_for_longest_is_forgotten() -> None:
    first, second, *others = titles(MAX_METERS + 1)
    counters = FrameCounters()
    for title in (first, second, *others[:-1]):
        assert is_new(counters, 1, title=title)
    assert is_new(counters, 2, title=first)
    assert is_new(counters, 1, title=others[-1])
    assert counters.values.keys() == {first, *others}


def is_unheard(
    counters: FrameCounters, counter: int, *, against_proven: bool = True, title: bytes = TITLE
) -> bool:
    """Whether a frame that nothing authenticates passes."""
    try:
        counters.check(title, counter, against_proven=against_proven)
    except DecryptionError as error:
        return error.reason != "replayed"
    return True


def test_a_frame_that_nothing_authenticates_counts_on_from_the_last_authentic_one() -> None:
    assert [is_unheard(after(10), counter) for counter in (9, 10, 11)] == [False, False, True]
    # Who does not look at tags does not look at what one has proven either.
    assert [is_unheard(after(10), counter, against_proven=False) for counter in (9, 10, 11)] == [True] * 3


def test_frames_that_nothing_authenticates_are_not_repeated_soon() -> None:
    counters = FrameCounters()
    assert all(is_unheard(counters, counter) for counter in range(65))
    # The last 64 are known, and the first is not among them any more.
    assert not any(is_unheard(counters, counter) for counter in range(1, 65))
    assert is_unheard(counters, 0)


def test_what_nothing_authenticates_of_too_many_meters_is_forgotten_where_it_is_oldest() -> None:
    first, second, *others = titles(MAX_METERS + 1)
    counters = FrameCounters()
    for title in (first, second, *others[:-1]):
        assert is_unheard(counters, 7, title=title)
    assert is_unheard(counters, 8, title=first)
    assert is_unheard(counters, 7, title=others[-1])
    assert not is_unheard(counters, 7, title=first)
    assert is_unheard(counters, 7, title=second)
