"""`mqtt test`, `mqtt preview` and `mqtt clear`, as typed, against real brokers."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from smart_meter_reader.cli import main
from smart_meter_reader.cli.mqtt import clear as mqtt_clear
from smart_meter_reader.cli.mqtt import sinks as cli_mqtt_sinks
from smart_meter_reader.cli.mqtt import test as mqtt_test
from smart_meter_reader.console import EXIT_OK, EXIT_SETTINGS, EXIT_UNAVAILABLE, EXIT_USAGE
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.dummy import DummyClient, DummySettings
from smart_meter_reader.pipeline.router import SinkQueue
from smart_meter_reader.sinks.mqtt_json import MqttJsonSettings, MqttJsonSink
from tests.peers.hostile import Attack, Victim, repeating, serving
from tests.peers.hostile import broker as broker_of
from tests.peers.mosquitto import PASSWORD, USER, MakeBroker, Mosquitto, Watcher, login_lines
from tests.peers.mqtt_recorder import recording
from tests.peers.ports import free_port

ROOT = Path(__file__).parent.parent.parent
_TOPIC, _STATUS = b"smart-meter-reader/heat/status", b'{"state":"online"}'
RETAINED = bytes((0x31, 2 + len(_TOPIC) + len(_STATUS), 0, len(_TOPIC))) + _TOPIC + _STATUS


def write_settings(folder: Path, mqtt: str, sinks: str = "[house.sinks.mqtt_json]") -> None:
    shutil.copy(ROOT / "config.py", folder)
    (folder / "settings.toml").write_text(
        f'[default.mqtt]\nhost = "127.0.0.1"\n{mqtt}\n'
        '[house.meters.heat]\nclient = "dummy"\nquantities = ["heat_energy", "power"]\n'
        f"{sinks}\n"
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def publish_retained(broker: Mosquitto, topic: str, text: str = "x") -> None:
    with recording(broker.port) as recorder:
        recorder.publish(topic, text, retain=True)


@contextmanager
def careless_broker(*, hangs_up: bool) -> Iterator[int]:
    """A broker of MQTT 3.1.1 that lets everybody in and confirms no message; its port."""

    class Talk(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while packet := self.request.recv(4096):
                if packet[0] == 0x10:
                    self.request.sendall(b"\x20\x02\x00\x00")
                elif packet[0] == 0x82:
                    # One topic filter each time but for `clear`, which does not mind a short answer.
                    self.request.sendall(b"\x90\x03" + packet[2:4] + b"\x00")
                    self.request.sendall(RETAINED)
                    if hangs_up:
                        return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_broker_that_confirms_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_mqtt_sinks, "CONFIRM_SECONDS", 0.2)
    with careless_broker(hangs_up=False) as port:
        write_settings(here, f'port = {port}\nprotocol = "3.1.1"')
        assert main(["mqtt", "test", "house"]) == EXIT_UNAVAILABLE
        assert "does not acknowledge" in capsys.readouterr().err
        assert main(["mqtt", "clear", "heat", "house", "--yes"]) == EXIT_UNAVAILABLE
        assert "does not acknowledge" in capsys.readouterr().err


def test_a_broker_that_hangs_up_has_not_said_that_nothing_is_retained(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with careless_broker(hangs_up=True) as port:
        write_settings(here, f'port = {port}\nprotocol = "3.1.1"')
        assert main(["mqtt", "clear", "heat", "house", "--yes"]) == EXIT_UNAVAILABLE
    said = capsys.readouterr()
    assert "is gone" in said.err
    assert "nothing is retained" not in said.out


def test_a_broker_that_allows_everything(
    here: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(here, f"port = {broker.port}")
    assert main(["mqtt", "test", "house"]) == EXIT_OK
    said = capsys.readouterr().out
    assert f"connected to 127.0.0.1:{broker.port} (MQTT 5, not encrypted, without a login)" in said
    assert "ok: published and read back" in said


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_does_not_let_us_publish(
    here: Path,
    make_broker: MakeBroker,
    capsys: pytest.CaptureFixture[str],
    protocol: str,
) -> None:
    lines = login_lines(here / "login", "topic read #", "topic readwrite homie/#")
    broker = make_broker(*lines, anonymous=False)
    write_settings(
        here,
        f'port = {broker.port}\nusername = "{USER}"\npassword = "{PASSWORD}"\nprotocol = "{protocol}"',
        "[house.sinks.mqtt_json]\n[house.sinks.homie]",
    )
    assert main(["mqtt", "test", "house"]) == EXIT_UNAVAILABLE
    said = capsys.readouterr().out
    verdicts = {tuple(line.split()[:2]) for line in said.splitlines() if line.startswith("  ")}
    assert verdicts == {("smart-meter-reader/...", "refused:"), ("homie/...", "ok:")}
    assert PASSWORD not in said


def test_a_broker_that_is_not_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(here, f"port = {free_port()}")
    assert main(["mqtt", "test", "house"]) == EXIT_UNAVAILABLE
    assert "nothing listens on 127.0.0.1" in capsys.readouterr().err


def test_an_environment_without_mqtt(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(here, "", "[house.sinks.stdout]")
    assert main(["mqtt", "test", "house"]) == EXIT_SETTINGS
    assert "no sink that uses MQTT" in capsys.readouterr().err


def test_a_preview_needs_no_broker(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(here, f"port = {free_port()}")
    assert main(["mqtt", "preview", "house", "--json"]) == EXIT_OK
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(item["occasion"], item["topic"].removeprefix("smart-meter-reader/")) for item in told] == [
        ("last will", "availability/house"),
        ("connect", "availability/house"),
        ("info", "heat/info"),
        ("status", "heat/status"),
        ("status", "heat/availability"),
        ("reading", "heat/state"),
        ("stop", "heat/status"),
        ("stop", "heat/availability"),
        ("stop", "availability/house"),
    ]
    assert set(json.loads(told[5]["payload"])["measurements"]) == {"heat_energy", "power"}
    assert main(["mqtt", "preview", "house"]) == EXIT_OK
    assert "QoS 1 retain smart-meter-reader/heat/availability online" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("meter", "counters"),
    [
        ('client = "dummy"', set()),
        ('client = "dsmr"\nport = "/dev/null"', {"latency_ms"}),
        (
            'client = "kamstrup"\nport = "/dev/null"',
            {"retries", "latency_ms", "requests_24h", "wake_ups_24h"},
        ),
    ],
)
def test_a_preview_tells_the_line_health_of_that_kind_of_meter(
    here: Path, capsys: pytest.CaptureFixture[str], meter: str, counters: set[str]
) -> None:
    shutil.copy(ROOT / "config.py", here)
    sink = '[house.sinks.mqtt_json]\nhost = "127.0.0.1"\n'
    (here / "settings.toml").write_text(f"[house.meters.heat]\n{meter}\n{sink}")
    assert main(["mqtt", "preview", "house", "--json"]) == EXIT_OK
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (status, *_) = [item for item in told if item["topic"].endswith("heat/status")]
    always = {"valid_readings", "damaged_frames", "rejected_values", "reconnects", "last_valid"}
    assert set(json.loads(status["payload"])["health"]) == always | counters


async def test_a_preview_shows_what_is_then_published(broker: Mosquitto, watcher: Watcher) -> None:
    queue = SinkQueue("json", 10)
    messages: list[Message] = []

    async def publish(message: Message) -> None:
        messages.append(message)

    await DummyClient("heat", DummySettings()).run(publish, once=True)
    settings = MqttJsonSettings(host="127.0.0.1", port=broker.port, history=True, value_topics=True)
    sink = MqttJsonSink("json", settings)
    shown = [(told.topic, told.payload, told.qos) for _, told in list(sink.preview(messages))[1:]]
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(sink.run(queue))
        await asyncio.to_thread(watcher.wait_for, len)  # the service is online
        for message in messages:
            queue.put(message)
        queue.close()
    published = await asyncio.to_thread(watcher.wait_for, lambda arrived: len(arrived) >= len(shown))
    assert sorted((item.topic, item.text, item.qos) for item in published) == sorted(shown)


def test_topics_of_others_cannot_steer_the_terminal(
    here: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mosquitto takes no control characters in a topic, but what turns the direction of writing."""
    write_settings(here, f"port = {broker.port}")
    publish_retained(broker, "smart-meter-reader/gone/register_\u202egpj")
    assert main(["mqtt", "clear", "gone", "house", "--yes"]) == EXIT_OK
    listed, removed = capsys.readouterr().out.splitlines()
    assert listed == "smart-meter-reader/gone/register_\N{REPLACEMENT CHARACTER}gpj"
    assert removed == "removed 1"


def test_clear_removes_ours_and_nothing_else(
    here: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(here, f"port = {broker.port}")
    ours = {
        f"smart-meter-reader/gone/{part}" for part in ("state", "info", "status", "availability", "power")
    }
    others = {"smart-meter-reader/gone/of-somebody-else", "smart-meter-reader/heat/state", "gone/state"}
    for topic in ours | others:
        publish_retained(broker, topic)
    assert main(["mqtt", "clear", "gone", "house", "--yes"]) == EXIT_OK
    said = capsys.readouterr().out.splitlines()
    assert set(said[:-1]) == ours
    watcher = Watcher(broker.port)
    left = watcher.wait_for(lambda messages: len(messages) >= len(others))
    watcher.close()
    assert {message.topic for message in left} == others
    assert main(["mqtt", "clear", "gone", "house", "--yes"]) == EXIT_OK
    assert "nothing is retained" in capsys.readouterr().out


def test_clear_asks_and_takes_no_for_an_answer(
    here: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(here, f"port = {broker.port}")
    publish_retained(broker, "smart-meter-reader/heat/state")
    for nobody in (io.StringIO(), None):
        monkeypatch.setattr("sys.stdin", nobody)
        assert main(["mqtt", "clear", "heat", "house"]) == EXIT_USAGE
        assert "--yes does it without asking" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["mqtt", "clear", "heat", "house"]) == EXIT_OK
    said = capsys.readouterr().out
    assert "heat is still in the settings" in said
    assert "removed" not in said
    assert main(["mqtt", "clear", "+", "house"]) != EXIT_OK


@contextmanager
def lying_broker(attack: Attack) -> Iterator[int]:
    """A hostile broker on a loop in a thread of its own; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = AsyncExitStack()
    try:
        entering = stack.enter_async_context(serving(broker_of(attack)))
        yield asyncio.run_coroutine_threadsafe(entering, loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_clear_takes_from_a_lying_broker_what_was_asked_for_and_not_without_end(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_clear, "MOST_TOPICS", 50)

    def lie(victim: Victim, number: int) -> bytes:
        topics = f"smart-meter-reader/gone/register_{number}", "homeassistant/light/x/config", "a/\x1b[31m"
        return b"".join(victim.publish(topic.encode(), b"x" * 1000, identifier=7) for topic in topics)

    with lying_broker(repeating(lie, 1000)) as port:
        write_settings(here, f"port = {port}")
        assert main(["mqtt", "clear", "gone", "house", "--yes"]) == EXIT_OK
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 52
    assert all(line.startswith("smart-meter-reader/gone/register_") for line in said[:50])
    assert "more than these 50" in said[50]
    assert said[51] == "removed 50"


def test_something_else_that_comes_is_not_what_was_published(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_test, "READ_BACK_SECONDS", 0.3)
    with lying_broker(repeating(lambda v, n: v.publish(b"smart-meter-reader/mqtt-test/x", b"y"), 10)) as port:
        write_settings(here, f"port = {port}")
        assert main(["mqtt", "test", "house"]) == EXIT_UNAVAILABLE
    assert "lost:" in capsys.readouterr().out
