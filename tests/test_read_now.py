"""Readings asked for, from the broker or a signal to the line and back: the whole service on real peers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from smart_meter_reader import app
from smart_meter_reader.codecs.kmp import GetRegisterRequest
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.settings.loading import MeterSettings, ServiceSettings, SinkSettings
from smart_meter_reader.sinks.mqtt_json import MqttJsonSettings
from tests.peers.feed import until
from tests.peers.mosquitto import Mosquitto, broker, make_broker
from tests.peers.mqtt_recorder import Recorder, recording

__all__ = ["broker", "make_broker"]

BASE = "smart-meter-reader/heat"
ENERGY = 60
PRESSES = 10


@asynccontextmanager
async def service(port: str, broker: Mosquitto, **keys: Any) -> AsyncIterator[app.Service]:
    """The service with a KMP meter at a port and `mqtt_json`, until it has stopped in order."""
    meter = KamstrupSettings(port=port, baud=115_200, **keys)
    sink = MqttJsonSettings(host="127.0.0.1", port=broker.port, service="cellar")
    running = app.Service(
        ServiceSettings(
            environment="cellar",
            log_level="INFO",
            queue_size=100,
            meters=MappingProxyType({"heat": MeterSettings("heat", "kamstrup", meter, GuardSettings())}),
            sinks=MappingProxyType({"mqtt": SinkSettings("mqtt", "mqtt_json", sink)}),
        )
    )
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        running.stop()
        await task


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))


def readings(recorder: Recorder) -> int:
    return sum(message.topic == f"{BASE}/state" for message in list(recorder.traffic))


def status(recorder: Recorder) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads(recorder.newest(f"{BASE}/status") or "{}")
    return told


def polls(meter: KamstrupMeter) -> int:
    """Readings that were asked for, by the request that has the energy in it; each takes two."""
    return sum(
        isinstance(request, GetRegisterRequest) and ENERGY in request.registers for request in meter.asked
    )


async def test_ten_presses_are_one_reading_on_the_line(broker: Mosquitto) -> None:
    """M19: psvanstrom/esphome-uh50reader#1, esphome/feature-requests#2509."""
    meter = KamstrupMeter(reply_delay=0.0)
    with recording(broker.port) as recorder:
        async with on_pty(meter) as port, service(port, broker):
            await until(lambda: readings(recorder) == 1)
            frames, polled = len(meter.asked), polls(meter)
            for _ in range(PRESSES):
                recorder.publish(f"{BASE}/read", "now")
            await until(lambda: status(recorder).get("reason") == "read_too_soon")
            await until(lambda: readings(recorder) == 2)
            assert (len(meter.asked) - frames, polls(meter) - polled) == (2, 1), "without identity"
            told = status(recorder)
        assert readings(recorder) == 2
    assert told["state"] == "online"
    assert "possible again at" in told["detail"]
    assert told["health"]["read_now_used"] == 1
    assert told["health"]["read_now_refused"] >= 1


async def test_a_signal_asks_the_same_way_and_shares_the_distance(broker: Mosquitto) -> None:
    meter = KamstrupMeter(reply_delay=0.0)
    with recording(broker.port) as recorder:
        async with on_pty(meter) as port, service(port, broker) as running:
            await until(lambda: readings(recorder) == 1)
            polled = polls(meter)
            recorder.publish(f"{BASE}/read", "")
            await until(lambda: readings(recorder) == 2)
            for _ in range(PRESSES):
                running.read_now()  # as the signal does
            await until(lambda: status(recorder).get("reason") == "read_too_soon")
            assert polls(meter) == polled + 1
            (client,) = (each.client for each in running.meters)
            assert (client.health["read_now_used"], client.health["read_now_refused"]) == (1, PRESSES)


async def test_presses_during_a_reading_have_their_answer_in_it(broker: Mosquitto) -> None:
    meter = KamstrupMeter(reply_delay=1.0)
    with recording(broker.port) as recorder:
        patient = timedelta(seconds=20)
        async with on_pty(meter) as port, service(port, broker, answer_timeout=patient) as running:
            await until(lambda: polls(meter) == 1)
            for _ in range(PRESSES):
                running.read_now()
            meter._reply_delay = 0.0
            await until(lambda: readings(recorder) == 1)
            # Whatever had been asked for would be on the line before what the guard asks for.
            running._requests.read_again("heat")
            await until(lambda: readings(recorder) == 2)
            assert polls(meter) == 2


async def test_on_mains_each_press_may_bring_a_reading_and_a_flood_is_no_queue(broker: Mosquitto) -> None:
    meter = KamstrupMeter(reply_delay=0.0)
    with recording(broker.port) as recorder:
        async with on_pty(meter) as port, service(port, broker, mains_powered=True) as running:
            for count in range(1, 4):
                await until(lambda count=count: readings(recorder) == count)  # type: ignore[misc]
                recorder.publish(f"{BASE}/read", "now")
            await until(lambda: readings(recorder) == 4)
            polled = polls(meter)
            for _ in range(10_000):
                running.read_now()
            await until(lambda: readings(recorder) > 4)
            # Whatever waits beside it would be read by the time this one is.
            recorder.publish(f"{BASE}/read", "now")
            await until(lambda: readings(recorder) > 5)
            assert polls(meter) == polled + 2


async def test_a_press_while_the_port_is_away_says_so_and_is_not_kept(
    broker: Mosquitto, tmp_path: Path
) -> None:
    meter, link = KamstrupMeter(reply_delay=0.0), tmp_path / "head"
    with recording(broker.port) as recorder:
        async with service(str(link), broker) as running:
            await until(lambda: status(recorder).get("reason") == "port_missing")
            for _ in range(PRESSES):
                recorder.publish(f"{BASE}/read", "now")
            (client,) = (each.client for each in running.meters)
            await until(lambda: client.health["read_now_refused"] == PRESSES)
            await until(lambda: status(recorder).get("health", {}).get("read_now_refused"))
            assert status(recorder)["reason"] == "port_missing"
            async with on_pty(meter, link=link):
                await until(lambda: readings(recorder) == 1)
                recorder.publish(f"{BASE}/read", "now")
                await until(lambda: readings(recorder) == 2)
            assert polls(meter) == 2
