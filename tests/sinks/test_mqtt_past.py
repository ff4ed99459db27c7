"""What a meter had kept, over MQTT: on the history topic alone, confirmed by what the broker acknowledges."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest

from smart_meter_reader.messages import Past
from smart_meter_reader.messages.receipts import Receipt, Receipts
from smart_meter_reader.sinks.mqtt_json import MqttJsonSettings, MqttJsonSink
from tests.peers.mosquitto import Mosquitto, Watcher
from tests.sinks.test_mqtt_json import BASE, INFO, START, impatient, reading, running, seen, sink_at, status

__all__ = ["impatient"]


def past(receipt: str, first: int = 0, rows: int = 5) -> Past:
    return {
        "type": "past",
        "meter": "heat",
        "time": START + timedelta(days=3),
        "logger": "hour",
        "receipt": receipt,
        "rows": tuple(
            {
                "measured_at": START + timedelta(hours=number),
                "log_id": 100 + number,
                "measurements": {"heat_energy": {"value": Decimal(number), "unit": "GJ"}},
            }
            for number in range(first, first + rows)
        ),
    }


def with_receipts(sink: MqttJsonSink) -> Receipts:
    receipts = Receipts([sink.name])
    sink.take_receipts(receipts.of(sink.name))
    return receipts


def json_sink(**settings: Any) -> MqttJsonSink:
    return MqttJsonSink("json", MqttJsonSettings(host="127.0.0.1", **settings))


def test_it_is_taken_only_with_the_topic_for_it() -> None:
    assert not json_sink().takes_past
    assert json_sink(history=True).takes_past


@pytest.mark.parametrize("form", ["nested", "flat"])
def test_each_row_is_like_a_reading_of_its_time(form: Literal["nested", "flat"]) -> None:
    sink = json_sink(history=True, format=form, qos=0, retain=True, value_topics=True)
    (first, *others) = [told for _, told in sink.preview([past("")]) if told.topic.endswith("/heat/history")]
    assert len(others) == 4
    values: dict[str, Any] = {"measurements": {"heat_energy": {"value": 0, "unit": "GJ"}}}
    assert json.loads(first.payload) == {
        "time": "2026-01-15T12:00:00Z",
        **(values if form == "nested" else {"heat_energy": 0}),
        "read_at": "2026-01-18T12:00:00Z",
        "logger": "hour",
        "log_id": 100,
    }
    assert (first.qos, first.retain, first.keep) == (1, False, True)
    topics = {told.topic for occasion, told in sink.preview([past("")]) if occasion == "past"}
    assert topics == {f"{BASE}/heat/history"}


def test_a_row_of_the_info_logger_tells_what_was_reported_from_then_on() -> None:
    told: Past = {
        **past("", rows=1),
        "logger": "info",
        "reported_before": "none",
    }
    told["rows"][0]["measurements"] = {
        "info_bits": {"value": Decimal(256), "unit": ""},
        "info_code_text": {"value": "flow sensor V1: signal too low (air)", "unit": ""},
    }
    (row,) = [each for _, each in json_sink(history=True).preview([told]) if each.topic.endswith("/history")]
    assert json.loads(row.payload) == {
        "time": "2026-01-15T12:00:00Z",
        "measurements": {
            "info_bits": {"value": 256, "unit": ""},
            "info_code_text": {"value": "flow sensor V1: signal too low (air)", "unit": ""},
        },
        "read_at": "2026-01-18T12:00:00Z",
        "logger": "info",
        "log_id": 100,
    }


async def test_it_is_safe_when_the_broker_has_all_of_it(broker: Mosquitto, watcher: Watcher) -> None:
    sink = sink_at(broker, history=True)
    receipts = with_receipts(sink)
    safe, empty = receipts.issue(), receipts.issue()
    async with running(sink) as queue:
        for message in (INFO, status(), reading(99), past(safe.key), past(empty.key, rows=0)):
            queue.put(message)
        async with asyncio.timeout(20):
            assert await safe.settled()
            assert await empty.settled()
        messages = await seen(watcher, "/history", 4)
    told = [message.json for message in messages if message.topic.endswith("/history")]
    assert [each.get("log_id") for each in told] == [None, 100, 101, 102, 103, 104]
    assert [message.json["time"] for message in messages if message.topic.endswith("/state")] == [
        "2026-01-15T12:01:39Z"
    ]


@pytest.mark.usefixtures("impatient")
async def test_it_waits_for_a_broker_that_is_away(broker: Mosquitto, watcher: Watcher) -> None:
    broker.stop()
    sink = sink_at(broker, history=True)
    receipts = with_receipts(sink)
    issued = [receipts.issue() for _ in range(20)]
    async with running(sink) as queue:
        for number, receipt in enumerate(issued):
            queue.put(past(receipt.key, first=5 * number))
        while len(queue):
            await asyncio.sleep(0.01)
        assert not any(receipt.is_safe or receipt.is_lost for receipt in issued)
        await asyncio.to_thread(broker.start)
        async with asyncio.timeout(30):
            assert await _all(issued)
        messages = await seen(watcher, "/history", 99)
    ids = [message.json["log_id"] for message in messages if message.topic.endswith("/history")]
    assert list(dict.fromkeys(ids)) == list(range(100, 200))


@pytest.mark.usefixtures("impatient")
async def test_what_the_full_ring_drops_is_lost(broker: Mosquitto) -> None:
    broker.stop()
    sink = sink_at(broker, history=True, history_size=10)
    receipts = with_receipts(sink)
    issued = [receipts.issue() for _ in range(3)]
    async with running(sink) as queue:
        for number, receipt in enumerate(issued):
            queue.put(past(receipt.key, first=5 * number))
        async with asyncio.timeout(20):
            assert not await issued[0].settled()
        await asyncio.to_thread(broker.start)
        async with asyncio.timeout(20):
            assert await _all(issued[1:])
    assert [receipt.is_lost for receipt in issued] == [True, False, False]


async def _all(receipts: list[Receipt]) -> bool:
    return all([await receipt.settled() for receipt in receipts])
