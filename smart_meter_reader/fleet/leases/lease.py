"""One lease as whoever reads the meter sees it: may it be read now, until when, and who reads it if not."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from smart_meter_reader.fleet.leases import plan
from smart_meter_reader.fleet.leases.plan import LeaseState, LeaseTimes

# A sleeping machine stops the loop's timers, and not the clock by which leases end.
_LONGEST_WAIT: Final = 5.0
# A connection and a first answer come by then; what is said before may be wrong.
_FIRST_WORD: Final = 12.0


class Lease:
    """The lease of one meter. Its state is set by who talks to the servers, and waited for by who reads."""

    def __init__(self, meter: str, edge: str, times: LeaseTimes) -> None:
        self.meter = meter
        self.times = times
        self.changes = 0
        """How often reading began or ended by it."""
        self.trouble = ""
        """Why the servers do not answer, in a sentence; "" while they do."""
        self._edge = edge
        self._begun = self.now()
        self._state = plan.begun(self._begun)
        self._changed = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()

    @staticmethod
    def now() -> float:
        """The time that ``plan`` wants: it goes on while the machine sleeps."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    @property
    def state(self) -> LeaseState:
        return self._state

    def become(self, state: LeaseState) -> None:
        """Something was learnt."""
        if state.answered > self._state.answered:
            self.trouble = ""
        self._state = state
        self._changed.set()

    @property
    def may_read(self) -> bool:
        return plan.may_read(self._state, self.now(), self.times)

    @property
    def revision(self) -> int | None:
        """What goes with readings; with those that are taken without the servers, the last one there was."""
        return self._state.revision

    async def until_may_read(self) -> None:
        """Wait for the lease, or for being the only one left who can read."""
        await self._until(may_read=True)

    async def until_over(self) -> None:
        """Wait until the meter must not be read any more."""
        await self._until(may_read=False)

    async def until_news(self, told: str) -> None:
        """Wait until there is something else to tell than ``told``, or the meter may be read."""
        while self.sentence == told and not self.may_read:
            await self._change()

    def begin(self) -> None:
        """The meter is being read from now on."""
        self.changes += 1
        self._free.clear()

    def end(self) -> None:
        """It is not any more: the port is closed."""
        self.changes += 1
        self._free.set()

    async def free(self) -> None:
        """Wait until the meter is not being read."""
        await self._free.wait()

    @property
    def sentence(self) -> str:
        """A sentence for a person: who reads it, or why nobody does; "" while the servers are first asked."""
        state, now = self._state, self.now()
        if plan.holds(state, now):
            return f"this machine ({self._edge}) reads it, by the lease {state.revision}"
        if plan.reads_alone(state, now, self.times):
            return f"this machine ({self._edge}) had its lease last, and reads it while no server answers"
        if state.holder and not plan.is_heard_of(state, now, self.times):
            why = self.trouble or "no server answers"
            return f"{state.holder} had its lease when the servers answered last: {why}"
        if state.holder:
            ready = round(self.times.ttl + self.times.renew)
            return f"{state.holder} reads it; this machine takes over within {ready} s should that one fail"
        if state.was_ours:
            return f"its lease could not be renewed: {self.trouble or 'no server answers'}"
        if now < self._begun + _FIRST_WORD:
            return ""
        return f"nobody is known to have its lease: {self.trouble or 'no server answers'}"

    @property
    def is_standby(self) -> bool:
        """Whether another machine has it, as far as is known: nothing is wrong."""
        return not self.may_read and bool(self._state.holder)

    async def _until(self, *, may_read: bool) -> None:
        while self.may_read is not may_read:
            await self._change()

    async def _change(self) -> None:
        """Until something may have changed."""
        self._changed.clear()
        left = plan.next_change(self._state, self.now(), self.times) - self.now()
        try:
            async with asyncio.timeout(min(max(left, 0.0), _LONGEST_WAIT)):
                await self._changed.wait()
        except TimeoutError:
            pass  # looked at again
