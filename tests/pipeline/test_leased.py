"""A meter with a lease is read while it is ours: what is told meanwhile, and what goes with its readings.

The lease here is turned by hand; that over NATS is tried with its servers in tests/fleet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.messages import STANDBY, Health, Message, Past, Publish, Reading, Status
from smart_meter_reader.meters.base import Client
from smart_meter_reader.pipeline import leased
from smart_meter_reader.pipeline.leased import LEASE_LOST, LeasedMeter, stamping
from smart_meter_reader.pipeline.supervisor import MeterSupervisor

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
READING: Reading = {
    "type": "reading",
    "meter": "heat",
    "time": NOON,
    "measurements": {"power": {"value": Decimal(1), "unit": "kW"}},
}


class HandLease:
    """A lease that a test gives and takes."""

    def __init__(self) -> None:
        self.may_read = False
        self.is_standby = False
        self.sentence = ""
        self.revision: int | None = None
        self.changes = 0
        self.asked: list[str] = []
        self._turned = asyncio.Event()

    def turn(self, *, ours: bool, sentence: str, standby: bool = False) -> None:
        self.changes += self.may_read != ours
        self.may_read, self.sentence, self.is_standby = ours, sentence, standby
        self._turned.set()
        self._turned = asyncio.Event()

    async def until_may_read(self) -> None:
        while not self.may_read:
            await self._turned.wait()

    async def until_news(self, told: str) -> None:
        while not self.may_read and self.sentence in ("", told):
            await self._turned.wait()

    async def until_over(self) -> None:
        while self.may_read:
            await self._turned.wait()

    def begin(self) -> None:
        self.asked.append("begin")

    def end(self) -> None:
        self.asked.append("end")


class ReadsOnce(Client):
    """One reading at each start; then it waits, or with ``ends`` is at its end."""

    def __init__(self, *, ends: bool = False) -> None:
        self.meter = "heat"
        self.health: Health = {}
        self._ends = ends

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        await publish(READING)
        if not (once or self._ends):
            await asyncio.Event().wait()

    def read_now(self) -> None:
        pass


class Bench:
    """A leased meter, and what it publishes."""

    def __init__(self, client: Client | None = None) -> None:
        self.lease = HandLease()
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.supervisor = MeterSupervisor(client or ReadsOnce(), self.messages.put)
        self.meter = LeasedMeter(self.supervisor, self.lease)

    async def told(self) -> tuple[str, str, str]:
        message = await self.messages.get()
        if message["type"] == "status":
            return message["state"], message["reason"], message["detail"]
        return message["type"], "", ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.ensure_future(self.meter.run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_whose_turn_it_is_is_told_once_and_the_meter_is_read_in_ours() -> None:
    bench = Bench()
    async with bench.running():
        bench.lease.turn(ours=False, sentence="it is read by attic", standby=True)
        assert await bench.told() == ("offline", STANDBY, "it is read by attic")
        assert bench.supervisor.reason == STANDBY
        assert bench.supervisor.pulse().since_attempt == 0, "nothing hangs that is not to be tried"
        bench.lease.turn(ours=False, sentence="it is read by attic", standby=True)
        bench.lease.turn(ours=False, sentence="the servers do not answer")
        assert await bench.told() == ("offline", LEASE_LOST, "the servers do not answer")
        bench.lease.turn(ours=True, sentence="it is read here")
        assert [(await bench.told())[:2] for _ in range(3)] == [
            ("offline", "starting"),
            ("online", ""),
            ("reading", ""),
        ]
        assert bench.lease.asked == ["begin"]
        assert bench.supervisor.client.health["lease_changes"] == 1
        bench.lease.turn(ours=False, sentence="it is read by attic", standby=True)
        assert await bench.told() == ("offline", STANDBY, "it is read by attic")
        assert bench.lease.asked == ["begin", "end"]
        bench.lease.turn(ours=True, sentence="it is read here")
        assert (await bench.told())[:2] == ("offline", "starting")
    assert bench.lease.asked == ["begin", "end"] * 2, "also where it is stopped meanwhile"


async def test_while_nothing_is_known_nothing_is_told() -> None:
    bench = Bench()
    async with bench.running():
        for _ in range(5):
            await asyncio.sleep(0)
        assert bench.messages.empty()


async def test_a_source_that_ends_ends_the_meter() -> None:
    bench = Bench(ReadsOnce(ends=True))
    bench.lease.turn(ours=True, sentence="it is read here")
    async with bench.running() as task:
        await task
    assert bench.lease.asked == ["begin", "end"]


async def test_one_reading_waits_for_the_lease() -> None:
    bench = Bench()
    asked = asyncio.ensure_future(bench.meter.run_once())
    await asyncio.sleep(0)
    bench.lease.turn(ours=True, sentence="it is read here")
    assert await asked
    assert bench.lease.asked == ["begin", "end"]


@pytest.mark.parametrize("standby", [True, False])
async def test_one_reading_of_a_meter_that_is_not_ours(
    standby: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leased, "ONCE_SECONDS", 0.01)
    bench = Bench()
    bench.lease.turn(ours=False, sentence="not here", standby=standby)
    assert await bench.meter.run_once() is standby
    assert await bench.told() == ("offline", STANDBY if standby else LEASE_LOST, "not here")
    assert bench.lease.asked == []


@pytest.mark.parametrize("revision", [None, 7])
async def test_what_has_values_has_the_revision_of_the_lease(revision: int | None) -> None:
    past: Past = {"type": "past", "meter": "heat", "time": NOON, "logger": "day", "rows": ()}
    status: Status = {
        "type": "status",
        "meter": "heat",
        "time": NOON,
        "state": "online",
        "reason": "",
        "detail": "",
    }
    lease, passed = HandLease(), list[Message]()
    lease.revision = revision

    async def publish(message: Message) -> None:
        passed.append(message)

    for message in (READING, past, status):
        await stamping(publish, lease)(message)
    assert [each.get("lease_revision") for each in passed] == [revision, revision, None]
    assert "lease_revision" not in READING, "messages are never changed"
