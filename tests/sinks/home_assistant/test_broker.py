"""The sink ``home_assistant`` on a real Mosquitto, before a Home Assistant that notes every complaint."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from smart_meter_reader.messages import Info, Reading, Status
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantSettings, HomeAssistantSink
from tests.peers.feed import Feed, until
from tests.peers.mosquitto import PATIENCE, Mosquitto
from tests.peers.mqtt_recorder import Recorder, recording, retained
from tests.validators.home_assistant import HomeAssistant

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
BASE = "smart_meter_reader_ha"
CONFIG = "homeassistant/device/smart_meter_reader_heat/config"
SERVICE = f"{BASE}/availability/test"
INFO: Info = {"type": "info", "meter": "heat", "time": NOON, "model": "MULTICAL 403", "interval": 60}
ONLINE: Status = {
    "type": "status",
    "meter": "heat",
    "time": NOON,
    "state": "online",
    "reason": "",
    "detail": "readings arrive",
    "health": {"valid_readings": 1, "requests_24h": 2},
}

KILLED = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantSettings, HomeAssistantSink

async def messages():
    yield {
        "type": "reading", "meter": "heat", "time": datetime.now(UTC),
        "measurements": {"volume": {"value": Decimal("7.60"), "unit": "m³"}},
    }
    await asyncio.Event().wait()

settings = HomeAssistantSettings(host="127.0.0.1", port=int(sys.argv[1]), service="test")
asyncio.run(HomeAssistantSink("home_assistant", settings).run(messages()))
"""


def reading(energy: str, **others: str) -> Reading:
    measurements = {"heat_energy": energy, **others}
    return {
        "type": "reading",
        "meter": "heat",
        "time": NOON,
        "measurements": {key: {"value": Decimal(v), "unit": "GJ"} for key, v in measurements.items()},
    }


def sink(broker: Mosquitto) -> HomeAssistantSink:
    settings = HomeAssistantSettings(host="127.0.0.1", port=broker.port, service="test")
    return HomeAssistantSink("home_assistant", settings)


def home(recorder: Recorder) -> HomeAssistant:
    heard = HomeAssistant().feed(list(recorder.traffic))
    assert heard.problems == []
    return heard


def state(recorder: Recorder, entity: str) -> str | None:
    return home(recorder).states().get(f"sensor.heat_{entity}")


async def test_from_start_to_a_clean_stop(broker: Mosquitto) -> None:
    feed = Feed()
    with recording(broker.port) as recorder:
        running = asyncio.create_task(sink(broker).run(feed.messages()))
        feed.put(INFO, ONLINE, reading("227.445"))
        await until(lambda: state(recorder, "heat_energy") == "227.445")
        assert set(home(recorder).states().values()).isdisjoint({"unknown", "unavailable"})
        feed.put(reading("227.450"))
        await until(lambda: state(recorder, "heat_energy") == "227.450")
        feed.end()
        await running
        await recorder.sees(SERVICE, "offline")
        assert set(home(recorder).states().values()) == {"unavailable"}
    assert all(item.qos == 1 and item.retain for item in recorder.traffic)
    assert CONFIG in await asyncio.to_thread(retained, broker.port)


async def test_the_birth_message_brings_everything_again(broker: Mosquitto) -> None:
    feed = Feed()
    with recording(broker.port) as recorder:
        running = asyncio.create_task(sink(broker).run(feed.messages()))
        feed.put(INFO, ONLINE, reading("227.445"))
        await recorder.sees(f"{BASE}/heat/availability", "online")
        await until(lambda: state(recorder, "heat_energy") == "227.445")
        recorder.traffic.clear()
        recorder.publish("homeassistant/status", "online")
        await recorder.sees(SERVICE, "online")
        assert state(recorder, "heat_energy") == "227.445"
        assert recorder.newest(CONFIG) is not None
        feed.end()
        await running


async def test_the_broker_restarts(broker: Mosquitto) -> None:
    feed = Feed()
    running = asyncio.create_task(sink(broker).run(feed.messages()))
    with recording(broker.port) as recorder:
        feed.put(INFO, ONLINE, reading("227.445"))
        await until(lambda: state(recorder, "heat_energy") == "227.445")
    broker.stop()
    feed.put(reading("227.460"))
    broker.start()
    with recording(broker.port) as recorder:
        await until(lambda: state(recorder, "heat_energy") == "227.460")
        await recorder.sees(SERVICE, "online")
        feed.end()
        await running


async def test_a_register_taken_out_of_the_settings_is_removed(broker: Mosquitto) -> None:
    with recording(broker.port) as recorder:
        first = Feed()
        first.put(reading("227.445", cooling_energy="1.5"))
        first.end()
        await sink(broker).run(first.messages())
        await until(lambda: "sensor.heat_cooling_energy" in home(recorder).states())
        second = Feed()
        running = asyncio.create_task(sink(broker).run(second.messages()))
        await recorder.sees(SERVICE, "online")
        async with asyncio.timeout(PATIENCE):
            while not home(recorder).removed:
                second.put(reading("227.446"))
                await asyncio.sleep(0.05)
        assert home(recorder).removed == ["smart_meter_reader_heat_cooling_energy"]
        second.end()
        await running
        assert "sensor.heat_cooling_energy" not in home(recorder).states()


async def test_sigkill_makes_everything_unavailable(broker: Mosquitto) -> None:
    with recording(broker.port) as recorder:
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(broker.port)])
        try:
            await until(lambda: state(recorder, "volume") == "7.60")
        finally:
            process.kill()
            process.wait()
        await recorder.sees(SERVICE, "offline")
        assert set(home(recorder).states().values()) == {"unavailable"}


async def test_two_services_do_not_speak_for_each_other(broker: Mosquitto) -> None:
    feed = Feed()
    settings = HomeAssistantSettings(host="127.0.0.1", port=broker.port, service="other")
    with recording(broker.port) as recorder:
        running = asyncio.create_task(sink(broker).run(feed.messages()))
        feed.put(INFO, ONLINE, reading("227.445"))
        other = Feed()
        other.end()
        await HomeAssistantSink("home_assistant", settings).run(other.messages())
        await recorder.sees(f"{BASE}/availability/other", "offline")
        await until(lambda: state(recorder, "heat_energy") == "227.445")
        feed.end()
        await running


async def test_the_other_form_of_discovery_is_cleared_after_a_change_of_the_setting(
    broker: Mosquitto,
) -> None:
    """Field, broker.json M18: for Domoticz, and back again."""

    def is_settled(form: str, topics: set[str]) -> bool:
        forms = {topic.startswith("homeassistant/device/") for topic in topics}
        return forms == {form == "device"} and any("_heat/" in topic for topic in topics)

    async def run_with(form: Literal["device", "single"]) -> set[str]:
        settings = HomeAssistantSettings(host="127.0.0.1", port=broker.port, service="test", discovery=form)
        feed, topics, seconds = Feed(), set[str](), 0
        running = asyncio.create_task(HomeAssistantSink("home_assistant", settings).run(feed.messages()))
        feed.put(INFO)
        while not is_settled(form, topics):
            seconds += 1
            feed.put(ONLINE, {**reading("227.445"), "time": NOON + timedelta(seconds=seconds)})
            kept = await asyncio.to_thread(retained, broker.port)
            topics = {topic for topic in kept if topic.endswith("/config")}
        feed.end()
        await running
        return topics

    async with asyncio.timeout(PATIENCE):
        first = await run_with("device")
        single = await run_with("single")
        again = await run_with("device")
    assert first == again == {CONFIG, "homeassistant/device/smart_meter_reader_service_test/config"}
    assert {topic.split("/")[2] for topic in single} == {
        "smart_meter_reader_heat",
        "smart_meter_reader_service_test",
    }
