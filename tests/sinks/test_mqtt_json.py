"""The sink mqtt_json: what it says, and that all of it arrives, whatever happens to the broker."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.messages import Info, Reading, Status
from smart_meter_reader.mqtt import connection
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.pipeline.router import SinkQueue
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.mqtt_json import JsonPresenter, MqttJsonSettings, MqttJsonSink
from tests.peers.hostile import serving
from tests.peers.mosquitto import PASSWORD, USER, MakeBroker, Mosquitto, Received, Watcher, login_lines

START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
BASE = "smart-meter-reader"


def reading(number: int = 0, **measurements: Measurement) -> Reading:
    return {
        "type": "reading",
        "meter": "heat",
        "time": START + timedelta(seconds=number),
        "measurements": measurements or {"heat_energy": {"value": Decimal(number), "unit": "GJ"}},
    }


def status(state: Literal["online", "offline", "alert"] = "online", reason: str = "") -> Status:
    return {
        "type": "status",
        "meter": "heat",
        "time": START,
        "state": state,
        "reason": reason,
        "detail": f"it is {state}",
        "health": {"valid_readings": 3},
    }


INFO: Info = {"type": "info", "meter": "heat", "time": START, "manufacturer": "Kamstrup", "interval": 3600}


def presenter(**keys: Any) -> JsonPresenter:
    return JsonPresenter(MqttJsonSettings(**keys))


def test_a_reading_is_one_object_with_the_meters_digits() -> None:
    (told,) = presenter().present(
        reading(
            heat_energy={"value": Decimal("227.40"), "unit": "GJ"},
            gas_volume={"value": Decimal("1.5"), "unit": "m³", "measured_at": START},
            info_code={"value": 0, "unit": ""},
        )
    )
    assert (told.topic, told.qos, told.retain, told.keep) == (f"{BASE}/heat/state", 1, True, False)
    assert told.payload == (
        '{"time":"2026-01-15T12:00:00Z","measurements":{"heat_energy":{"value":227.40,"unit":"GJ"},'
        '"gas_volume":{"value":1.5,"unit":"m³","measured_at":"2026-01-15T12:00:00Z"},'
        '"info_code":{"value":0,"unit":""}}}'
    )


def test_the_flat_variant_has_values_only() -> None:
    (told,) = presenter(format="flat").present(
        reading(
            heat_energy={"value": Decimal("227.445"), "unit": "GJ"},
            gas_volume={"value": Decimal("1.5"), "unit": "m³", "measured_at": START},
        )
    )
    assert told.payload == (
        '{"time":"2026-01-15T12:00:00Z","heat_energy":227.445,"gas_volume":1.5,'
        '"gas_volume_measured_at":"2026-01-15T12:00:00Z"}'
    )


def test_values_on_topics_of_their_own() -> None:
    told = presenter(value_topics=True, retain=False, qos=0).present(
        reading(
            heat_energy={"value": Decimal("2.55E+5"), "unit": "kWh"},
            info_code={"value": 16, "unit": ""},
            serial_number={"value": "0016", "unit": ""},
        )
    )
    assert [(item.topic.rpartition("/")[2], item.payload) for item in told[1:]] == [
        ("heat_energy", "255000"),
        ("info_code", "16"),
        ("serial_number", "0016"),
    ]
    assert {(item.qos, item.retain) for item in told} == {(0, False)}


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
    st.text(),
    st.sampled_from(["nested", "flat"]),
)
def test_what_is_published_is_what_was_read(value: Decimal, text: str, form: str) -> None:
    told = presenter(format=form, history=True).present(
        reading(power={"value": value, "unit": "kW"}, serial_number={"value": text, "unit": ""})
    )
    assert told[0].payload == told[1].payload
    content = json.loads(told[0].payload, parse_float=Decimal, parse_int=Decimal)
    values = content if form == "flat" else {k: m["value"] for k, m in content["measurements"].items()}
    assert (str(values["power"]), values["serial_number"]) == (str(value), text)


def test_availability_is_said_when_it_changes_and_status_always() -> None:
    talk = presenter()
    topics = [
        [(item.topic.rpartition("/")[2], item.payload) for item in talk.present(said)]
        for said in (status(), status(), status("alert", "key"), status("offline", "no_answer"), status())
    ]
    assert [[name for name, _ in said] for said in topics] == [
        ["status", "availability"],
        ["status"],
        ["status", "availability"],
        ["status"],
        ["status", "availability"],
    ]
    assert [payload for said in topics for name, payload in said if name == "availability"] == [
        "online",
        "offline",
        "online",
    ]
    content = json.loads(topics[3][0][1])
    assert (content["state"], content["reason"], content["detail"]) == (
        "offline",
        "no_answer",
        "it is offline",
    )
    assert content["health"] == {"valid_readings": 3}


def test_everything_current_is_announced_again_and_history_is_not() -> None:
    talk = presenter(history=True, service="house")
    for message in (INFO, status(), reading(1), reading(2)):
        talk.present(message)
    announced = talk.announce()
    assert [item.topic.removeprefix(f"{BASE}/") for item in announced] == [
        "heat/info",
        "heat/status",
        "heat/availability",
        "heat/state",
        "availability/house",
    ]
    assert "12:00:02" in str(announced[3].payload)
    assert talk.will is not None
    assert (talk.will.topic, talk.will.payload) == (announced[-1].topic, "offline")
    assert all(item.retain and not item.keep for item in announced)


def test_the_farewell_takes_back_what_is_online() -> None:
    talk = presenter()
    talk.present(status())
    assert [(item.topic.removeprefix(f"{BASE}/"), item.payload) for item in talk.farewell()][1:] == [
        ("heat/availability", "offline"),
        ("availability", "offline"),
    ]
    before, after = json.loads(talk.present(status())[0].payload), json.loads(talk.farewell()[0].payload)
    assert after["reason"] == "stopped"
    assert set(after) == set(before)
    assert datetime.fromisoformat(after["time"]) > datetime.fromisoformat(before["time"])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BROKER_AWAY", Backoff(0.05, 0.1))
    monkeypatch.setattr(connection, "WAITS_FOR_A_PERSON", Backoff(0.05, 0.1))


@asynccontextmanager
async def running(sink: MqttJsonSink) -> AsyncIterator[SinkQueue]:
    """The sink's queue while it runs; then the ordered stop."""
    queue = SinkQueue("json", 10_000, takes_past=sink.takes_past)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(sink.run(queue))
        try:
            yield queue
        finally:
            queue.close()


def sink_at(broker: Mosquitto, **keys: Any) -> MqttJsonSink:
    return MqttJsonSink("json", MqttJsonSettings(host="127.0.0.1", port=broker.port, **keys))


def numbers(messages: list[Received], ending: str) -> list[int]:
    return [
        message.json["measurements"]["heat_energy"]["value"]
        for message in messages
        if message.topic.endswith(ending)
    ]


async def seen(watcher: Watcher, ending: str, number: int) -> list[Received]:
    """All messages, once reading ``number`` has arrived on the topic."""
    return await asyncio.to_thread(
        watcher.wait_for, lambda messages: number in numbers(messages, ending)[-1:]
    )


async def test_a_clean_run_from_first_to_last_word(broker: Mosquitto, watcher: Watcher) -> None:
    async with running(sink_at(broker, value_topics=True)) as queue:
        for message in (INFO, status(), reading(1), reading(2)):
            queue.put(message)
        await seen(watcher, "/state", 2)
    messages = await asyncio.to_thread(
        watcher.wait_for, lambda messages: messages[-1].topic == f"{BASE}/availability"
    )
    assert watcher.newest(f"{BASE}/heat/heat_energy") == "2"
    assert watcher.newest(f"{BASE}/heat/availability") == "offline"
    assert watcher.newest(f"{BASE}/availability") == "offline"
    assert next(item.text for item in messages if item.topic == f"{BASE}/availability") == "online"
    assert {item.qos for item in messages} == {1}
    async with asyncio.timeout(15):
        while "disconnected" not in broker.log():  # a farewell, and no broken connection
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("impatient")
async def test_readings_from_before_the_broker_follow_with_their_own_time(
    broker: Mosquitto, watcher: Watcher
) -> None:
    broker.stop()
    async with running(sink_at(broker, history=True)) as queue:
        for number in range(300):
            queue.put(reading(number))
        while len(queue):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(broker.start)
        messages = await seen(watcher, "/history", 299)
    assert numbers(messages, "/history") == list(range(300))
    assert numbers(messages, "/state") == [299]
    first = next(message for message in messages if message.topic.endswith("/history"))
    assert first.json["time"] == "2026-01-15T12:00:00Z"


@pytest.mark.usefixtures("impatient")
async def test_a_restart_in_the_middle_loses_nothing_and_repeats_nothing(
    broker: Mosquitto, watcher: Watcher
) -> None:
    async with running(sink_at(broker, history=True)) as queue:
        for number in range(50):
            queue.put(reading(number))
        await seen(watcher, "/history", 49)
        await asyncio.to_thread(broker.stop)
        for number in range(50, 300):
            queue.put(reading(number))
            await asyncio.sleep(0)
        await asyncio.to_thread(broker.start)
        for number in range(300, 350):
            queue.put(reading(number))
            await asyncio.sleep(0.002)
        messages = await seen(watcher, "/history", 349)
        await seen(watcher, "/state", 349)
    assert numbers(messages, "/history") == list(range(350))
    assert json.loads(watcher.newest(f"{BASE}/heat/history") or "")["time"] == "2026-01-15T12:05:49Z"
    live = numbers(watcher.live(), "/state")
    assert live == sorted(set(live))
    assert live[-1] == 349


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_breaks_at_any_time_loses_no_history(
    broker: Mosquitto, watcher: Watcher
) -> None:
    """Broken off in the middle of the traffic, so that some is written and not acknowledged."""
    async with running(sink_at(broker, history=True)) as queue:
        for number in range(400):
            queue.put(reading(number))
            if number % 100 == 99:
                await asyncio.sleep(0.002)
                await asyncio.to_thread(broker.stop)
                await asyncio.to_thread(broker.start)
        messages = await seen(watcher, "/history", 399)
    arrived = numbers(messages, "/history")
    # At least once, and in order: what was not acknowledged is sent again before what came later.
    assert list(dict.fromkeys(arrived)) == list(range(400))


@pytest.mark.usefixtures("impatient")
async def test_history_that_a_broker_took_and_never_acknowledged_is_sent_again() -> None:
    """The first three connections break when all has been written; nothing was acknowledged on any."""
    heard: list[list[int]] = []
    thrice = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"\x20\x02\x00\x00")
        got = b""
        while len(history := re.findall(rb'/history.*?"value": ?(\d+)', got, re.DOTALL)) < 4:
            if not (piece := await reader.read(65536)):
                return
            got += piece
        heard.append([int(number) for number in history])
        if len(heard) == 3:
            thrice.set()

    async with serving(talk) as port:
        sink = MqttJsonSink(
            "json", MqttJsonSettings(host="127.0.0.1", port=port, protocol="3.1.1", history=True)
        )
        queue = SinkQueue("json", 10)
        task = asyncio.create_task(sink.run(queue))
        for number in range(4):
            queue.put(reading(number))
        async with asyncio.timeout(30):
            await thrice.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert heard[:3] == [[0, 1, 2, 3]] * 3


@dataclass(frozen=True, slots=True)
class Noted(Backoff):
    """Keeps how many failures it was asked about."""

    failures: list[int] = field(default_factory=list)

    def wait(self, failures: int, jitter: random.Random) -> float:
        self.failures.append(failures)
        return 0.01


@pytest.mark.parametrize(("steady", "failures"), [(0.0, [1, 1, 1, 1]), (1000.0, [1, 2, 3, 4])])
async def test_after_a_link_that_stood_for_long_the_waits_begin_anew(
    monkeypatch: pytest.MonkeyPatch, steady: float, failures: list[int]
) -> None:
    noted = Noted(1.0, 30.0)
    monkeypatch.setattr(connection, "BROKER_AWAY", noted)
    monkeypatch.setattr(connection, "WAITS_FOR_A_PERSON", noted)
    monkeypatch.setattr(connection, "STEADY_SECONDS", steady)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"\x20\x02\x00\x00")
        await reader.read(4096)  # what is announced; then the connection breaks

    async with serving(talk) as port:
        settings = MqttJsonSettings(host="127.0.0.1", port=port, protocol="3.1.1")
        task = asyncio.create_task(MqttJsonSink("json", settings).run(SinkQueue("json", 10)))
        async with asyncio.timeout(30):
            while len(noted.failures) < 4:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert noted.failures[:4] == failures


@pytest.mark.usefixtures("impatient")
async def test_a_full_history_drops_the_oldest_and_says_so(
    broker: Mosquitto, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    broker.stop()
    sink = sink_at(broker, history=True, history_size=10)
    async with running(sink) as queue:
        for number in range(25):
            queue.put(reading(number))
        while len(queue):
            await asyncio.sleep(0.01)
        assert "more waits for the broker than is kept" in caplog.text
        await asyncio.to_thread(broker.start)
        messages = await seen(watcher, "/history", 24)
    assert numbers(messages, "/history") == list(range(15, 25))
    # One warning a minute, and the rest at the end: together they tell of every one.
    assert "1 of the oldest readings or events lost, 1 in all" in caplog.text
    assert "14 of the oldest readings or events lost, 15 in all" in caplog.text


async def test_what_cannot_be_delivered_at_the_stop_is_counted(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    broker.stop()
    async with running(sink_at(broker, history=True)) as queue:
        for number in range(7):
            queue.put(reading(number))
    assert "7 readings or events that waited for the broker were not delivered" in caplog.text
    assert "nothing listens on 127.0.0.1" in caplog.text


@pytest.mark.usefixtures("impatient")
async def test_a_wrong_password_is_said_once_and_never_looks_connected(
    make_broker: MakeBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    broker = make_broker(*login_lines(tmp_path / "login"), anonymous=False)
    async with running(sink_at(broker, username=USER, password=Secret("wrong"))):
        while broker.log().count("not authorised") < 4:
            await asyncio.sleep(0.02)
    said = [record.getMessage() for record in caplog.records if "mqtt" in record.name]
    assert len([text for text in said if "`password`" in text]) == 1
    assert not [text for text in said if "connected to" in text or "wrong" in text]


async def test_topics_that_the_broker_refuses_are_named_once(
    make_broker: MakeBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = make_broker(*login_lines(tmp_path / "login", "topic readwrite other/#"), anonymous=False)
    sink = sink_at(broker, username=USER, password=Secret(PASSWORD))
    async with running(sink) as queue:
        queue.put(status())
        queue.put(reading())
        while "does not let us" not in caplog.text:
            await asyncio.sleep(0.01)
    assert caplog.text.count("does not let us publish to smart-meter-reader/") == 1


async def test_a_broker_that_knows_only_mqtt_3(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    versions: list[int] = []
    published = bytearray()
    writers: list[asyncio.StreamWriter] = []

    async def old_broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        connect = await reader.read(4096)
        versions.append(connect[8])  # MQTT 3.1.1, 3.1.2.2: protocol level
        accepted = connect[8] == 4
        writer.write(b"\x20\x02\x00" + (b"\x00" if accepted else b"\x01"))
        while accepted and (chunk := await reader.read(4096)):
            published.extend(chunk)
        writer.close()

    async with await asyncio.start_server(old_broker, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        queue = SinkQueue("json", 10)
        sink = MqttJsonSink("json", MqttJsonSettings(host="127.0.0.1", port=port, qos=0))
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(sink.run(queue))
            while b"online" not in published:
                await asyncio.sleep(0.01)
            queue.put(reading(1))
            while b"heat/state" not in published:
                await asyncio.sleep(0.01)
            queue.close()
        for writer in writers:
            await writer.wait_closed()
    assert versions == [5, 4]
    assert published.endswith(b"offline\xe0\x00")
    assert "(MQTT 3.1.1)" in caplog.text


SCRIPT = """
import asyncio, sys
from tests.sinks.test_mqtt_json import INFO, reading, status
from smart_meter_reader.pipeline.router import SinkQueue
from smart_meter_reader.sinks.mqtt_json import MqttJsonSettings, MqttJsonSink

async def main():
    queue = SinkQueue("json", 100)
    for message in (INFO, status(), reading(7)):
        queue.put(message)
    await MqttJsonSink("json", MqttJsonSettings(host="127.0.0.1", port=int(sys.argv[1]))).run(queue)

asyncio.run(main())
"""


async def test_sigkill_leaves_the_service_offline(broker: Mosquitto, watcher: Watcher) -> None:
    root = Path(__file__).parent.parent.parent
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(broker.port)], cwd=root)
    try:
        await seen(watcher, "/state", 7)
        assert watcher.newest(f"{BASE}/availability") in (None, "online")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    await asyncio.to_thread(
        watcher.wait_for,
        lambda messages: (messages[-1].topic, messages[-1].text) == (f"{BASE}/availability", "offline"),
    )


@pytest.mark.parametrize(
    ("last", "ours"),
    [
        ("state", True),
        ("info", True),
        ("heat_energy", True),
        ("register_1234", True),
        ("set", False),
        ("temperature", False),
    ],
)
def test_what_lies_below_a_meter_and_is_ours(last: str, ours: bool) -> None:
    """`mqtt clear` leaves alone what others have put under a base that we share with them."""
    assert MqttJsonSink("json", MqttJsonSettings()).is_ours("heat", f"home/heat/{last}", b"1") is ours
