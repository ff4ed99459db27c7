"""What others leave at a real Mosquitto where a sink alone speaks is put right, and told once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.messages import Info, Reading, Status
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantSettings, HomeAssistantSink
from smart_meter_reader.sinks.homie.sink import HomieSettings, HomieSink
from smart_meter_reader.sinks.mqtt_json import MqttJsonSettings, MqttJsonSink
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from tests.peers.feed import Feed, until
from tests.peers.mosquitto import Mosquitto
from tests.peers.mqtt_recorder import recording, retained

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
CONFIG = "homeassistant/device/smart_meter_reader_heat/config"
ONLINE: Status = {
    "type": "status",
    "meter": "heat",
    "time": NOON,
    "state": "online",
    "reason": "",
    "detail": "readings arrive",
}


def info(serial: str = "1") -> Info:
    return {"type": "info", "meter": "heat", "time": NOON, "serial_number": serial}


def reading(energy: str = "227.445") -> Reading:
    measurements = {"heat_energy": {"value": Decimal(energy), "unit": "GJ"}}
    return {"type": "reading", "meter": "heat", "time": NOON, "measurements": measurements}  # type: ignore[typeddict-item]


Make = Callable[[int, str], MqttSink]
SINKS: dict[str, Make] = {
    "mqtt_json": lambda port, service: MqttJsonSink(
        "mqtt_json", MqttJsonSettings(host="127.0.0.1", port=port, service=service)
    ),
    "home_assistant": lambda port, service: HomeAssistantSink(
        "home_assistant", HomeAssistantSettings(host="127.0.0.1", port=port, service=service)
    ),
    "homie": lambda port, service: HomieSink(
        "homie", HomieSettings(host="127.0.0.1", port=port, service=service)
    ),
}
# Sink: topics on which it alone speaks, what it says there, and what a run by hand leaves behind.
AVAILABILITY = [
    ("mqtt_json", "smart-meter-reader/availability/house", "online", "offline"),
    ("mqtt_json", "smart-meter-reader/heat/availability", "online", "offline"),
    ("home_assistant", "smart_meter_reader_ha/availability/house", "online", "offline"),
    ("home_assistant", "smart_meter_reader_ha/heat/availability", "online", ""),
    ("homie", "homie/heat/$state", "ready", "disconnected"),
]
IDENTITY = {
    "mqtt_json": "smart-meter-reader/heat/info",
    "home_assistant": CONFIG,
    "homie": "homie/heat/$implementation",
}


@asynccontextmanager
async def running(sink: MqttSink, serial: str = "1") -> AsyncIterator[Feed]:
    feed = Feed()
    task = asyncio.create_task(sink.run(feed.messages()))
    feed.put(info(serial), ONLINE, reading())
    try:
        yield feed
    finally:
        feed.end()
        await task


def watched(broker: Mosquitto, topic: str, count: int = 1) -> Callable[[], bool]:
    """Whether the broker has been asked for a topic, which it logs."""
    return lambda: broker.log().count(f"{topic} (QoS 1)") >= count


@pytest.mark.parametrize(("name", "topic", "right", "wrong"), AVAILABILITY)
async def test_what_a_run_by_hand_left_is_put_right(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture, name: str, topic: str, right: str, wrong: str
) -> None:
    """dingo35/SmartEVSE-3.5#154: it stayed so for ever, while the readings came."""
    with recording(broker.port) as recorder:
        async with running(SINKS[name](broker.port, "house")):
            await recorder.sees(topic, right)
            await until(watched(broker, topic))
            for _ in range(2):
                recorder.publish(topic, wrong, retain=True)
                await recorder.sees(topic, wrong)
                await recorder.sees(topic, right)
            assert (await asyncio.to_thread(retained, broker.port))[topic] == right
    told = [text for text in caplog.messages if topic in text]
    assert len(told) == 1
    assert ("has removed" if not wrong else "was overwritten with") in told[0]


async def test_a_device_deleted_in_home_assistant_comes_back(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    """allangood/rtlamr2mqtt#179: Home Assistant removes the discovery from the broker when it deletes one."""
    with recording(broker.port) as recorder:
        async with running(SINKS["home_assistant"](broker.port, "house")):
            await until(lambda: "heat_energy" in (recorder.newest(CONFIG) or ""))
            await until(watched(broker, "smart_meter_reader_ha/heat/availability"))
            before = recorder.newest(CONFIG)
            recorder.publish(CONFIG, "", retain=True)
            await recorder.sees(CONFIG, "")
            await recorder.sees(CONFIG, str(before))
            states = recorder.count("smart_meter_reader_ha/heat/state", _state(recorder.newest))
            assert states >= 2  # with what belongs to it
    assert [text for text in caplog.messages if "a device deleted in Home Assistant" in text]


def _state(newest: Callable[[str], str | None]) -> str:
    return newest("smart_meter_reader_ha/heat/state") or ""


@pytest.mark.parametrize("name", IDENTITY)
async def test_two_services_with_a_meter_of_one_name_both_say_so(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """rtlamr2mqtt#312: two computers set up after the same README mixed their values without a word."""
    topic = IDENTITY[name]
    with recording(broker.port) as recorder:
        async with running(SINKS[name](broker.port, "house"), "1"):
            await until(watched(broker, topic))
            async with running(SINKS[name](broker.port, "cellar"), "2"):
                told = f"another service publishes a meter of the same name ({topic})"
                await until(lambda: sum(told in text for text in caplog.messages) == 2)
        # Neither takes the word from the other again and again.
        assert sum(item.topic == topic for item in recorder.traffic) < 15
    assert sum(told in text for text in caplog.messages) == 2


async def test_of_another_services_discovery_nothing_is_merged(broker: Mosquitto) -> None:
    with recording(broker.port) as recorder:
        recorder.publish(CONFIG, json.dumps(_foreign()), retain=True)
        async with running(SINKS["home_assistant"](broker.port, "house")) as feed:
            feed.put(reading("227.446"), reading("227.447"), reading("227.448"))
            await until(lambda: "227.448" in _state(recorder.newest))
            assert "foreign" not in (recorder.newest(CONFIG) or "foreign")


def _foreign() -> dict[str, object]:
    component = {"p": "sensor", "uniq_id": "smart_meter_reader_heat_foreign"}
    return {
        "cmps": {"foreign": component},
        "avty": [{"t": "smart_meter_reader_ha/availability/cellar"}],
    }


@pytest.mark.parametrize("name", SINKS)
async def test_a_stop_is_clean_whatever_the_broker_still_has_to_say(broker: Mosquitto, name: str) -> None:
    """What is watched comes back until the end; a socket closed before it was read is a broken connection."""
    stops = 12
    for number in range(stops):
        async with running(SINKS[name](broker.port, "house")) as feed:
            for value in range(number):
                feed.put(reading(str(value)))
    await until(lambda: broker.log().count(" disconnected.") >= stops)
    assert "closed its connection" not in broker.log()
    assert "Bad socket" not in broker.log()
