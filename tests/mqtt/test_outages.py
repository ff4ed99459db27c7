"""What is said of a broker that is away: once an outage, however many connections there are to it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.exceptions import LoginRefusedError, SinkError, TransportError
from smart_meter_reader.messages import Reading
from smart_meter_reader.mqtt import connection as connection_module
from smart_meter_reader.mqtt import link as link_module
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.network.outages import STEADY_SECONDS, Outages
from smart_meter_reader.pipeline.router import SinkQueue
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.sinks.homie.sink import HomieSettings, HomieSink
from smart_meter_reader.transport.tcp import connect_tcp
from tests.peers.mosquitto import Mosquitto, Watcher

METERS = 70
NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
LONG = STEADY_SECONDS + 1


def reading_of(meter: str) -> Reading:
    power: Measurement = {"value": Decimal("1.5"), "unit": "kW"}
    return {"type": "reading", "meter": meter, "time": NOON, "measurements": {"power": power}}


def test_an_outage_is_told_once_for_all_connections() -> None:
    outages = Outages()
    assert outages.connected("broker", "sink")
    assert not outages.connected("broker", "sink")
    assert outages.connected("broker", "another sink")
    # All go down together, each by another reason even; then every attempt fails.
    assert outages.failed("broker", SinkError("connection_lost", ""), 0.0, LONG)
    assert not outages.failed("broker", SinkError("connection_lost", ""), 0.0, LONG)
    assert not outages.failed("broker", SinkError("refused", ""), 1.0, LONG)
    for attempt in range(1000):
        assert not outages.failed("broker", SinkError("port_closed", ""), None, LONG + attempt)
    assert outages.connected("broker", "sink")
    assert not outages.connected("broker", "sink")
    # The next one is told again.
    assert outages.failed("broker", SinkError("connection_lost", ""), 2000.0, 2000.0 + LONG)
    assert not outages.failed("broker", SinkError("port_closed", ""), None, 2001.0 + LONG)


def test_what_only_a_person_can_mend_is_told_whenever_it_is_new() -> None:
    outages = Outages()
    assert outages.failed("broker", SinkError("port_closed", ""), None, 0.0)
    assert outages.failed("broker", LoginRefusedError("login_refused", ""), None, 1.0)
    assert not outages.failed("broker", LoginRefusedError("login_refused", ""), None, 2.0)
    assert outages.failed("other", LoginRefusedError("login_refused", ""), None, 2.0)


def test_a_link_that_never_stands_for_long_is_told_once_and_so_is_its_return() -> None:
    outages = Outages()
    assert outages.connected("broker", "sink")
    assert outages.failed("broker", SinkError("taken_over", ""), 0.0, 1.0)
    assert outages.connected("broker", "sink")
    for second in range(1, 1000):
        assert not outages.failed("broker", SinkError("taken_over", ""), second, second + 0.5)
        assert not outages.connected("broker", "sink")


def test_a_loss_after_a_failed_start_is_told() -> None:
    outages = Outages()
    assert outages.failed("broker", SinkError("port_closed", ""), None, 0.0)
    assert outages.connected("broker", "sink")
    assert outages.failed("broker", SinkError("connection_lost", ""), 5.0, 10.0)
    assert not outages.failed("broker", SinkError("port_closed", ""), None, 11.0)


async def test_seventy_devices_and_one_broker_that_goes_and_comes_back(
    broker: Mosquitto, watcher: Watcher, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "BROKER_AWAY", Backoff(0.05, 0.2))
    caplog.set_level(logging.INFO)
    sink = HomieSink("homie", HomieSettings(host="127.0.0.1", port=broker.port))
    queue = SinkQueue("homie", 10_000)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(sink.run(queue))
        for number in range(METERS):
            queue.put(reading_of(f"m{number}"))

        def ready(count: int) -> Callable[[], bool]:
            return lambda: (
                sum(m.topic.endswith("/$state") and m.text == "ready" for m in watcher.live()) >= count
            )

        async def until(condition: Callable[[], bool]) -> None:
            while not condition():
                await asyncio.sleep(0.02)

        await until(ready(METERS))
        await asyncio.to_thread(broker.stop)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(broker.start)
        await until(ready(2 * METERS))
        queue.close()
    lines = [
        record.getMessage() for record in caplog.records if record.name.startswith("smart_meter_reader.mqtt")
    ]
    assert len([line for line in lines if "connected to" in line]) == 2, lines
    assert len([line for line in lines if "connected to" not in line]) == 1, lines


async def test_connections_are_opened_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that nobody waits for any more count until their thread has ended."""
    running, most, release = 0, 0, threading.Event()
    lock = threading.Lock()

    def hang(broker: BrokerSettings, seconds: float) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(10)
        with lock:
            running -= 1
        raise SinkError("timeout", "it hangs")

    monkeypatch.setattr(link_module, "open_socket", hang)
    monkeypatch.setattr(link_module, "CONNECT_SECONDS", 0.1)
    turns = asyncio.Semaphore(8)
    links = [Link(BrokerSettings(host="127.0.0.1"), "tests", "5", turns=turns) for _ in range(30)]
    opening = [asyncio.ensure_future(link.open()) for link in links]
    async with asyncio.timeout(60):
        while running < 8 or sum(task.done() for task in opening) < 8:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)  # for a ninth, should it not wait for its turn
    assert running == 8
    assert sum(task.done() for task in opening) == 8
    release.set()
    results = await asyncio.gather(*opening, return_exceptions=True)
    assert {type(result) for result in results} == {SinkError}
    assert most == 8
    async with AsyncExitStack() as stack:
        for _ in range(8):  # all turns have been given back
            async with asyncio.timeout(5):
                await stack.enter_async_context(turns)


async def test_a_system_that_gives_no_thread_is_a_failure_like_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    given_back: list[None] = []
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(SinkError) as sink_error:
            await in_daemon_thread(lambda: 1, abandon=print, ended=lambda: given_back.append(None))
        with pytest.raises(TransportError) as transport_error:
            await connect_tcp("serial-server.invalid", 1, 5.0)
    assert (sink_error.value.reason, len(given_back)) == ("no_thread", 1)
    assert (transport_error.value.reason, "TasksMax" in transport_error.value.detail) == (
        "connect_failed",
        True,
    )
