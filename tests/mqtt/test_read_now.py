"""Commands for a reading over a real broker, by each sink that takes them: what asks, and what does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.messages import Reading, Reply, Status
from smart_meter_reader.mqtt.sockets.incoming import LONGEST_PACKET
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantSettings, HomeAssistantSink
from smart_meter_reader.sinks.homie.sink import HomieSettings, HomieSink
from smart_meter_reader.sinks.mqtt_json import MqttJsonSettings, MqttJsonSink
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.sinks.requests import Requests
from tests.peers.feed import Feed, until
from tests.peers.mosquitto import PASSWORD, USER, MakeBroker, Mosquitto, login_lines
from tests.peers.mqtt_recorder import Recorder, recording
from tests.validators.home_assistant import HomeAssistant
from tests.validators.homie import HomieValidator

READING: Reading = {
    "type": "reading",
    "meter": "heat",
    "time": datetime(2026, 2, 1, 12, 0, tzinfo=UTC),
    "measurements": {"power": {"value": Decimal("4.20"), "unit": "kW"}},
}
# As a polled meter has it: its counts are beside the command on all pages.
ONLINE: Status = {
    "type": "status",
    "meter": "heat",
    "time": READING["time"],
    "state": "online",
    "reason": "",
    "detail": "readings arrive",
    "health": {"valid_readings": 1, "read_now_used": 0, "read_now_refused": 0},
}
FLOOD = 10_000
JSON, HOMIE, HOME_ASSISTANT = "mqtt_json", "homie", "home_assistant"
SINKS: dict[str, tuple[type[MqttSink], type[Any], str, str]] = {
    JSON: (MqttJsonSink, MqttJsonSettings, "smart-meter-reader/heat/read", "anything"),
    HOMIE: (HomieSink, HomieSettings, "homie/heat/meter/read-now/set", "true"),
    HOME_ASSISTANT: (HomeAssistantSink, HomeAssistantSettings, "smart_meter_reader_ha/heat/read", "PRESS"),
}
# Of each sink the last that it says after a connect.
SETTLED = {
    JSON: ("smart-meter-reader/availability/reader", "online"),
    HOMIE: ("homie/heat/$state", "ready"),
    HOME_ASSISTANT: ("smart_meter_reader_ha/availability/reader", "online"),
}


class Asked:
    """Counts what is asked for."""

    def __init__(self) -> None:
        self.times = 0
        self.requests = Requests({"heat": self.take})

    def take(self) -> Reply:
        self.times += 1
        return Reply(taken=True)


@asynccontextmanager
async def running(kind: str, broker: Mosquitto, recorder: Recorder, **keys: Any) -> AsyncIterator[Asked]:
    """A sink with one meter, from its first reading until it has said its farewell."""
    sink_class, settings_class, *_ = SINKS[kind]
    asked, feed = Asked(), Feed()
    sink = sink_class(kind, settings_class(host="127.0.0.1", port=broker.port, service="reader", **keys))
    sink.take_requests_to(asked.requests)
    feed.put(ONLINE, READING)
    async with asyncio.TaskGroup() as group:
        group.create_task(sink.run(feed.messages()))
        await recorder.sees(*SETTLED[kind])
        yield asked
        feed.end()


@pytest.fixture
def recorder(broker: Mosquitto) -> Iterator[Recorder]:
    with recording(broker.port) as watching:
        yield watching


@pytest.mark.parametrize("kind", SINKS)
async def test_a_command_asks_for_a_reading(
    kind: str, broker: Mosquitto, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    *_, topic, payload = SINKS[kind]
    async with running(kind, broker, recorder) as asked:
        for presses in range(1, 4):
            recorder.publish(topic, payload)
            await until(lambda presses=presses: asked.times == presses)  # type: ignore[misc]
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("kind", SINKS)
async def test_a_retained_command_is_none_and_told(
    kind: str, broker: Mosquitto, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    *_, topic, payload = SINKS[kind]
    recorder.publish(topic, payload, retain=True)
    async with running(kind, broker, recorder) as asked:
        await until(lambda: "publish it without the retain flag" in caplog.text)
        recorder.publish(topic, payload)
        await until(lambda: asked.times == 1)
    assert [r.levelno for r in caplog.records if "retain flag" in r.message] == [logging.WARNING]


@pytest.mark.parametrize("kind", SINKS)
async def test_neither_huge_nor_foreign_messages_are_commands(
    kind: str, broker: Mosquitto, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    *_, topic, payload = SINKS[kind]
    # With MQTT 5 the broker knows how long is too long for us, and passes none of it on.
    async with running(kind, broker, recorder, protocol="3.1.1") as asked:
        for _ in range(3):
            recorder.publish(topic, "x" * (LONGEST_PACKET + 1))
        recorder.publish(topic.replace("heat", "water"), payload)
        recorder.publish(topic, payload)
        await until(lambda: asked.times > 0)
        assert asked.times == 1
    assert len([r for r in caplog.records if "left out" in r.message and r.levelno >= logging.WARNING]) == 1


@pytest.mark.parametrize("kind", SINKS)
async def test_a_flood_ends_nothing_and_says_nothing(
    kind: str, broker: Mosquitto, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    *_, topic, payload = SINKS[kind]
    async with running(kind, broker, recorder) as asked:
        said = len(recorder.traffic)
        for _ in range(FLOOD - 1):
            recorder._client.publish(topic, payload, qos=0)
        recorder.publish(topic, payload)
        await until(lambda: asked.times == FLOOD)
        ours = [m for m in recorder.traffic[said:] if m.topic != topic]
    # Homie's switch goes off again, once for all the presses of half a second.
    assert len(ours) < FLOOD / 100
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("kind", SINKS)
async def test_who_wants_no_commands_subscribes_to_none(
    kind: str, broker: Mosquitto, recorder: Recorder
) -> None:
    *_, topic, payload = SINKS[kind]
    async with running(kind, broker, recorder, commands=False) as asked:
        recorder.publish(topic, payload)
        await recorder.sees(topic, payload)
    assert asked.times == 0
    assert f"{topic} (QoS" not in broker.log()


async def test_a_switch_of_homie_goes_off_by_itself_and_false_is_no_command(
    broker: Mosquitto, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    *_, topic, _ = SINKS[HOMIE]
    value = topic.removesuffix("/set")
    async with running(HOMIE, broker, recorder) as asked:
        assert recorder.newest(f"{value}/$settable") == "true"
        assert recorder.newest(f"{value}/$datatype") == "boolean"
        before = recorder.count(value, "false")
        recorder.publish(topic, "false")
        recorder.publish(topic, "ON")
        recorder.publish(topic, "true")
        await until(lambda: recorder.count(value, "false") == before + 1)
        assert asked.times == 1
        assert f"{topic} is left out, since the only command there is true" in caplog.text
    validator = HomieValidator()
    validator.feed(m for m in recorder.traffic if m.topic != topic and m.topic.startswith("homie/"))
    assert validator.problems == []


async def test_home_assistant_has_a_button(broker: Mosquitto, recorder: Recorder) -> None:
    *_, topic, _ = SINKS[HOME_ASSISTANT]
    async with running(HOME_ASSISTANT, broker, recorder):
        await until(lambda: any('"button"' in message.payload for message in list(recorder.traffic)))
        home = HomeAssistant().feed(list(recorder.traffic))
    assert home.problems == []
    assert home.buttons == {"smart_meter_reader_heat_read_now_button": topic}


DOCUMENTED = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text()
# Whoever is without a login sees everything and may ask, each on the topic of the sink.
ANYBODY = ["topic read #", *(f"topic write {topic}" for *_, topic, _ in SINKS.values())]


def ruled(make_broker: MakeBroker, folder: Path, *rights: str) -> Mosquitto:
    """A broker that allows USER just this."""
    lines = login_lines(folder)
    (folder / "acl").write_text("\n".join([*ANYBODY, f"user {USER}", *rights, ""]))
    return make_broker(*lines, f"acl_file {folder / 'acl'}")


@pytest.mark.parametrize("kind", SINKS)
async def test_the_rights_that_the_page_names_are_enough(
    kind: str, make_broker: MakeBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    *_, topic, payload = SINKS[kind]
    rules = DOCUMENTED.partition("user meters\n")[2].partition("\n\n")[0].splitlines()
    assert len(rules) == 5
    broker = ruled(make_broker, tmp_path / "rules", *rules)
    login = {"username": USER, "password": Secret(PASSWORD)}
    with recording(broker.port) as recorder:
        async with running(kind, broker, recorder, **login) as asked:
            recorder.publish(topic, payload)
            await until(lambda: asked.times == 1)
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_without_the_right_to_read_all_else_goes_on(
    make_broker: MakeBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    *_, topic, payload = SINKS[JSON]
    broker = ruled(make_broker, tmp_path / "rules", "topic write smart-meter-reader/#")
    login = {"username": USER, "password": Secret(PASSWORD)}
    with recording(broker.port) as recorder:
        async with running(JSON, broker, recorder, **login) as asked:
            recorder.publish(topic, payload)
            await recorder.sees(topic, payload)
        await recorder.sees("smart-meter-reader/heat/availability", "offline")  # its farewell
    assert asked.times == 0
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == []
