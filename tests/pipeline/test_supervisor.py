"""The supervisor: states told once, backoff by error class, sinks restarted alone."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from smart_meter_reader.exceptions import (
    AbsentError,
    DecryptionError,
    ExplainedError,
    LostError,
    MeterSilentError,
    ProtocolError,
    SinkError,
    TransportError,
    UnusableAnswersError,
)
from smart_meter_reader.messages import Health, Info, Message, Past, Publish, Reading
from smart_meter_reader.messages.freshness import Freshness
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.iec62056_21.client import Iec62056_21Client
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings
from smart_meter_reader.meters.kmp.client import KamstrupClient
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.meters.p1.client import DsmrClient
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.pipeline import retries, supervisor
from smart_meter_reader.pipeline.meter_states import status_of
from smart_meter_reader.pipeline.retries import backoff_for
from smart_meter_reader.pipeline.sink_supervisor import SinkSupervisor
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.sinks.base import Sink
from tests.peers.loop import FairLoop

Step = Callable[[Publish], Awaitable[None]]


def reading(meter: str = "heat") -> Reading:
    return {
        "type": "reading",
        "meter": meter,
        "time": datetime.now(UTC),
        "measurements": {"power": {"value": Decimal("1.0"), "unit": "kW"}},
    }


class ScriptedClient(Client):
    """A client whose every run plays the next step of a script; after the last it waits for ever."""

    def __init__(self, *steps: Step) -> None:
        self.meter = "heat"
        self.health: Health = {}
        self.runs = 0
        self._steps = list(steps)

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        self.runs += 1
        if self._steps:
            await self._steps.pop(0)(publish)
            return
        await asyncio.Event().wait()

    def read_now(self) -> None:
        pass


async def test_the_watchdog_hears_how_long_one_attempt_may_take() -> None:
    async def publish(message: Message) -> None:
        pass

    assert MeterSupervisor(ScriptedClient(), publish).pulse().longest_attempt == 0.0
    old = Iec62056_21Client("old", Iec62056_21Settings(port="/dev/null", poll_timeout=timedelta(minutes=7)))
    assert MeterSupervisor(old, publish).pulse().longest_attempt == 420.0
    heat = KamstrupClient("heat", KamstrupSettings(port="/dev/null", poll_timeout=timedelta(minutes=8)))
    assert MeterSupervisor(heat, publish).pulse().longest_attempt == 480.0
    power = DsmrClient("power", DsmrSettings(port="/dev/null", timeout=timedelta(minutes=9)))
    assert MeterSupervisor(power, publish).pulse().longest_attempt == 540.0


def fails(error: ExplainedError) -> Step:
    async def step(publish: Publish) -> None:
        raise error

    return step


def reads_then_fails(error: ExplainedError, *meters: str) -> Step:
    async def step(publish: Publish) -> None:
        for meter in meters or ("heat",):
            await publish(reading(meter))
        raise error

    return step


async def said(client: ScriptedClient, runs: int) -> list[Message]:
    """What the supervisor publishes until the client has been entered so often."""
    messages: list[Message] = []

    async def publish(message: Message) -> None:
        messages.append(message)

    task = asyncio.ensure_future(MeterSupervisor(client, publish).run())
    async with asyncio.timeout(10):
        while client.runs < runs:
            await asyncio.sleep(0.001)
    for _ in range(50):  # turns of the loop for what the run under way still says
        await asyncio.sleep(0)
    task.cancel()
    begin, *rest = messages
    assert states([begin]) == [("heat", "offline", "starting")]
    return rest


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "BACKOFF", {kind: Backoff(0.001, 0.002) for kind in retries.BACKOFF})


def states(messages: list[Message]) -> list[tuple[str, str, str]]:
    return [(m["meter"], m["state"], m["reason"]) for m in messages if m["type"] == "status"]


async def test_a_reading_brings_the_meter_online_before_it_is_passed_on() -> None:
    messages = await said(ScriptedClient(reads_then_fails(LostError("lost", "gone"))), 2)
    assert [message["type"] for message in messages] == ["status", "reading", "status"]
    assert states(messages) == [("heat", "online", ""), ("heat", "offline", "lost")]


async def test_what_a_meter_had_kept_says_nothing_of_how_it_is() -> None:
    past: Past = {"type": "past", "meter": "heat", "time": datetime.now(UTC), "logger": "day", "rows": ()}

    async def step(publish: Publish) -> None:
        await publish(past)
        raise LostError("lost", "gone")

    assert [m["type"] for m in await said(ScriptedClient(step), 2)] == ["past", "status"]


async def test_a_port_that_comes_and_goes_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    step = reads_then_fails(LostError("lost", "the port was closed"))
    messages = await said(ScriptedClient(*[step] * 20), 21)
    assert len(states(messages)) == 40, "the sinks see every change"
    assert caplog.text.count("heat is offline") == supervisor.TOLD_IN_AN_HOUR
    assert caplog.text.count("heat is online") == supervisor.TOLD_IN_AN_HOUR + 1, "the last word is true"


async def test_the_same_trouble_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    error = TransportError("port_missing", "the port is missing; plug it in")
    messages = await said(ScriptedClient(*[fails(error)] * 5), 6)
    assert states(messages) == [("heat", "offline", "port_missing")]
    told = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert [r.getMessage() for r in told] == ["meter heat is offline: the port is missing; plug it in"]


async def test_a_pulled_cable_is_one_line_for_all_that_went_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    missing = fails(AbsentError("port_missing", "not there"))
    script = ScriptedClient(
        missing,
        reads_then_fails(LostError("lost", "pulled"), "heat", "heat-gas", "heat-water"),
        missing,
        missing,
        reads_then_fails(ProtocolError("echo_only", "turned"), "heat", "heat-gas"),
    )
    messages = await said(script, 6)
    assert states(messages).count(("heat-gas", "offline", "port_missing")) == 1, "sinks are told each"
    assert [record.getMessage() for record in caplog.records] == [
        "meter heat is offline: not there",
        "meter heat is online: readings arrive",
        "meter heat-gas is online: readings arrive",
        "meter heat-water is online: readings arrive",
        "meter heat, and heat-gas and heat-water behind it, is offline: pulled",
        "meter heat is online: readings arrive",
        "meter heat, and heat-gas and heat-water behind it, is offline: turned",
    ]


async def test_another_reason_is_told_again() -> None:
    messages = await said(
        ScriptedClient(fails(TransportError("port_missing", "a")), fails(ProtocolError("echo_only", "b"))), 3
    )
    assert [state[2] for state in states(messages)] == ["port_missing", "echo_only"]


async def test_sub_meters_go_offline_with_their_parent() -> None:
    script = reads_then_fails(LostError("lost", "gone"), "heat", "heat-gas")
    messages = await said(ScriptedClient(script), 2)
    offline = [m["meter"] for m in messages if m["type"] == "status" and m["state"] == "offline"]
    assert offline == ["heat", "heat-gas"]


async def test_a_sub_meter_that_is_no_longer_sent_goes_offline_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "MISSED_SECONDS", 0.0)

    async def step(publish: Publish) -> None:
        gas: Info = {"type": "info", "meter": "heat-gas", "time": datetime.now(UTC), "interval": 0}
        await publish(gas)
        for meter in ("heat", "heat-gas", "heat", "heat-gas", "heat", "heat", "heat", "heat-gas"):
            await publish(reading(meter))

    messages = await said(ScriptedClient(step), 1)
    told = [
        (m["meter"], m["state"] if m["type"] == "status" else m["type"])
        for m in messages
        if m["type"] != "info"
    ]
    both = [("heat", "reading"), ("heat-gas", "reading")]
    assert told == [
        *[("heat", "online"), both[0], ("heat-gas", "online"), both[1]],
        *both,
        both[0],  # the gas could still come
        *[("heat-gas", "offline"), both[0], both[0], ("heat-gas", "online"), both[1]],
    ]
    (missed,) = [m for m in messages if m["type"] == "status" and m["state"] == "offline"]
    assert missed["reason"] == "not_sent"
    assert "the meter heat, behind which it is, no longer sends a reading of it" in missed["detail"]


async def test_what_the_client_told_of_a_sub_meter_is_not_said_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "MISSED_SECONDS", 0.0)

    async def step(publish: Publish) -> None:
        await publish(status_of("heat-gas", "offline", "no_reading", "never heard", None))
        for meter in ("heat", "heat", "heat", "heat-gas"):
            await publish(reading(meter))

    messages = await said(ScriptedClient(step), 1)
    assert [state for state in states(messages) if state[0] == "heat-gas"] == [
        ("heat-gas", "offline", "no_reading"),
        ("heat-gas", "online", ""),
    ]


async def test_a_sub_meter_is_not_missed_before_its_time() -> None:
    async def step(publish: Publish) -> None:
        for meter in ("heat", "heat-gas", "heat", "heat", "heat"):
            await publish(reading(meter))

    messages = await said(ScriptedClient(step), 1)
    assert states(messages) == [("heat", "online", ""), ("heat-gas", "online", "")]


@pytest.mark.parametrize(("missed_seconds", "interval"), [(0.0, 3600), (3600.0, 0)])
async def test_a_sub_meter_is_missed_after_the_longer_of_its_limits(
    monkeypatch: pytest.MonkeyPatch, missed_seconds: float, interval: int
) -> None:
    monkeypatch.setattr(supervisor, "MISSED_SECONDS", missed_seconds)

    async def step(publish: Publish) -> None:
        gas: Info = {"type": "info", "meter": "heat-gas", "time": datetime.now(UTC), "interval": interval}
        await publish(gas)
        for meter in ("heat", "heat-gas", "heat", "heat", "heat"):
            await publish(reading(meter))

    messages = await said(ScriptedClient(step), 1)
    assert states(messages) == [("heat", "online", ""), ("heat-gas", "online", "")]


async def test_the_status_carries_the_health() -> None:
    client = ScriptedClient(fails(LostError("lost", "gone")))
    client.health["damaged_frames"] = 3
    messages = await said(client, 2)
    assert messages[0]["type"] == "status"
    assert messages[0]["health"] == {
        "valid_readings": 0,
        "damaged_frames": 3,
        "rejected_values": 0,
        "reconnects": 0,
    }
    assert client.health["reconnects"] == 1


async def test_a_bug_is_told_and_the_client_entered_again() -> None:
    async def bug(publish: Publish) -> None:
        raise ZeroDivisionError

    client = ScriptedClient(bug, bug, reads_then_fails(LostError("lost", "gone")))
    messages = await said(client, 4)
    assert states(messages) == [
        ("heat", "alert", "internal_error"),
        ("heat", "online", ""),
        ("heat", "offline", "lost"),
    ]
    assert client.health["internal_errors"] == 2
    assert client.health["reconnects"] == 3
    told = messages[0]
    assert told["type"] == "status"
    assert "a fault of this program" in told["detail"]
    assert "diagnose" in told["detail"]


async def test_a_fault_of_the_guard_is_the_meters_alert_and_is_told() -> None:
    messages: list[Message] = []

    async def publish(message: Message) -> None:
        messages.append(message)

    client = ScriptedClient()
    supervised = MeterSupervisor(client, publish)
    status = supervised.unjudged("heat", ZeroDivisionError())
    assert (status["meter"], status["state"], status["reason"]) == ("heat", "alert", "internal_error")
    assert "a fault of this program" in status["detail"]
    assert (supervised.state, supervised.reason) == ("alert", "internal_error")
    assert client.health["internal_errors"] == 1
    behind = supervised.unjudged("heat-gas", ZeroDivisionError())
    assert (behind["meter"], "health" in behind) == ("heat-gas", False)
    assert supervised.knows("heat-gas")
    # The next reading says that all is well again.
    await supervised.publish(reading())
    assert states(messages) == [("heat", "online", "")]


def pass_by(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FairLoop)
    loop.skip(seconds)


async def test_whether_readings_still_come_is_known_of_each_meter() -> None:
    async def publish(message: Message) -> None:
        pass

    supervised = MeterSupervisor(ScriptedClient(), publish)
    assert supervised.freshness() == {"heat": Freshness(False, "offline", None, "starting")}
    info: Info = {"type": "info", "meter": "heat-gas", "time": datetime.now(UTC), "interval": 3600}
    await supervised.publish(info)
    await supervised.publish(reading())
    await supervised.publish(reading("heat-gas"))
    pass_by(301)  # one reading of the gas in an hour is enough, and who says nothing is read often
    assert supervised.freshness() == {
        "heat": Freshness(False, "online", 301),
        "heat-gas": Freshness(True, "online", 301),
    }


async def test_health_comes_with_the_readings_once_in_a_while() -> None:
    messages: list[Message] = []

    async def publish(message: Message) -> None:
        messages.append(message)

    supervised = MeterSupervisor(ScriptedClient(), publish)
    for _ in range(3):
        await supervised.publish(reading())
        await supervised.publish(reading("heat-gas"))
        pass_by(supervisor.HEALTH_SECONDS / 2)
    assert [(m["type"], m["meter"]) for m in messages if m["type"] == "status"] == [
        ("status", "heat"),
        ("status", "heat-gas"),
        ("status", "heat"),
    ]
    assert messages[-2]["type"] == "status", "behind the reading that made it due"


async def test_a_group_of_our_errors_is_told_as_its_first() -> None:
    async def lose() -> None:
        raise LostError("lost", "the port was closed")

    async def step(publish: Publish) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(lose())

    client = ScriptedClient(step)
    assert states(await said(client, 2)) == [("heat", "offline", "lost")]
    assert "internal_errors" not in client.health


def test_backoff_doubles_up_to_its_limit_for_ever() -> None:
    backoff = Backoff(1.0, 30.0)
    waits = [backoff.wait(failures, random.Random(1)) for failures in (1, 2, 3, 10, 100_000)]
    for wait, base in zip(waits, (1, 2, 4, 30, 30), strict=True):
        assert 0.8 * base <= wait <= 1.2 * base


@pytest.mark.usefixtures("_real_backoff")
@pytest.mark.parametrize(
    ("error", "longest"),
    [
        (LostError("lost", ""), 30.0),
        (MeterSilentError("echo_only", ""), 300.0),
        (UnusableAnswersError("damaged_answers", ""), 300.0),
        (DecryptionError("wrong_key", ""), 300.0),
        (SinkError("refused", ""), 60.0),
    ],
)
def test_backoff_by_consequence(error: ExplainedError, longest: float) -> None:
    assert backoff_for(error).longest == longest


@pytest.fixture
def _real_backoff(_short_backoff: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()


async def test_a_sink_is_restarted_alone_and_keeps_its_queue(caplog: pytest.LogCaptureFixture) -> None:
    class FailingSink(Sink):
        name = "flaky"

        def __init__(self) -> None:
            self.got: list[Message] = []

        async def run(self, messages: AsyncIterator[Message]) -> None:
            async for message in messages:
                self.got.append(message)
                raise SinkError("refused", "the other side refuses")

    async def three() -> AsyncIterator[Message]:
        for _ in range(3):
            yield reading()

    sink = FailingSink()
    supervised = SinkSupervisor(sink, three())
    await supervised.run()
    assert len(sink.got) == 3
    assert supervised.restarts == 3
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert told == ["sink flaky: the other side refuses"]
