"""The supervisor: runs clients, restarts them with backoff by error class, tells their state."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Literal

from smart_meter_reader.exceptions import (
    AbsentError,
    ExplainedError,
    LostError,
)
from smart_meter_reader.messages import STANDBY, STARTING, Message, Publish, Reading, State, Status
from smart_meter_reader.messages.freshness import Freshness
from smart_meter_reader.meters.base import Client
from smart_meter_reader.pipeline.meter_states import MeterState, StateLog, Told, status_of
from smart_meter_reader.pipeline.retries import backoff_for
from smart_meter_reader.rooms import (
    INTERNAL_ERROR,
    Bug,
    LastReceived,
    Room,
    advice,
    explained_error,
    hearing,
    outcome,
)
from smart_meter_reader.service.notify import Pulse

_log = logging.getLogger(__name__)

KeepFault = Callable[[str, Bug, bytes], None]
"""Keeps a fault of the client of a meter, and what was received last, for ``diagnose``."""

# A port that comes and goes every second would fill the log; whoever tries a plug shall see what he does.
TOLD_IN_AN_HOUR = 5
# Fresh counters follow a reading, but a meter that sends every second would only fill the log with them.
HEALTH_SECONDS = 60.0
# Whoever publishes again so soon has not waited for its meter.
AT_ONCE_SECONDS = 0.01
# A sub-meter is missed after three of its intervals, and after so long at least.
MISSED_SECONDS = 300.0


class MeterSupervisor:
    """Runs one client for ever and keeps the state of its meter.

    Every message of the client passes through here: a reading of a meter that is not online is preceded
    by the status ``online``. The sub-meters of a P1 meter have states of their own, which end with their
    parent's, and when it no longer sends them.

    What the client raises stays here; what is none of our errors is told as ``alert internal_error``.
    """

    def __init__(self, client: Client, publish: Publish, keep: KeepFault | None = None) -> None:
        """``keep`` gets each new fault of this program with the bytes that were received last."""
        self.client = client
        self._keep = keep
        self._room = Room(f"meter {client.meter}")
        self._heard = LastReceived()
        self._publish_on = publish
        self._clock = asyncio.get_running_loop().time
        self._last_attempt_at = self._clock()
        self._published_at = float("-inf")
        self._told: dict[str, Told] = {client.meter: Told(self._clock())}
        self._state_logs: dict[str, StateLog] = {}
        self._failures = 0
        self._lost = False  # the port went away, and that was told
        self._health_published = float("-inf")
        self._stands_by = False
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing

    @property
    def meter(self) -> str:
        return self.client.meter

    @property
    def state(self) -> MeterState:
        return self._told[self.client.meter].state

    @property
    def reason(self) -> str:
        return self._told[self.client.meter].reason

    def pulse(self) -> Pulse:
        """How the meter is doing, for the watchdog."""
        now, told = self._clock(), self._told[self.meter]
        return Pulse(
            meter=self.meter,
            state=told.state,
            reason=told.reason,
            rhythm=told.rhythm,
            since_reading=now - told.read_at,
            since_attempt=0.0 if self._stands_by else now - self._last_attempt_at,
            longest_attempt=self.client.longest_attempt,
        )

    def freshness(self) -> dict[str, Freshness]:
        """Whether readings still come: of the meter, and of those behind it."""
        now = self._clock()
        return {meter: told.freshness(now) for meter, told in self._told.items()}

    async def run(self) -> None:
        """Run the client until cancelled; errors that a restart can mend are waited out."""
        # What a broker still holds of a service that was killed may say that the meter is online.
        await self._publish_on(self._status(self.meter, "offline", STARTING, "waiting for the first reading"))
        while True:
            self._last_attempt_at = self._clock()
            error = await self._attempt(once=False)
            if error is None:
                return  # a client ends by itself only when its source does (a replayed recording)
            self._last_attempt_at = self._clock()
            await self._tell_failure(error)
            self._failures += 1
            wait = backoff_for(error).wait(self._failures, self._jitter)
            del error  # with all that its frames hold
            self._count("reconnects")
            await asyncio.sleep(wait)

    async def stand_by(self, reason: str, detail: str) -> None:
        """The meter has a lease that is not ours: the client does not run, and that is the meter's state."""
        self._stands_by = True
        self._told[self.meter].note("offline", reason, detail)
        self._log_state(self.meter, "offline", reason, detail, quiet=reason == STANDBY)
        await self._publish_on(self._status(self.meter, "offline", reason, detail))

    def take_up(self, changes: int) -> None:
        """The lease is ours: ``run`` is entered. ``changes``: how often it has come or gone."""
        self.client.health["lease_changes"] = changes
        self._stands_by = False
        self._last_attempt_at = self._clock()
        self._told[self.meter] = Told(self._clock())

    async def run_once(self) -> bool:
        """Take one reading; False when there was none (the reason has been told)."""
        error = await self._attempt(once=True)
        if error is not None:
            await self._tell_failure(error)
        return error is None

    async def _attempt(self, *, once: bool) -> BaseException | None:
        """Run the client: why it ended; None when it did so by itself."""
        self._heard.clear()
        with hearing(self._heard):
            error = await outcome(lambda: self.client.run(self.publish, once=once), self.meter)
        return error and (explained_error(error) or error)

    def knows(self, meter: str) -> bool:
        return meter in self._told  # the own one, and those behind it

    async def publish(self, message: Message) -> None:
        """Pass on one of the client's messages, with the statuses that it implies."""
        await self._publish(message)
        # A client that finds hundreds of telegrams in its input never waits: let the others have their turn.
        before, self._published_at = self._published_at, self._clock()
        if self._published_at - before < AT_ONCE_SECONDS:
            await asyncio.sleep(0)

    async def _publish(self, message: Message) -> None:
        match message["type"]:
            case "reading":
                await self._publish_reading(message)
            case "status":
                told = self._told_of(message["meter"])
                if (told.state, told.reason) != (message["state"], message["reason"]):
                    self._log_state(message["meter"], message["state"], message["reason"], message["detail"])
                told.note(message["state"], message["reason"], message["detail"], by_client=True)
                await self._publish_on(message)
            case "info":
                if "interval" in message:
                    self._told_of(message["meter"]).expect(message["interval"])
                await self._publish_on(message)
            case "past":
                await self._publish_on(message)  # it says nothing of how the meter is

    def unjudged(self, meter: str, error: BaseException) -> Status:
        """The guard failed on a message of the meter, which is held back: the status that says so."""
        fault = self._note(error, "what the guard could not judge is held back")
        self._told_of(meter).note("alert", INTERNAL_ERROR, advice(fault))
        return self._status(meter, "alert", INTERNAL_ERROR, advice(fault))

    async def _publish_reading(self, reading: Reading) -> None:
        meter = reading["meter"]
        told = self._told_of(meter)
        self._failures = 0
        self._lost = False
        if meter == self.meter:
            await self._miss_sub_meters()
        if told.state != "online":
            await self._tell(meter, "online", "", "readings arrive")
            self._health_published = self._clock()
        await self._publish_on(reading)
        told.read(self._clock())
        if meter == self.meter and told.read_at - self._health_published >= HEALTH_SECONDS:
            self._health_published = told.read_at
            await self.publish_health()

    async def _miss_sub_meters(self) -> None:
        """Before a reading of the parent: which sub-meters are long not among what it sends.

        Their age is counted up to the reading before, behind which theirs had its chance; so a gap in
        everything makes none of them old.
        """
        parent = self._told[self.meter]
        for meter, told in self._told.items():
            if told is parent or told.by_client:
                continue
            if parent.read_at - told.read_at > max(MISSED_SECONDS, 3 * told.rhythm):
                detail = (
                    f"the meter {self.meter}, behind which it is, no longer sends a reading of it: was it "
                    "taken off, or is its cable or radio link down?"
                )
                await self._tell(meter, "offline", "not_sent", detail)

    def _told_of(self, meter: str) -> Told:
        told = self._told.get(meter)
        if told is None:
            told = self._told[meter] = Told(self._clock())
        return told

    async def publish_health(self) -> None:
        """Publish the state again with fresh health counters."""
        if (status := self.status()) is not None:
            await self._publish_on(status)

    def status(self) -> Status | None:
        """The meter's status as of now; None while nothing is known of it."""
        meter, told = self.meter, self._told[self.meter]
        return None if told.state == "starting" else self._status(meter, told.state, told.reason, told.detail)

    async def _tell_failure(self, error: BaseException) -> None:
        state: State = "alert"
        if isinstance(error, ExplainedError):
            state, reason, detail = "offline", error.reason, error.detail
        else:
            fault = self._note(error, "the meter is tried again, the others are read on")
            reason, detail = INTERNAL_ERROR, advice(fault)
        # The port went, and that it is not there is no news; nor is it what else went with it.
        known = self._lost and isinstance(error, AbsentError)
        self._lost = known or isinstance(error, LostError)
        behind = [meter for meter in self._told if meter != self.meter]
        await self._tell(self.meter, state, reason, detail, behind=behind, quiet=known)
        for meter in behind:
            await self._tell(meter, state, reason, detail, quiet=True)

    def _note(self, error: BaseException, consequence: str) -> Bug:
        """Count and log a fault of this program, and have the new ones kept."""
        self._count("internal_errors")
        fault, is_new = self._room.note(error, consequence)
        if is_new and self._keep is not None:
            self._keep(self.meter, fault, self._heard.last())
        return fault

    def _count(self, key: Literal["reconnects", "internal_errors"]) -> None:
        self.client.health[key] = self.client.health.get(key, 0) + 1

    async def _tell(
        self,
        meter: str,
        state: State,
        reason: str,
        detail: str,
        *,
        behind: Sequence[str] = (),
        quiet: bool = False,
    ) -> None:
        """Publish a state that is new; ``behind`` share it, and ``quiet`` is what the log has already."""
        told = self._told[meter]
        if (told.state, told.reason) == (state, reason):
            _log.debug("%s: still %s (%s)", meter, state, reason)
            return
        told.note(state, reason, detail)
        names = f"{meter}, and {' and '.join(behind)} behind it," if behind else meter
        self._log_state(meter, state, reason, detail, names, quiet=quiet)
        await self._publish_on(self._status(meter, state, reason, detail))

    def _log_state(
        self, meter: str, state: str, reason: str, detail: str, names: str = "", *, quiet: bool = False
    ) -> None:
        told = self._state_logs.setdefault(meter, StateLog(TOLD_IN_AN_HOUR))
        told.log(names or meter, state, reason, detail, self._clock(), quiet=quiet)

    def _status(self, meter: str, state: State, reason: str, detail: str) -> Status:
        health = self.client.health if meter == self.client.meter else None
        return status_of(meter, state, reason, detail, health)
