"""What is read behind a live reading: published whole, done when it is safe, never in the way."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smart_meter_reader.exceptions import (
    LoggerRefusedError,
    LostError,
    MeterSilentError,
    ProtocolError,
    WrongMeterError,
)
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.backfill import session
from tests.meters.backfill.house import HOUR, House


async def test_all_is_published_with_its_own_times_and_whose_it_is() -> None:
    house = House()
    await house.wake_up()
    assert [past["serial_number"] for past in house.pasts] == ["1"] * len(house.pasts)
    assert list(dict.fromkeys(past["logger"] for past in house.pasts)) == ["day", "hour"]
    now = datetime.now(UTC)
    hours = house.rows("hour")
    assert len(hours) == 72
    assert hours == sorted(hours)
    assert all(time.minute == time.second == 0 and time <= now for _, time in hours)
    assert now - hours[-1][1] < HOUR
    assert len(house.rows("day")) == 20
    assert house.health["logger_rows"] == 92


async def test_nothing_is_asked_where_no_sink_takes_a_past() -> None:
    house = House(takers=0)
    await house.wake_up()
    assert house.source.asked == []


async def test_a_window_is_done_when_every_sink_has_it_and_else_read_again_after_a_restart() -> None:
    house = House(takers=2)
    await house.wake_up()
    for past in house.pasts:
        house.receipts.of("sink 0").confirm(past["receipt"])
    # While it is under way it is not read a second time.
    asked = len(house.source.asked)
    await house.wake_up()
    assert not [what for what in house.source.asked[asked:] if what.startswith("read")]
    house.start()
    await house.wake_up()
    assert len(house.rows("hour")) == 72
    house.confirm()
    assert house.backfill.filling == ""
    await house.keep()
    house.start()
    await house.wake_up()
    assert house.pasts == []


async def test_what_a_sink_dropped_is_read_again() -> None:
    house = House()
    await house.wake_up()
    for past in house.pasts:
        house.receipts.lose(past["receipt"])
    before = len(house.pasts)
    await house.wake_up()
    assert len(house.pasts) == 2 * before


async def test_what_a_window_costs_is_on_disk_before_it_is_spent() -> None:
    house = House(daily=60.0)
    spent: list[float] = []
    read = house.source.read

    async def watch(*arguments: Any) -> Any:
        spent.append(house.kept[-1]["budget"]["spent"])
        return await read(*arguments)

    house.source.read = watch  # type: ignore[assignment]
    await house.wake_up()
    assert all(seconds > 0 for seconds in spent)
    # Answers came at once here, so that nearly all was given back.
    assert house.kept[-1]["budget"]["spent"] < 1.0


async def test_a_budget_that_is_used_up_waits_for_tomorrow() -> None:
    house = House(daily=60.0)
    house.kept.append({
        "meters": [{"serial_number": "1"}],
        "budget": {"day": datetime.now(UTC).date().isoformat(), "spent": 59.5},
    })  # fmt: skip
    house.start()
    await house.wake_up()
    assert house.source.asked == []


async def test_a_live_reading_that_is_due_comes_first() -> None:
    house = House()
    await house.wake_up(seconds=1.0)
    assert house.source.asked == ["learn", "look day", "look hour"]
    assert house.backfill.filling


async def test_a_meter_without_loggers_is_asked_once_for_ever() -> None:
    house = House()
    house.meter.depths = {}
    for _ in range(2):
        await house.wake_up()
    house.start()
    await house.wake_up()
    assert house.source.asked == ["learn"]
    house.meter.serial = "2"
    await house.wake_up()
    assert house.source.asked == ["learn", "learn"]


async def test_only_an_outage_brings_hours_that_were_read_live() -> None:
    house = House()
    await house.wake_up()
    house.confirm()
    now = datetime.now(UTC)
    house.backfill.note_reading(now, HOUR)
    house.backfill.note_reading(now + HOUR, HOUR)
    asked = len(house.source.asked)
    await house.wake_up()
    assert house.source.asked[asked:] == []
    house.backfill.note_reading(now + 4 * HOUR, HOUR)
    await house.wake_up()
    assert house.source.asked[asked:] == ["look day", "look hour"]


@pytest.mark.parametrize(
    "error", [MeterSilentError("silent", "the meter sleeps"), TimeoutError()], ids=["silent", "slow"]
)
async def test_a_meter_that_falls_silent_is_left_alone_until_the_next_reading(error: BaseException) -> None:
    house = House()
    house.source.errors = [error]
    await house.wake_up()
    assert house.source.asked.count("read day") == 1
    await house.wake_up()
    assert len(house.rows("day")) == 20
    assert len(house.rows("hour")) == 72


async def test_a_line_that_goes_is_the_clients_concern_and_leaves_no_hole() -> None:
    house = House()
    house.source.errors = [LostError("lost", "the cable is out")]
    with pytest.raises(LostError):
        await house.wake_up()
    await house.wake_up()
    assert len(house.rows("day")) == 20


async def test_a_logger_that_is_refused_is_told_and_the_others_are_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House()
    house.source.errors = [LoggerRefusedError("memory_error", "its memory has failed")]
    await house.wake_up()
    assert house.rows("day") == []
    assert len(house.rows("hour")) == 72
    assert "day logger is left alone for a day: its memory has failed" in caplog.text


async def test_answers_that_make_no_sense_do_not_keep_the_meter_busy() -> None:
    house = House()
    house.source.errors = [ProtocolError("length", "cut")] * 100
    await house.wake_up()
    assert len([what for what in house.source.asked if what.startswith("read")]) == 3
    house.source.errors = []
    await house.wake_up()
    assert len(house.rows("hour")) == 72


async def test_entries_without_a_time_are_left_out_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    newest = house.meter.extent("hour", datetime.now(UTC))
    assert newest is not None
    house.source.unknown = {newest[1] - 3}
    with caplog.at_level(logging.WARNING):
        await house.wake_up()
    assert len(house.rows("hour")) == 71
    assert house.health["rejected_values"] == 1
    assert "1 entries of its hour logger are left out" in caplog.text


async def test_a_clock_set_to_another_zone_is_put_right_and_told(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.source.clock_ahead = timedelta(hours=1, seconds=2)
    await house.wake_up()
    assert house.rows("hour")[-1][1] <= datetime.now(UTC)
    assert datetime.now(UTC) - house.rows("hour")[-1][1] < HOUR
    assert "its clock is 60 min ahead" in caplog.text


class _Behind(datetime):
    """This computer's clock, five hours behind, as after an outage that it was switched off in."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) - timedelta(hours=5)


async def test_a_clock_that_is_set_later_leaves_no_row_at_a_wrong_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House()
    with monkeypatch.context() as patch:
        patch.setattr(session, "datetime", _Behind)
        await house.wake_up()
    # No sink believed that clock: all comes again, when it is right.
    for past in house.pasts:
        house.receipts.lose(past["receipt"])
    before = len(house.rows("hour"))
    await house.wake_up()
    again = house.rows("hour")[before:]
    assert len(again) == 72
    assert [at for _, at in again] == [house.meter.made_at("hour", entry) for entry, _ in again]


async def test_a_clock_that_is_set_while_a_window_comes_in_spoils_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House()
    read = house.source.read

    async def and_then_set(*asked: Any) -> Any:
        monkeypatch.setattr(session, "datetime", datetime)
        return await read(*asked)

    monkeypatch.setattr(session, "datetime", _Behind)
    monkeypatch.setattr(house.source, "read", and_then_set)
    await house.wake_up()
    rows = house.rows("hour")
    assert len(rows) == 72
    assert [at for _, at in rows] == [house.meter.made_at("hour", entry) for entry, _ in rows]


async def test_before_the_clock_is_set_from_the_network_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house = House()
    with monkeypatch.context() as patch:
        patch.setattr(session, "is_synchronised", lambda: False)
        for _ in range(2):
            await house.wake_up()
        assert house.source.asked == []
        assert caplog.text.count("its loggers wait until this computer's clock is set") == 1
        # Who keeps the clock by hand waits for a day.
        monkeypatch.setattr(house.backfill._clocks, "_begun", -1e6)
        await house.wake_up()
        assert len(house.rows("hour")) == 72


async def test_an_entry_that_is_told_no_more_is_not_another_meters(caplog: pytest.LogCaptureFixture) -> None:
    house = House(every_hour=True)
    house.source.behind = 3 * HOUR
    await house.wake_up()
    house.confirm()
    house.heard.messages.clear()
    stored = house.meter.extent("hour", datetime.now(UTC) - house.source.behind)
    house.source.behind = timedelta(0)
    house.backfill._planner.note_missed()
    assert stored is not None
    house.source.gone = {stored[1]}
    await house.wake_up()
    assert [entry for entry, _ in house.rows("hour")] == [stored[1] + number for number in (1, 2, 3)]
    assert "not what it was" not in caplog.text


@pytest.mark.parametrize(
    "error", [MeterSilentError("silent", "the meter sleeps"), TimeoutError()], ids=["silent", "slow"]
)
async def test_a_logger_that_never_answers_keeps_no_other_waiting(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    house = House()
    house.source.errors_of["read day"] = [error] * 1000
    for _ in range(12):
        await house.wake_up()
    assert len(house.rows("hour")) == 72
    assert "its day logger is left alone for a day" in caplog.text
    house.source.errors_of.clear()
    house.backfill._planner.failures.clear()  # a day later
    await house.wake_up()
    assert len(house.rows("day")) == 20


async def test_another_meter_that_answers_changes_nothing_in_the_plan_of_the_one_before() -> None:
    house = House()
    await house.wake_up()
    house.confirm()
    await house.keep()
    house.backfill._planner.note_missed()
    before, asked = house.backfill.memory, len(house.source.asked)
    house.source.errors_of["confirm"] = [WrongMeterError("another_meter", "meter 2 answers")]
    with pytest.raises(WrongMeterError):
        await house.wake_up()
    assert house.source.asked[asked:] == []
    assert house.backfill.memory == before


async def test_a_window_that_the_client_could_not_hand_on_is_read_again() -> None:
    """As when another machine takes the meter over while a queue is full: this service lives on."""
    house = House()

    async def ended(message: Message) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await house.backfill.run(house.source, house.meter.serial, ended, lambda: 1e9)
    await house.wake_up()
    assert len(house.rows("day")) == 20


async def test_who_the_meter_is_is_asked_only_where_something_can_be_asked_behind_it() -> None:
    house = House()
    await house.wake_up(seconds=0.6)
    assert house.source.confirmed == 0
    await house.wake_up()
    house.confirm()
    await house.wake_up()
    assert house.source.confirmed == 1
