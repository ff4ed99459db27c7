"""A meter that several machines reach is run here while its lease is ours, and not a moment longer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from smart_meter_reader.drivers import imported
from smart_meter_reader.fleet.leases import DRIVER
from smart_meter_reader.messages import STANDBY, Message, Publish
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.settings.loading import ServiceSettings

_log = logging.getLogger(__name__)

# How long `run --once` waits for the lease: somebody else has it, or the servers do not answer.
ONCE_SECONDS: Final = 10.0
LEASE_LOST: Final = "lease_lost"
"""The reason of a status ``offline`` of a meter that, as far as is known, nobody reads."""


class MeterLease(Protocol):
    """What is asked of a lease; the one over NATS is fleet.leases.lease.Lease."""

    @property
    def may_read(self) -> bool:
        """Whether the meter may be read now."""

    @property
    def is_standby(self) -> bool:
        """Whether another machine reads it, as far as is known."""

    @property
    def sentence(self) -> str:
        """A sentence for a person: who reads it, or why nobody does; "" while that is being asked."""

    @property
    def revision(self) -> int | None:
        """What fences off earlier holders."""

    async def until_may_read(self) -> None:
        """Wait until it may be read."""

    async def until_news(self, told: str) -> None:
        """Wait until there is another sentence to tell, or it may be read."""

    async def until_over(self) -> None:
        """Wait until it must not be read any more."""

    @property
    def changes(self) -> int:
        """How often it came to this machine, or left it."""

    def begin(self) -> None:
        """It is being read from now on."""

    def end(self) -> None:
        """It is not any more."""


def stamping(publish: Publish, lease: MeterLease) -> Publish:
    """``publish`` for the messages of a meter with a lease: its revision goes with each that has values."""

    async def stamped(message: Message) -> None:
        revision = lease.revision
        if revision is not None and message["type"] in ("reading", "past"):
            # Of the copy that is ours: messages are never changed.
            message = message.copy()
            message["lease_revision"] = revision
        await publish(message)

    return stamped


class LeasedMeter:
    """Runs the supervisor of one meter while its lease says so."""

    def __init__(self, supervisor: MeterSupervisor, lease: MeterLease) -> None:
        self._supervisor = supervisor
        self._lease = lease
        self._said = ""

    async def run(self) -> None:
        """Read while the lease is ours; until cancelled, or the meter's source ends."""
        while True:
            await self._wait()
            if await self._read():
                return

    async def run_once(self) -> bool:
        """Take one reading, if the meter is ours to read; False when there was none."""
        try:
            async with asyncio.timeout(ONCE_SECONDS):
                await self._lease.until_may_read()
        except TimeoutError:
            await self._tell_waiting()
            return self._lease.is_standby  # then another machine sees to it
        self._lease.begin()
        try:
            return await self._supervisor.run_once()
        finally:
            self._lease.end()

    async def _wait(self) -> None:
        """Until it is ours; what there is to tell is told when it is new."""
        while not self._lease.may_read:
            await self._tell_waiting()
            await self._lease.until_news(self._said)
        self._said = ""

    async def _tell_waiting(self) -> None:
        sentence = self._lease.sentence
        if sentence in ("", self._said):
            return
        self._said = sentence
        reason = STANDBY if self._lease.is_standby else LEASE_LOST
        if reason == STANDBY:
            _log.info("meter %s: %s", self._supervisor.meter, sentence)
        await self._supervisor.stand_by(reason, sentence)

    async def _read(self) -> bool:
        """Whether the meter's source has ended; False when it is somebody else's turn."""
        meter = self._supervisor.meter
        _log.info("meter %s: %s", meter, self._lease.sentence)
        self._lease.begin()
        self._supervisor.take_up(self._lease.changes)
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._supervisor.run(), name=meter)
                over = group.create_task(self._lease.until_over(), name=f"lease of {meter}")
                await asyncio.wait([reading, over], return_when=asyncio.FIRST_COMPLETED)
                ended = reading.done()
                reading.cancel()
                over.cancel()
        finally:
            self._lease.end()
        return ended


class Leasing:
    """The leases of one environment's meters, of which some have one."""

    def __init__(self, settings: ServiceSettings, outages: Outages) -> None:
        names = [name for name, meter in settings.meters.items() if meter.lease]
        leases = imported(DRIVER.leases)(settings.leases, names, outages)
        self._leases: dict[str, MeterLease] = {name: leases.of(name) for name in names}
        self.work: dict[str, Callable[[], Awaitable[object]]] = {"leases": leases.run}
        """What has to run beside the meters until they have ended."""

    def publish_of(self, meter: str, publish: Publish) -> Publish:
        """How the messages of a meter get on: with the lease's revision where it has one."""
        lease = self._leases.get(meter)
        return stamping(publish, lease) if lease else publish

    def runner(self, supervisor: MeterSupervisor) -> MeterSupervisor | LeasedMeter:
        """What runs a meter: its supervisor, by the lease where it has one."""
        lease = self._leases.get(supervisor.meter)
        return LeasedMeter(supervisor, lease) if lease else supervisor
