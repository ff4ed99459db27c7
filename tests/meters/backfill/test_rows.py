"""From entries to rows: one stamp that is wrong costs its own entry, and the newest one is never lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.guard.past import judge_past
from smart_meter_reader.messages import PastRow
from smart_meter_reader.meters.backfill.rows import past_of, past_rows
from smart_meter_reader.meters.backfill.source import Entry
from smart_meter_reader.meters.backfill.stamps import rising_ids
from smart_meter_reader.meters.backfill.state import Window

NOW = datetime(2026, 3, 1, 11, 52, tzinfo=UTC)
HOUR, NOTHING = timedelta(hours=1), timedelta(0)


def entries(*stamps: str) -> list[Entry]:
    """An entry each, from id 100 on, with what it counted; "" has no stamp."""
    return [
        Entry(
            100 + number,
            datetime.fromisoformat(text) if text else None,
            "",
            {"heat_energy": {"value": Decimal(number), "unit": "kWh"}},
        )
        for number, text in enumerate(stamps)
    ]


def told(
    found: list[Entry], logger: str = "hour", error: timedelta = NOTHING
) -> tuple[list[tuple[int, str]], int]:
    rows, left_out = past_rows(found, logger, UTC, error, NOW)
    return [(row["log_id"], f"{row['measured_at']:%m-%d %H:%M:%S}") for row in rows], left_out


def believed(rows: tuple[PastRow, ...]) -> list[int]:
    past = past_of("heat", Window("hour", 0, 9, 1.0), rows, None, "", NOW)
    return [row["log_id"] for row in judge_past(past, {}, {}).past["rows"]]


def test_an_entry_of_a_time_to_come_costs_itself_and_not_those_after_it() -> None:
    found = entries("2026-03-01T08:00", "2031-01-01T00:00", "2026-03-01T10:00", "2026-03-01T11:00")
    assert told(found) == ([(100, "03-01 08:00:00"), (102, "03-01 10:00:00"), (103, "03-01 11:00:00")], 1)


def test_nor_does_one_whose_clock_was_ahead_for_an_hour() -> None:
    found = entries("2026-02-01T08:00", "2026-02-20T09:00", "2026-02-01T10:00", "2026-02-01T11:00")
    assert [entry for entry, _ in told(found)[0]] == [100, 102, 103]


def test_the_newest_entry_of_a_clock_that_is_a_little_ahead_is_not_lost() -> None:
    """By less than half an hour nothing is put right; but nothing was made later than it was read."""
    found = entries("2026-03-01T11:00:04", "2026-03-01T12:00:04")
    ahead = timedelta(minutes=10)
    assert told(found, error=ahead) == ([(100, "03-01 11:00:00"), (101, "03-01 11:50:04")], 0)
    rows, _ = past_rows(found, "hour", UTC, ahead, NOW)
    assert believed(rows) == [100, 101]


def test_events_within_one_second_that_came_before_others_keep_the_order() -> None:
    found = entries("2026-03-01T05:00:00", "2026-03-01T06:00:00", "2026-03-01T05:00:00")
    rows, left_out = past_rows(found, "info", UTC, NOTHING, NOW)
    times = [row["measured_at"] for row in rows]
    assert times == sorted(times)
    assert len(rows) + left_out == 2


@given(st.lists(st.integers(0, 12), max_size=12))
def test_what_is_rising_ids_rises_and_no_more_could(hours: list[int]) -> None:
    times = [datetime(2026, 1, 1, tzinfo=UTC) + each * HOUR for each in hours]
    kept = rising_ids(enumerate(times))
    assert kept == sorted(kept)
    assert all(times[before] < times[after] for before, after in pairwise(kept))
    longest = [0] * len(hours)
    for place, hour in enumerate(hours):
        longest[place] = 1 + max((longest[p] for p in range(place) if hours[p] < hour), default=0)
    assert len(kept) == max(longest, default=0)


def test_an_entry_of_a_clock_that_was_never_set_is_left_out() -> None:
    found = entries("2000-01-01T00:00", "2000-01-01T01:00", "2026-03-01T10:00")
    assert told(found) == ([(102, "03-01 10:00:00")], 2)
    assert told(found, "info") == ([(102, "03-01 10:00:00")], 2)
