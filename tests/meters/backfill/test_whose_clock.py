"""A stamp is worth no more than the clock that made it: whose clock it was, and when nobody knows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smart_meter_reader.exceptions import LostError, MeterSilentError, UnusableAnswersError
from smart_meter_reader.meters.backfill.clocks import ComparedClocks
from tests.meters.backfill.house import HOUR, House


def is_right(house: House, logger: str = "hour") -> bool:
    """Whether each row has the time at which its entry was made."""
    rows = house.rows(logger)
    return bool(rows) and all(at == house.meter.made_at(logger, entry) for entry, at in rows)


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        MeterSilentError("silent", "the meter sleeps"),
        UnusableAnswersError("damaged_answers", "noise"),
    ],
    ids=["slow", "silent", "damaged"],
)
async def test_nothing_is_dated_by_a_clock_that_did_not_answer(error: BaseException) -> None:
    house = House()
    house.source.clock_ahead = HOUR
    house.source.errors_of["clock"] = [error]
    await house.wake_up()
    assert house.pasts == []
    await house.wake_up()
    assert is_right(house)


async def test_nor_where_the_line_went_while_it_was_asked() -> None:
    house = House()
    house.source.clock_ahead = HOUR
    house.source.errors_of["clock"] = [LostError("lost", "the cable is out")]
    with pytest.raises(LostError):
        await house.wake_up()
    await house.wake_up()
    assert is_right(house)


async def test_a_meter_that_never_tells_its_clock_is_read_as_it_stamped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House()
    house.source.errors_of["clock"] = [TimeoutError()] * 100
    for _ in range(5):
        await house.wake_up()
    assert len(house.rows("hour")) == 72
    assert is_right(house)
    assert house.source.asked.count("clock") == 3
    assert caplog.text.count("its clock does not answer") == 1


async def test_what_the_clock_of_one_meter_is_off_by_is_no_other_meters_concern() -> None:
    house = House()
    house.source.clock_ahead = HOUR
    await house.wake_up()
    house.confirm()
    house.heard.messages.clear()
    house.source.clock_ahead = timedelta(0)
    house.meter.replace("2", datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 30 * HOUR)
    await house.wake_up()
    assert len(house.rows("hour")) == 30
    assert is_right(house)


@pytest.mark.parametrize(("later", "due"), [(-10, True), (10, True), (-7200, False)])
def test_it_is_asked_in_every_daily_wake_up(later: float, due: bool) -> None:
    """In log mode a reading a day comes some seconds earlier or later than a day after the last one."""
    clocks = ComparedClocks()
    clocks.meet("1")
    now = datetime(2026, 3, 1, 0, 10, tzinfo=UTC)
    clocks.note(now, 0.0, HOUR)
    seconds = 86_400.0 + later
    assert clocks.are_due(now + timedelta(seconds=seconds), seconds) == due
