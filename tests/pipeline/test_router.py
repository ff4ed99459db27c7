"""The router: order, completeness, the bounded queue that drops its oldest reading, the ordered end."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.messages import STANDBY, Info, Message, Past, Reading, Status
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.pipeline.router import SinkQueue, queue_for, route
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.sinks.stdout import StdoutSettings, StdoutSink

ACTS, KINDS = ("put", "take"), ("reading", "status", "info")
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def reading(number: int, meter: str = "heat") -> Reading:
    measurement: Measurement = {"value": Decimal(number), "unit": "kW"}
    return {"type": "reading", "meter": meter, "time": WHEN, "measurements": {"power": measurement}}


def past(receipt: str, meter: str = "heat") -> Past:
    value: Measurement = {"value": Decimal("1.5"), "unit": "MWh"}
    return {
        "type": "past",
        "meter": meter,
        "time": WHEN,
        "logger": "hour",
        "receipt": receipt,
        "rows": ({"measured_at": WHEN, "log_id": 7, "measurements": {"heat_energy": value}},),
    }


def status() -> Status:
    return {"type": "status", "meter": "heat", "time": WHEN, "state": "online", "reason": "", "detail": ""}


def everything(message: Message) -> list[Message]:
    return [message]


def fails_at_one(message: Message) -> list[Message]:
    """A guard that breaks on the first reading."""
    if message == reading(1):
        raise ValueError("one")
    return [message]


async def taken(queue: SinkQueue) -> list[Message]:
    return [message async for message in queue]


async def test_every_sink_gets_every_message_in_order() -> None:
    central: asyncio.Queue[Message | None] = asyncio.Queue()
    queues = {name: SinkQueue(name, 100) for name in ("a", "b")}
    sent: list[Message] = [reading(number) for number in range(50)]
    for message in [*sent, None]:
        await central.put(message)
    await route(central, queues, everything)
    assert await taken(queues["a"]) == sent
    assert await taken(queues["b"]) == sent


async def test_a_fast_meter_does_not_drive_out_a_slow_one() -> None:
    queue = SinkQueue("stuck", 10)
    slow = [reading(number, "water") for number in range(3)]
    queue.put(slow[0])
    for number in range(1000):
        queue.put(reading(number, "p1"))
        if number in (300, 600):
            queue.put(slow[number // 300])
    queue.close()
    got = await taken(queue)
    assert [message for message in got if message["meter"] == "water"] == slow
    assert [message for message in got if message["meter"] == "p1"] == [
        reading(number, "p1") for number in range(993, 1000)
    ]
    assert queue.accepted == len(got) + queue.dropped == 1003


async def test_meters_take_turns() -> None:
    queue = SinkQueue("slow", 100)
    for number in range(50):
        queue.put(reading(number, "p1"))
    queue.put(reading(0, "water"))
    queue.put(reading(1, "water"))
    first = [await anext(queue) for _ in range(5)]
    assert [message["meter"] for message in first] == ["p1", "water", "p1", "water", "p1"]
    queue.put(reading(2, "water"))
    assert [(await anext(queue))["meter"] for _ in range(2)] == ["p1", "water"]
    queue.close()
    assert [message["meter"] for message in await taken(queue)] == ["p1"] * 46


async def test_a_sink_that_does_not_take_delays_nobody(caplog: pytest.LogCaptureFixture) -> None:
    central: asyncio.Queue[Message | None] = asyncio.Queue(10)
    stuck, busy = SinkQueue("stuck", 5), SinkQueue("busy", 5)
    sent = [reading(number) for number in range(1000)]
    async with asyncio.TaskGroup() as group:
        got = group.create_task(taken(busy))
        group.create_task(route(central, {"stuck": stuck, "busy": busy}, everything))
        for message in sent:
            await central.put(message)
            await asyncio.sleep(0)
        await central.put(None)
    assert got.result() == sent
    assert stuck.dropped == 995
    assert await taken(stuck) == sent[-5:]
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1, "one warning a minute, not one per reading"
    assert "sink stuck does not keep up" in warnings[0].getMessage()
    caplog.clear()
    stuck.report_remaining_drops()
    assert "994 more readings" in caplog.text


async def test_statuses_outlive_readings_in_a_full_queue() -> None:
    queue = SinkQueue("slow", 3)
    queue.put(status())
    for number in range(10):
        queue.put(reading(number))
    queue.close()
    assert [message["type"] for message in await taken(queue)] == ["status", "reading", "reading"]


async def test_a_meter_that_floods_with_statuses_pushes_out_its_own() -> None:
    queue = SinkQueue("slow", 10)
    other: Reading = {**reading(1), "meter": "other"}
    queue.put(other)
    told: list[Message] = []
    for number in range(50):
        told.append({**status(), "reason": f"reason {number}"})
        queue.put(told[-1])
    queue.close()
    assert await taken(queue) == [other, *told[-9:]]


async def test_a_queue_of_statuses_alone_still_stays_bounded() -> None:
    queue = SinkQueue("slow", 3)
    for _ in range(10):
        queue.put(status())
    assert len(queue) == 3
    assert queue.dropped == 7


async def test_the_filter_decides_what_passes() -> None:
    central: asyncio.Queue[Message | None] = asyncio.Queue()
    queue = SinkQueue("a", 10)
    for message in [reading(1), status(), None]:
        await central.put(message)
    await route(central, {"a": queue}, lambda m: [m, m] if m["type"] == "status" else [])
    assert await taken(queue) == [status(), status()]


async def test_a_message_on_which_the_guard_fails_is_held_back_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    central: asyncio.Queue[Message | None] = asyncio.Queue()
    queue = SinkQueue("a", 10)
    for message in [reading(1), reading(2), None]:
        await central.put(message)
    await route(central, {"a": queue}, fails_at_one)
    assert await taken(queue) == [reading(2)]
    assert "a reading of the meter heat is held back" in caplog.text


async def test_instead_of_a_message_on_which_the_guard_fails_another_may_be_published() -> None:
    central: asyncio.Queue[Message | None] = asyncio.Queue()
    queue = SinkQueue("a", 10)
    for message in [reading(1), reading(2), None]:
        await central.put(message)
    asked: list[tuple[Message, str]] = []

    def instead(message: Message, error: BaseException) -> list[Message]:
        asked.append((message, str(error)))
        return [status()]

    await route(central, {"a": queue}, fails_at_one, instead)
    assert await taken(queue) == [status(), reading(2)]
    assert asked == [(reading(1), "one")]


async def test_what_was_taken_no_longer_counts_when_room_is_made() -> None:
    """The meter that has most now loses, not the one that had."""
    queue = SinkQueue("slow", 10)
    for number in range(10):
        queue.put(reading(number, "p1"))
    for _ in range(8):
        await anext(queue)
    for number in range(9):
        queue.put(reading(number, "water"))
    queue.close()
    got = await taken(queue)
    assert [message for message in got if message["meter"] == "p1"] == [reading(8, "p1"), reading(9, "p1")]
    assert queue.dropped == 1


async def test_a_closed_queue_takes_nothing_more() -> None:
    queue = SinkQueue("gone", 10)
    queue.close()
    queue.put(reading(1))
    assert await taken(queue) == []


def told(meter: str, number: int) -> list[Message]:
    """What a client publishes at its start: who the meter is, that it is there, and a reading."""
    info: Info = {"type": "info", "meter": meter, "time": WHEN, "serial_number": str(number)}
    return [info, {**status(), "meter": meter, "detail": str(number)}, reading(number, meter)]


async def test_a_thousand_meters_that_start_keep_their_status_and_identity() -> None:
    queue = SinkQueue("stuck", 100)
    meters = [f"m{number}" for number in range(1000)]
    for number in range(3):
        for meter in meters:
            for message in told(meter, number):
                queue.put(message)
    queue.close()
    got = await taken(queue)
    for meter in meters:
        assert [message for message in got if message["meter"] == meter] == told(meter, 2)
    assert queue.accepted == len(got) + queue.dropped == 9000


async def test_what_is_dropped_is_told_by_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    queue = SinkQueue("stuck", 3)
    for number in range(5):
        for message in told("heat", number):
            queue.put(message)
    queue.report_remaining_drops()
    assert queue.dropped_by_kind == {"reading": 4, "status": 4, "info": 4}
    assert "1 older identity dropped" in caplog.text
    assert "4 more readings and 4 more older statuses and 3 more older identities were dropped" in caplog.text


@given(
    st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from("abc"), st.sampled_from(KINDS))),
    st.integers(1, 12),
)
def test_any_traffic_keeps_order_count_and_the_newest_word(
    traffic: list[tuple[str, str, str]], size: int
) -> None:
    asyncio.run(_any_traffic(traffic, size))


async def _any_traffic(traffic: list[tuple[str, str, str]], size: int) -> None:
    queue = SinkQueue("any", size)
    put: list[Message] = []
    got: list[Message] = []
    for act, meter, kind in traffic:
        if act == "put":
            by_kind = {message["type"]: message for message in told(meter, len(put))}
            put.append(by_kind[kind])  # type: ignore[index]
            queue.put(put[-1])
            assert len(queue) <= max(size, 9)
        elif len(queue):
            got.append(await anext(queue))
    queue.close()
    got += await taken(queue)
    assert queue.accepted == len(put) == len(got) + queue.dropped
    for meter in "abc":
        before = [put.index(message) for message in got if message["meter"] == meter]
        assert before == sorted(before)
        for kind in ("status", "info"):
            newest = [m for m in put if m["meter"] == meter and m["type"] == kind][-1:]
            assert all(message in got for message in newest)


async def test_a_past_goes_only_to_sinks_that_take_one() -> None:
    central: asyncio.Queue[Message | None] = asyncio.Queue()
    queues = {"history": SinkQueue("history", 100, takes_past=True), "states": SinkQueue("states", 100)}
    sent: list[Message] = [reading(1), past("1"), reading(2)]
    for message in [*sent, None]:
        await central.put(message)
    await route(central, queues, everything)
    assert await taken(queues["history"]) == sent
    assert await taken(queues["states"]) == [sent[0], sent[2]]
    assert (queues["states"].accepted, queues["states"].dropped) == (2, 0)


async def test_that_another_machine_reads_a_meter_is_told_on_this_one_alone() -> None:
    queues = {"page": SinkQueue("page", 100, takes_standby=True), "broker": SinkQueue("broker", 100)}
    central = asyncio.Queue[Message | None]()
    waiting: Status = {**status(), "state": "offline", "reason": STANDBY}
    own = status()
    for message in (waiting, own, None):
        central.put_nowait(message)
    await route(central, queues, everything)
    assert await taken(queues["page"]) == [waiting, own]
    assert await taken(queues["broker"]) == [own]


async def test_a_past_that_is_dropped_is_counted_told_and_not_safe(caplog: pytest.LogCaptureFixture) -> None:
    receipts = Receipts(["slow"])
    queue = SinkQueue("slow", 3, takes_past=True, lose=receipts.of("slow").lose)
    issued = [receipts.issue() for _ in range(5)]
    for receipt in issued:
        queue.put(past(receipt.key))
    assert [receipt.is_lost for receipt in issued] == [True, True, False, False, False]
    assert queue.dropped_by_kind == {"past": 2}
    queue.report_remaining_drops()
    assert "1 window of a meter's memory dropped" in caplog.text
    queue.close()
    assert await taken(queue) == [past(receipt.key) for receipt in issued[2:]]
    queue.put(past(issued[4].key))
    assert issued[4].is_lost, "a sink that has ended for good never confirms"


async def test_a_past_without_a_receipt_is_dropped_like_a_reading(caplog: pytest.LogCaptureFixture) -> None:
    lost: list[str] = []
    queue = SinkQueue("slow", 3, takes_past=True, lose=lost.append)
    without = past("1")
    del without["receipt"]
    for _ in range(4):
        queue.put(without)
    queue.put({**reading(1), "receipt": "2"})  # type: ignore[arg-type] # of no past
    queue.close()
    queue.put(without)
    assert (queue.dropped_by_kind, lost) == ({"past": 2}, [])
    for _ in range(2):
        queue.report_remaining_drops()
    assert caplog.text.count("1 more window of a meter's memory were dropped") == 1


async def test_a_past_pushes_out_no_newer_status() -> None:
    queue = SinkQueue("slow", 3, takes_past=True)
    queue.put(status())
    for number in range(5):
        queue.put(past(str(number)))
    queue.close()
    assert [message["type"] for message in await taken(queue)] == ["status", "past", "past"]


async def test_a_past_that_does_not_pass_is_lost_at_once() -> None:
    receipts = Receipts(["history"])
    passes, beside, refused, answered, broken = (receipts.issue() for _ in range(5))

    def judge(message: Message) -> list[Message]:
        receipt = message.get("receipt")
        if receipt == broken.key:
            raise ValueError("broken")
        if receipt == refused.key:
            return []
        if receipt == answered.key:
            return [status()]
        return [status(), message] if receipt == beside.key else [message]

    central: asyncio.Queue[Message | None] = asyncio.Queue()
    queue = SinkQueue("history", 100, takes_past=True, lose=receipts.of("history").lose)
    for receipt in (passes, beside, refused, answered, broken):
        central.put_nowait(past(receipt.key))
    central.put_nowait(reading(1))
    central.put_nowait(None)
    await route(central, {"history": queue}, judge, receipts=receipts)
    assert [each.is_lost for each in (passes, beside, refused, answered, broken)] == [
        False,
        False,
        *[True] * 3,
    ]
    assert await taken(queue) == [past(passes.key), status(), past(beside.key), status(), reading(1)]


async def test_a_sink_that_takes_a_past_tells_its_own_receipts_of_what_is_dropped() -> None:
    class Keeps(StdoutSink):
        takes_past = True

    keeps, screen = Keeps("keeps", StdoutSettings()), StdoutSink("screen", StdoutSettings())
    receipts = Receipts(["keeps"])
    issued = [receipts.issue() for _ in range(5)]
    kept, shown = (queue_for(sink, 3, receipts) for sink in (keeps, screen))
    for receipt in issued:
        kept.put(past(receipt.key))
        shown.put(past(receipt.key))
    assert [receipt.is_lost for receipt in issued] == [True, True, False, False, False]
    assert (kept.sink, len(kept), shown.sink, len(shown)) == ("keeps", 3, "screen", 0)
