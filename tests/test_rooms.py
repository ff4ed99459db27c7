"""Rooms that hold: whatever a client, sink or callback raises stays there, and the others go on."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import pytest

from smart_meter_reader import app, cli
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import ProtocolError
from smart_meter_reader.guard.guard import Guard
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.messages import Message, Reading, Status
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.meters.dummy import DummySettings
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.meters.mbus.settings import MbusSettings
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.registry import METERS, meter_driver
from smart_meter_reader.meters.replay import ReplaySettings
from smart_meter_reader.meters.sml.settings import SmlSettings
from smart_meter_reader.mqtt import connection
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.pipeline import retries
from smart_meter_reader.pipeline.kept_faults import FaultFile
from smart_meter_reader.rooms import fault_of, outcome
from smart_meter_reader.settings.loading import MeterSettings, ServiceSettings, SinkSettings
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks import mqtt_sink, registry
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.history.settings import HistorySettings
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantSettings
from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings
from smart_meter_reader.sinks.homie.sink import HomieDevicePresenter, HomieSettings
from smart_meter_reader.sinks.influxdb.settings import InfluxDbSettings
from smart_meter_reader.sinks.mqtt_json import MqttJsonSettings
from smart_meter_reader.sinks.nats.settings import NatsSinkSettings
from smart_meter_reader.sinks.postgresql.settings import PostgreSqlSettings
from smart_meter_reader.sinks.registry import SINKS, sink_driver
from smart_meter_reader.sinks.stdout import StdoutSettings
from smart_meter_reader.sinks.web.settings import WebSettings
from tests.peers.mosquitto import Mosquitto, Watcher
from tests.records import sink_record

SECRET = "E0044007203694119"
PATIENCE = 30.0


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError(SECRET)

    __repr__ = __str__


def _recurse() -> NoReturn:
    _recurse()


def _cancel_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


def raiser(error: BaseException) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it


# Everything that a library or a slip of ours may raise, each with a text that must be in no log.
RAISES: dict[str, Callable[[], object]] = {
    "KeyError": raiser(KeyError(SECRET)),
    "ValueError": raiser(ValueError(f"invalid literal: '{SECRET}'")),
    "AssertionError": raiser(AssertionError(SECRET)),
    "RecursionError": _recurse,
    "MemoryError": raiser(MemoryError(SECRET)),
    "UnicodeDecodeError": lambda: b"\xff".decode(),
    "UnicodeEncodeError": lambda: f"{SECRET}\ud800".encode(),
    "OverflowError": raiser(OverflowError(SECRET)),
    "OSError": raiser(OSError(5, SECRET)),
    "TimeoutError": raiser(TimeoutError(SECRET)),
    "StopIteration": raiser(StopIteration(SECRET)),
    "StopAsyncIteration": raiser(StopAsyncIteration(SECRET)),
    "ExceptionGroup": raiser(ExceptionGroup(SECRET, [KeyError(SECRET), ProtocolError("x", "y")])),
    "BaseExceptionGroup": raiser(BaseExceptionGroup(SECRET, [SystemExit(SECRET)])),
    "CancelledError": raiser(asyncio.CancelledError(SECRET)),
    "SystemExit": raiser(SystemExit(SECRET)),
    "KeyboardInterrupt": raiser(KeyboardInterrupt(SECRET)),
    "GeneratorExit": raiser(GeneratorExit(SECRET)),
    "UnspeakableError": raiser(UnspeakableError()),
    "a cancellation by itself": _cancel_itself,
}
KINDS = list(RAISES)
# A callback that does not wait is in no task of its own that could be cancelled.
CALLBACK_KINDS = KINDS[:-1]


class _Collecting(Sink):
    """A sink that keeps what it gets; its settings are the list."""

    def __init__(self, name: str, settings: list[Message]) -> None:
        self.name = name
        self._got = settings

    async def run(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            self._got.append(message)


COLLECTING = sink_record(f"{__name__}:_Collecting", "builtins:list")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(retries, "BACKOFF", {kind: Backoff(0.02, 0.02) for kind in retries.BACKOFF})
    monkeypatch.setattr(mqtt_sink, "FAULT_BACKOFF", Backoff(0.02, 0.02))
    monkeypatch.setattr(connection, "BROKER_AWAY", Backoff(0.02, 0.02))
    monkeypatch.setattr(registry, "SINKS", {**SINKS, "collecting": f"{__name__}:COLLECTING"})
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))


Got = list[Message]


@asynccontextmanager
async def service(
    meters: Mapping[str, tuple[str, object]], sinks: Mapping[str, tuple[str, object]] | None = None
) -> AsyncIterator[tuple[app.Service, Got]]:
    """The service with a healthy meter `well`, these meters and these sinks; what a healthy sink gets."""
    got: Got = []
    all_meters = {"well": ("dummy", DummySettings(interval=timedelta(milliseconds=20))), **meters}
    all_sinks = {"collecting": ("collecting", got), **(sinks or {})}
    running = app.Service(
        ServiceSettings(
            environment="rooms",
            log_level="INFO",
            queue_size=10_000,
            meters=MappingProxyType(
                {name: MeterSettings(name, *each, GuardSettings()) for name, each in all_meters.items()}
            ),
            sinks=MappingProxyType({name: SinkSettings(name, *each) for name, each in all_sinks.items()}),
        )
    )
    task = asyncio.create_task(running.run(), name="service")
    try:
        yield running, got
        assert not task.done(), "the service has ended"
    finally:
        running.stop()
        await task


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"still not: {what}") from None


def readings(got: Got, meter: str = "well") -> list[Reading]:
    return [each for each in got if each["type"] == "reading" and each["meter"] == meter]


def alerts(got: Got) -> dict[str, Status]:
    return {
        each["meter"]: each
        for each in got
        if each["type"] == "status" and (each["state"], each["reason"]) == ("alert", "internal_error")
    }


async def _healthy_goes_on(got: Got) -> None:
    before = len(readings(got))
    await until(lambda: len(readings(got)) >= before + 10, "ten more readings of the healthy meter")
    assert {each["state"] for each in got if each["type"] == "status" and each["meter"] == "well"} == {
        "offline",  # at the start
        "online",
    }


@pytest.fixture
def client_settings(tmp_path: Path) -> dict[str, object]:
    settings: dict[str, object] = {
        "dlms": DlmsSettings(port="/dev/null"),
        "dsmr": DsmrSettings(port="/dev/null"),
        "dummy": DummySettings(),
        "iec62056_21": Iec62056_21Settings(port="/dev/null"),
        "kamstrup": KamstrupSettings(port="/dev/null"),
        "mbus": MbusSettings(port="/dev/null", address=1),
        "replay": ReplaySettings(file=tmp_path / "none"),
        "sml": SmlSettings(port="/dev/null"),
    }
    assert set(settings) == set(METERS)
    return settings


@pytest.mark.parametrize("client", METERS)
async def test_whatever_a_client_raises_it_alone_is_restarted(
    client: str,
    client_settings: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    driver = imported(meter_driver(client).client)
    healthy_run = driver.run
    entered: dict[str, int] = {}

    async def run(self: Any, publish: Any, *, once: bool = False) -> None:
        if self.meter == "well":
            await healthy_run(self, publish, once=once)
            return
        entered[self.meter] = entered.get(self.meter, 0) + 1
        RAISES[KINDS[int(self.meter.removeprefix("ill-"))]]()
        await asyncio.sleep(0)  # where a cancellation by itself arrives

    monkeypatch.setattr(driver, "run", run)
    ill = {f"ill-{number}": (client, client_settings[client]) for number in range(len(KINDS))}
    async with service(ill) as (running, got):
        await until(lambda: set(alerts(got)) == set(ill), "an alert of every ill meter")
        await until(lambda: min(entered.values()) >= 3, "three attempts of every ill meter")
        await _healthy_goes_on(got)
        for each in running.meters:
            if each.meter != "well":
                assert each.client.health.get("internal_errors", 0) >= 2, each.meter
                assert each.pulse().reason == "internal_error"
    for meter, status in alerts(got).items():
        assert status["health"]["internal_errors"] >= 1
        logged = [r for r in caplog.records if r.levelno == logging.ERROR and f"meter {meter}:" in r.message]
        assert len(logged) == 1, "once, with the way that led there"
        assert "Traceback: " in logged[0].message
    assert SECRET not in caplog.text
    assert SECRET not in json.dumps(got, default=str)


@pytest.fixture
def sink_settings(tmp_path: Path) -> dict[str, object]:
    settings: dict[str, object] = {
        "history": HistorySettings(directory=str(tmp_path), file_name="home"),
        "home_assistant": HomeAssistantSettings(host="127.0.0.1", port=1),
        "home_assistant_rest": HomeAssistantRestSettings(url="http://127.0.0.1:1", token=Secret("x")),
        "homie": HomieSettings(host="127.0.0.1", port=1),
        "influxdb": InfluxDbSettings(
            api="v1", url="http://127.0.0.1:1", database="x", spool_directory=str(tmp_path)
        ),
        "mqtt_json": MqttJsonSettings(host="127.0.0.1", port=1),
        "nats": NatsSinkSettings(
            servers=("127.0.0.1:1",), tenant="t", site="s", spool_directory=str(tmp_path)
        ),
        "postgresql": PostgreSqlSettings(host="127.0.0.1", port=1, spool_directory=str(tmp_path)),
        "stdout": StdoutSettings(),
        "web": WebSettings(),
    }
    assert set(settings) == set(SINKS)
    return settings


@pytest.mark.parametrize("sink", SINKS)
async def test_whatever_a_sink_raises_it_alone_is_restarted(
    sink: str,
    sink_settings: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entered: dict[str, int] = {}

    async def run(self: Any, messages: AsyncIterator[Message]) -> None:
        entered[self.name] = entered.get(self.name, 0) + 1
        async for _ in messages:
            RAISES[KINDS[int(self.name.removeprefix("ill-"))]]()
            await asyncio.sleep(0)

    monkeypatch.setattr(imported(sink_driver(sink).sink), "run", run)
    ill = {f"ill-{number}": (sink, sink_settings[sink]) for number in range(len(KINDS))}
    async with service({}, ill) as (running, got):
        await until(lambda: len(entered) == len(ill) and min(entered.values()) >= 3, "three starts of each")
        await _healthy_goes_on(got)
        assert all(each.internal_errors >= 2 for each in running.sinks if each.sink.name != "collecting")
    for name in ill:
        logged = [r for r in caplog.records if r.levelno == logging.ERROR and f"sink {name}:" in r.message]
        assert len(logged) == 1
        assert "internal_error" in logged[0].message
    assert SECRET not in caplog.text


@pytest.mark.parametrize("name", ["read_now", "request_reading"])
@pytest.mark.parametrize("kind", CALLBACK_KINDS)
async def test_whatever_read_now_raises_ends_nothing(
    kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback of a signal, of a sink, and of the guard that asks for another reading."""
    async with service({"ill": ("dummy", DummySettings())}) as (running, got):
        ill = next(each for each in running.meters if each.meter == "ill")
        monkeypatch.setattr(ill.client, name, RAISES[kind])
        running.read_now()
        await _healthy_goes_on(got)


@pytest.mark.parametrize("kind", CALLBACK_KINDS)
async def test_whatever_the_guard_raises_costs_that_message(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    check = Guard.check
    ill = {"ill"}

    def failing(self: Guard, message: Message) -> list[Message]:
        if message["meter"] in ill and message["type"] == "reading":
            RAISES[kind]()
        return check(self, message)

    monkeypatch.setattr(Guard, "check", failing)
    async with service({"ill": ("dummy", DummySettings(interval=timedelta(milliseconds=20)))}) as (_, got):
        await until(lambda: "ill" in alerts(got), "the alert")
        await _healthy_goes_on(got)
        assert not readings(got, "ill"), "what nobody has judged is not published"
        ill.clear()
        await until(lambda: bool(readings(got, "ill")), "a reading that can be judged")
        last = [each for each in got if each["type"] == "status" and each["meter"] == "ill"][-1]
        assert last["state"] == "online"
    assert SECRET not in caplog.text


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    process = Mosquitto(tmp_path / "broker")
    yield process
    process.stop()


@pytest.mark.parametrize("function", ["present", "announce", "farewell"])
async def test_one_meter_that_cannot_be_presented_disturbs_no_other(
    function: str,
    mosquitto: Mosquitto,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A second connection to a broker is no news.
    caplog.set_level(logging.DEBUG, "smart_meter_reader.mqtt.told")
    original = getattr(HomieDevicePresenter, function)
    calls = 0

    def failing(self: HomieDevicePresenter, *arguments: Any) -> object:
        nonlocal calls
        if self.will and "/ill/" in self.will.topic:
            calls += 1
            RAISES[CALLBACK_KINDS[calls % len(CALLBACK_KINDS)]]()
        return original(self, *arguments)

    monkeypatch.setattr(HomieDevicePresenter, function, failing)
    heard = Watcher(mosquitto.port)
    settings = HomieSettings(host="127.0.0.1", port=mosquitto.port)
    ill = {"ill": ("dummy", DummySettings(interval=timedelta(milliseconds=20)))}
    async with service(ill, {"homie": ("homie", settings)}) as (running, got):
        await until(lambda: heard.newest("homie/well/$state") == "ready", "the healthy device")
        if function != "farewell":
            await until(lambda: calls > len(KINDS), "a failure of every kind")
        await _healthy_goes_on(got)
    await until(lambda: heard.newest("homie/well/$state") == "disconnected", "its farewell")
    heard.close()
    homie = next(each for each in running.sinks if each.sink.name == "homie")
    assert homie.internal_errors >= 1
    assert homie.restarts == 0
    connects = caplog.text.count("sink homie, well: connected")
    assert connects == 1, "the connection of the healthy meter stood"
    assert SECRET not in caplog.text


async def test_what_a_meter_had_sent_is_kept_for_diagnose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    telegram = b"/ISK5\\2M550E-1012\r\n\r\n1-0:1.8.1(000001.000*kWh)\r\n!0000\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(telegram)
        await reader.read()  # until the client goes away
        writer.close()

    def fail(_: P1Reader) -> NoReturn:
        raise KeyError(SECRET)

    monkeypatch.setattr(P1Reader, "next_telegram", fail)
    kept = FaultFile(tmp_path / "rooms.internal_error.json")
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with service({"ill": ("dsmr", DsmrSettings(port=f"socket://127.0.0.1:{port}"))}) as (_, got):
            await until(lambda: "ill" in alerts(got), "the alert")
            await until(lambda: bool(kept.load()), "the file")
    (fault,) = kept.load()
    assert (fault.meter, fault.kind, fault.received) == ("ill", "KeyError", telegram)
    assert SECRET not in kept.path.read_text()
    assert kept.path.stat().st_mode & 0o777 == 0o600


def test_a_fault_is_told_without_text_or_home_directory() -> None:
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise UnspeakableError from error
    except UnspeakableError as error:
        fault = fault_of(error)
    assert fault.kind == "UnspeakableError"
    assert [line.rpartition(" > ")[2] for line in fault.trace] == ["UnspeakableError", "ValueError"]
    assert SECRET not in str(fault) + str(fault.trace)
    assert "/home" not in str(fault.trace)


def test_a_deep_recursion_is_told_in_short() -> None:
    try:
        _recurse()
    except RecursionError as error:
        (line,) = fault_of(error).trace
    assert "more" in line
    assert line.count(" > ") < 20


async def test_only_a_cancellation_from_outside_comes_out() -> None:
    closed: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            closed.append("closed")

    task = asyncio.create_task(outcome(work, "work"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == ["closed"]


def test_a_command_that_fails_tells_no_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_run", raiser_of_arguments(KeyError(SECRET)))
    assert cli.main([]) == 70
    told = capsys.readouterr().err
    assert "a fault of this program (KeyError in smart_meter_reader/cli/__init__.py" in told
    assert SECRET not in told


def raiser_of_arguments(error: Exception) -> Callable[[object], int]:
    def fail(_: object) -> int:
        raise error

    return fail
