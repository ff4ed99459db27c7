"""`mqtt test`, `mqtt preview` and `mqtt clear`, as typed, against real brokers."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

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
from tests.peers.hostile import Attack, Talk, Victim, repeating, serving
from tests.peers.hostile import broker as broker_of
from tests.peers.mosquitto import PASSWORD, USER, MakeBroker, Mosquitto, Watcher, login_lines
from tests.peers.mqtt_recorder import recording
from tests.peers.ports import free_port

ROOT = Path(__file__).parents[3]
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
def test_a_broker_that_keeps_nothing(
    here: Path, make_broker: MakeBroker, capsys: pytest.CaptureFixture[str], protocol: str
) -> None:
    broker = make_broker("retain_available false")
    write_settings(here, f'port = {broker.port}\nprotocol = "{protocol}"')
    assert main(["mqtt", "test", "house"]) == EXIT_OK
    said = capsys.readouterr().out
    assert "the broker keeps no retained messages" in said
    assert "ok: published and read back\n" in said


async def test_nothing_of_a_test_stays_retained(here: Path, broker: Mosquitto) -> None:
    topic = "smart-meter-reader/mqtt-test/mqtt-test"
    write_settings(here, f"port = {broker.port}", "[house.sinks.mqtt_json]\n[house.sinks.home_assistant]")
    with recording(broker.port) as recorder:
        assert await asyncio.to_thread(main, ["mqtt", "test", "house"]) == EXIT_OK
        await recorder.sees(topic, "")
        assert [item.retain for item in recorder.traffic if item.topic == topic] == [True, True]
    with recording(broker.port) as later:
        later.publish("last", "1")
        await later.sees("last", "1")
        assert not [item.topic for item in later.traffic if "mqtt-test" in item.topic]


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
    assert main(["mqtt", "preview", "house", "--all"]) == EXIT_OK
    assert "QoS 1 retain smart-meter-reader/heat/availability online" in capsys.readouterr().out


def test_a_preview_is_a_line_for_each_topic(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(here, f"port = {free_port()}")
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["mqtt", "preview", "house"]) == EXIT_OK
    sink, *lines = capsys.readouterr().out.splitlines()
    assert sink.startswith("# sink mqtt_json")
    topics = [line[2:].partition(" ")[0].removeprefix("smart-meter-reader/") for line in lines]
    assert topics == ["availability/house", "heat/info", "heat/status", "heat/availability", "heat/state"]
    assert lines[3] == "* smart-meter-reader/heat/availability online"
    assert re.search(r'"power.* \.\.\. \d+ characters$|^\* \S+/state \{"time".* characters$', lines[4])
    assert max(map(len, lines)) < 80


POWER = """
[house.meters.power]
client = "dsmr"
port = "/dev/none"
[house.meters.heat]
client = "kamstrup"
port = "/dev/no-head"
registers = ["heat_energy"]
[house.sinks.mqtt_json]
host = "127.0.0.1"
"""
TELEGRAM = b"/ISK5\\x\r\n\r\n1-0:1.8.1(000016.854*kWh)\r\n1-0:1.7.0(01.449*kW)\r\n!\r\n"
RECORDED = ROOT / "tests/data/recordings"


def states(text: str) -> dict[str, Any]:
    told = [json.loads(line) for line in text.splitlines()]
    return {
        item["topic"].split("/")[1]: json.loads(item["payload"])["measurements"]
        for item in told
        if item["topic"].endswith("/state")
    }


@pytest.mark.parametrize(
    ("capture", "meters"),
    [
        (TELEGRAM, {"power"}),
        (RECORDED / "p1_belgium.rec", {"power", "power-gas", "power-water"}),
        (RECORDED / "multical_403_damaged_frames.rec", {"heat"}),
    ],
    ids=["telegram", "P1", "KMP"],
)
def test_a_preview_shows_one_s_own_meter(
    here: Path, capsys: pytest.CaptureFixture[str], capture: bytes | Path, meters: set[str]
) -> None:
    shutil.copy(ROOT / "config.py", here)
    (here / "settings.toml").write_text(POWER)
    if isinstance(capture, bytes):
        (here / "telegram.txt").write_bytes(capture)
    file = str(capture if isinstance(capture, Path) else here / "telegram.txt")
    assert main(["mqtt", "preview", "house", "--json", "--from", file]) == EXIT_OK
    shown = states(capsys.readouterr().out)
    assert set(shown) == meters
    if "power" in shown and isinstance(capture, bytes):
        assert shown["power"]["active_power_import"] == {"value": 1.449, "unit": "kW"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--from", str(RECORDED / "multical_66c.rec")], EXIT_USAGE, "reads no meter here"),
        (["--from", str(ROOT / "tests/__init__.py")], EXIT_USAGE, "is of no protocol that is known"),
        (["--read", "--from", str(RECORDED / "multical_66c.rec")], EXIT_USAGE, "one of them"),
        (["--meter", "water"], EXIT_USAGE, "the settings have power, heat"),
        (["--read", "--meter", "heat"], EXIT_UNAVAILABLE, "no reading (port_missing): /dev/no-head"),
    ],
)
def test_a_preview_that_has_nothing_to_show_says_why(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    shutil.copy(ROOT / "config.py", here)
    (here / "settings.toml").write_text(POWER)
    assert main(["mqtt", "preview", "house", *arguments]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err


@pytest.mark.parametrize(
    ("name", "settings", "shown", "told"),
    [
        ("water", "address = 5", "water_volume", ""),
        ("cold", 'secondary_address = "12345678FFFFFF07"', "water_volume", ""),
        ("cold", 'secondary_address = "123456782D2CFF16"', "volume", ""),
        ("heat-2", "address = 5", "heat_energy", ""),
        ("flat", 'secondary_address = "12345678FFFFFF02"', "active_energy_import", ""),
        ("flat", "address = 5", "heat_energy", "nothing in the settings tells what this meter measures"),
    ],
)
def test_a_preview_of_a_meter_on_a_bus_is_of_what_it_measures(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, settings: str, shown: str, told: str
) -> None:
    write_settings(here, "")
    with (here / "settings.toml").open("a") as file:
        file.write(f'[house.meters.{name}]\nclient = "mbus"\nport = "/dev/x"\n{settings}\n')
    assert main(["mqtt", "preview", "house", "--json", "--meter", name]) == EXIT_OK
    out, err = capsys.readouterr()
    payload = " ".join(json.loads(line)["payload"] for line in out.splitlines())
    assert f'"{shown}"' in payload
    assert told in " ".join(err.split()) if told else "measures" not in err


@pytest.mark.parametrize(
    ("meter", "counters"),
    [
        ('client = "dummy"', set()),
        ('client = "dsmr"\nport = "/dev/null"', {"latency_ms"}),
        (
            'client = "kamstrup"\nport = "/dev/null"',
            {"retries", "latency_ms", "requests_24h", "wake_ups_24h", "read_now_used", "read_now_refused"},
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


def lying_broker(attack: Attack) -> AbstractContextManager[int]:
    """A hostile broker; its port."""
    return lying_peer(broker_of(attack))


@contextmanager
def lying_peer(talk: Talk) -> Iterator[int]:
    """A peer on a loop in a thread of its own; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = AsyncExitStack()
    try:
        entering = stack.enter_async_context(serving(talk))
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
    # The broker is a thread that a busy computer lets wait.
    monkeypatch.setattr(mqtt_clear, "QUIET_SECONDS", 3.0)

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
        assert main(["mqtt", "test", "house"]) == EXIT_OK  # it says that it has taken it
    assert "ok: published; reading is not allowed here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sinks", "key"),
    [
        ('[house.sinks.mqtt_json]\nbase = "m"\n[house.sinks.home_assistant]\nbase = "m"', "base"),
        ('[house.sinks.mqtt_json]\nbase = "m"\n[house.sinks.homie]\nbase = "m"', "base"),
        ('[house.sinks.mqtt_json]\n[house.sinks.flat]\ntype = "mqtt_json"', "base"),
        (
            '[house.sinks.home_assistant]\n[house.sinks.b]\ntype = "home_assistant"\nbase = "b"',
            "discovery_prefix",
        ),
    ],
)
def test_two_sinks_under_one_base_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str], sinks: str, key: str
) -> None:
    """Home Assistant showed each value as unknown, and no log had a line of it."""
    write_settings(here, "", sinks)
    assert main(["check", "house"]) == EXIT_SETTINGS
    said = capsys.readouterr().err
    names = [line.partition("sinks.")[2].rstrip("]") for line in sinks.splitlines() if line.startswith("[")]
    assert f"the sinks {names[0]} and {names[1]} publish under the same `{key}` at one broker" in said
    assert said.count("publish under") == 1


def test_at_two_brokers_they_are_not(here: Path) -> None:
    write_settings(here, "", '[house.sinks.mqtt_json]\n[house.sinks.b]\ntype = "mqtt_json"\nport = 1884')
    assert main(["check", "house"]) == EXIT_OK


# As docs/connect-home-assistant.md has them.
RIGHTS = (
    "topic write smart_meter_reader_ha/#",
    "topic write homeassistant/device/+/config",
    "topic read homeassistant/status",
    "topic read homeassistant/device/+/config",
)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_with_the_right_to_write_alone(
    here: Path, make_broker: MakeBroker, capsys: pytest.CaptureFixture[str], protocol: str
) -> None:
    """Mosquitto grants a subscription to what may not be read, and passes nothing of it on."""
    broker = make_broker(*login_lines(here / "login", *RIGHTS), anonymous=False)
    write_settings(
        here,
        f'port = {broker.port}\nusername = "{USER}"\npassword = "{PASSWORD}"\nprotocol = "{protocol}"',
        "[house.sinks.home_assistant]",
    )
    assert main(["mqtt", "test", "house"]) == EXIT_OK
    verdicts = [line.split()[:3] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert sorted(verdicts) == [
        ["homeassistant/...", "ok:", "published"],
        ["smart_meter_reader_ha/...", "ok:", "published;"],
    ]
    assert main(["mqtt", "clear", "heat", "house", "--yes"]) == EXIT_UNAVAILABLE
    said = capsys.readouterr()
    assert "does not let us see what is retained under smart_meter_reader_ha/heat/+" in said.err
    assert "removed" not in said.out
    assert PASSWORD not in said.out + said.err


def test_a_broker_of_3_that_passes_nothing_on_leaves_it_open(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_test, "READ_BACK_SECONDS", 0.3)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        victim = Victim(reader, writer)
        _, content = await victim.request()
        if content[6] == 4:
            await victim.send(b"\x20\x02\x00\x00")
            await victim.serve()

    with lying_peer(talk) as port:
        write_settings(here, f"port = {port}")
        assert main(["mqtt", "test", "house"]) == EXIT_UNAVAILABLE
    assert "was taken and did not come back: the broker knows no MQTT 5" in capsys.readouterr().out


def test_what_a_service_that_is_no_more_says_of_itself_goes_too(
    here: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(here, f"port = {broker.port}")
    publish_retained(broker, "smart-meter-reader/gone/state")
    publish_retained(broker, "smart-meter-reader/availability/house", "online")
    assert main(["mqtt", "clear", "gone", "house", "--yes"]) == EXIT_OK
    assert "removed 1" in capsys.readouterr().out
    publish_retained(broker, "smart-meter-reader/availability/house", "offline")
    assert main(["mqtt", "clear", "gone", "house", "--yes"]) == EXIT_OK
    assert capsys.readouterr().out.splitlines() == ["smart-meter-reader/availability/house", "removed 1"]


def test_what_a_service_with_an_earlier_name_said_of_itself(
    here: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the environment was renamed; the meters stay as they are."""
    write_settings(here, f"port = {broker.port}", "[house.sinks.home_assistant]")
    gone = {
        "smart_meter_reader_ha/availability/home",
        "smart_meter_reader_ha/availability/home/started",
        "homeassistant/device/smart_meter_reader_service_home/config",
    }
    for topic in (*gone, "smart_meter_reader_ha/heat/state", "smart_meter_reader_ha/availability/house"):
        publish_retained(broker, topic, "online" if topic.endswith("/home") else "offline")
    command = ["mqtt", "clear", "--service", "home", "house", "--yes"]
    assert main(command) == EXIT_UNAVAILABLE
    assert "availability/home says online: a service of that name runs" in capsys.readouterr().err
    publish_retained(broker, "smart_meter_reader_ha/availability/home", "offline")
    assert main(command) == EXIT_OK
    assert set(capsys.readouterr().out.splitlines()) == gone | {"removed 3"}
    assert main(command) == EXIT_OK
    assert capsys.readouterr().out == "nothing is retained for home\n"
    assert main(["mqtt", "clear", "--service", "a/b", "--yes"]) == EXIT_USAGE
    assert main(["mqtt", "clear", "heat", "house", "--service", "home"]) == EXIT_USAGE
    assert main(["mqtt", "clear"]) == EXIT_USAGE


def test_what_stands_under_an_earlier_base_and_prefix(
    here: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(here, f"port = {broker.port}", "[house.sinks.home_assistant]")
    kept = {"smart_meter_reader_ha/heat/state", "homeassistant/device/smart_meter_reader_heat/config"}
    gone = {
        "before/heat/state",
        "hass/device/smart_meter_reader_heat/config",
        "before/availability/house/started",
        "hass/device/smart_meter_reader_service_house/config",
    }
    for topic in kept | gone:
        publish_retained(broker, topic)
    publish_retained(broker, "before/availability/house", "offline")
    command = ["mqtt", "clear", "heat", "house", "--base", "before", "--discovery-prefix", "hass", "--yes"]
    assert main(command) == EXIT_OK
    said = capsys.readouterr().out.splitlines()
    assert set(said) == gone | {"before/availability/house", "removed 5"}
    assert main([*command[:4], "--base", "a/#"]) == EXIT_USAGE
