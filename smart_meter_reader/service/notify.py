"""Talks to systemd (sd_notify) and decides when the service deserves to live on.

The protocol: datagrams of ``KEY=value`` lines to the socket that $NOTIFY_SOCKET names (sd_notify(3),
"Standalone Implementations"). Nothing here blocks or fails: without systemd every call does nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from smart_meter_reader.rooms import INTERNAL_ERROR
from smart_meter_reader.settings.durations import format_duration

_log = logging.getLogger(__name__)

# STATUS= is refreshed this often at least when there is no watchdog to be fed more often.
STATUS_SECONDS = 60.0
# After this process stood still for so long, the ages of all meters say nothing for a while.
STALL_SECONDS = 30.0
# Meters of one line change together: one sentence tells of all.
SETTLE_SECONDS = 0.5


class Notifier:
    """Sends states to the service manager that started us; does nothing when none did."""

    def __init__(self, address: str = "", watchdog_seconds: float | None = None) -> None:
        """``address`` as in $NOTIFY_SOCKET: an absolute path, or ``@name`` for an abstract socket."""
        self.watchdog_seconds = watchdog_seconds
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._status = ""
        if address and not address.startswith(("@", "/")):
            _log.warning("NOTIFY_SOCKET=%s is of an unknown kind; systemd is told nothing", address)
            self._address = ""

    @classmethod
    def from_environment(cls, variables: MutableMapping[str, str] | None = None) -> Notifier:
        """The notifier for this process. Takes the variables away, so that no child talks in our name."""
        variables = os.environ if variables is None else variables
        watchdog = _watchdog_seconds(variables)
        for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
            variables.pop(name, None)
        return cls(variables.pop("NOTIFY_SOCKET", ""), watchdog)

    @property
    def active(self) -> bool:
        """Whether a service manager listens."""
        return bool(self._address)

    def ready(self, status: str) -> bool:
        """The service runs. False when systemd did not take it: to be said again, it waits for that."""
        self._status = _one_line(status)
        return self._send("READY=1", f"STATUS={self._status}")

    def status(self, text: str) -> None:
        """A sentence for a person, shown by ``systemctl status``; sent when it is another one."""
        text = _one_line(text)
        if text != self._status and self._send(f"STATUS={text}"):
            self._status = text

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The ordered stop has begun."""
        self._send("STOPPING=1", "STATUS=stopping")

    def _send(self, *lines: str) -> bool:
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            # Full (systemd is busy) or gone (it is being updated): the next one will do.
            _log.debug("systemd does not take %s: %s", lines[0], error.strerror)
            return False
        return True


def _watchdog_seconds(variables: Mapping[str, str]) -> float | None:
    """How often systemd wants to hear from us (sd_watchdog_enabled(3)); None when it does not care."""
    if variables.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = variables.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isascii() and microseconds.isdigit() else None


def _one_line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Pulse:
    """How one meter is doing, for the watchdog. Times are in seconds and from a clock that never jumps.

    ``rhythm``: the longest time between two of its readings when all is well. ``since_reading``: age of its
    last valid reading, or of the service when there was none yet. ``since_attempt``: age of the last attempt
    to read it, or of the error in which that ended. ``longest_attempt``: after so long at the latest an
    attempt ends in one or the other.
    """

    meter: str
    state: Literal["starting", "online", "offline", "alert"]
    reason: str
    rhythm: float
    since_reading: float
    since_attempt: float
    longest_attempt: float = 0.0
    required: bool = True

    @property
    def is_faulty(self) -> bool:
        """Whether it is a fault of this program that keeps the meter from being read."""
        return self.reason == INTERNAL_ERROR


@dataclass(frozen=True, slots=True)
class WatchdogPolicy:
    """When the watchdog is fed: while every required meter is fresh, or its failure is told and retried.

    A meter is fresh until ``missed`` rhythms and ``grace`` have passed without a reading. One whose failure
    was told (it sleeps, the cable is out, the key is wrong) needs no restart as long as its task tries again,
    in the meter's rhythm or within ``retry``: a restart would mend nothing. Either may take as long as one
    attempt is allowed to. What remains is the task that hangs: neither a reading nor an error, for longer
    than can be. That is what the watchdog is for, beside the event loop that hangs and then asks nothing
    here. A meter that fails by a fault of this program (``internal_error``) and gives no reading at all is no
    better: another attempt proves nothing, and a fresh start may mend what went wrong.
    """

    missed: float = 3.0
    grace: float = 120.0
    # Attempts are 6 minutes apart at most (supervisor), and may wait 5 more to spare a battery (PollTimes).
    retry: float = 1200.0

    def hangs(self, pulse: Pulse) -> bool:
        """Whether a meter's task has given neither a reading nor an error for longer than can be."""
        limit, age = self.missed * pulse.rhythm + self.grace, pulse.since_attempt
        if pulse.is_faulty:
            limit, age = max(limit, self.retry), pulse.since_reading
        elif pulse.state == "alert":
            return False  # told, and still listening
        elif pulse.state == "offline":
            limit = max(limit, self.retry)
        else:
            age = min(pulse.since_reading, age)
        return age > limit + pulse.longest_attempt

    def hanging(self, pulses: Sequence[Pulse]) -> list[Pulse]:
        """The required meters that hang; the watchdog is fed when there are none."""
        return [pulse for pulse in pulses if pulse.required and self.hangs(pulse)]


_WAITING = "waiting for the first reading of"


def is_waiting(sentence: str) -> bool:
    """Whether, by a ``status_sentence`` or none yet, a meter has neither been read nor failed."""
    return not sentence or _WAITING in sentence


def status_sentence(pulses: Sequence[Pulse]) -> str:
    """The state of all meters as a person would say it; the ones in trouble first, by name."""
    trouble = [
        f"{pulse.meter} is {pulse.state}" + (f" ({pulse.reason})" if pulse.reason else "")
        for pulse in pulses
        if pulse.state in ("offline", "alert")
    ]
    online = [pulse for pulse in pulses if pulse.state == "online"]
    starting = [pulse.meter for pulse in pulses if pulse.state == "starting"]
    parts = trouble
    if starting:
        parts.append(f"{_WAITING} {', '.join(starting)}")
    if online:
        who = online[0].meter if len(pulses) == 1 else f"{len(online)} of {len(pulses)} meters"
        parts.append(f"{who} online")
    return "; ".join(parts) or "no meters"


async def report_to_manager(
    notifier: Notifier,
    pulses: Callable[[], Sequence[Pulse]],
    changed: asyncio.Event,
    policy: WatchdogPolicy = WatchdogPolicy(),
) -> None:
    """Tell systemd READY, then the status and, while it is deserved, WATCHDOG=1, until cancelled.

    ``pulses`` is asked each time, and soon when ``changed`` is set. Returns at once without a service
    manager. A meter that hangs is logged when the feeding stops, so that the journal says why systemd ended
    the service.
    """
    if not notifier.active:
        return
    told: list[str] = []
    # A third leaves room for a slow moment; systemd recommends half at most.
    wait = min(STATUS_SECONDS, (notifier.watchdog_seconds or STATUS_SECONDS * 3) / 3)
    ready = False
    loop = asyncio.get_running_loop()
    due = excused_until = loop.time()
    while True:
        changed.clear()
        current, now = pulses(), loop.time()
        if now - due > STALL_SECONDS:
            excused_until = (
                now + policy.grace + max((pulse.longest_attempt for pulse in current), default=0.0)
            )
        ready = ready or notifier.ready(status_sentence(current))
        notifier.status(status_sentence(current))
        hanging = policy.hanging(current) if now >= excused_until else []
        if not hanging:
            notifier.alive()
        elif told != [pulse.meter for pulse in hanging]:
            _log_hanging(hanging)
        told = [pulse.meter for pulse in hanging]
        due = now + wait
        await _settled(changed, due)


def _log_hanging(hanging: Sequence[Pulse]) -> None:
    for pulse in hanging:
        age = format_duration(timedelta(seconds=round(pulse.since_reading)))
        if pulse.is_faulty:
            _log.error("meter %s gives nothing but %s for %s", pulse.meter, pulse.reason, age)
        else:
            _log.error("meter %s hangs: neither a reading nor an error for %s", pulse.meter, age)


async def _settled(changed: asyncio.Event, due: float) -> None:
    """Wait until a change is over, or it is ``due`` to feed the watchdog, whatever has changed."""
    try:
        async with asyncio.timeout_at(due):
            await changed.wait()
            await asyncio.sleep(SETTLE_SECONDS)
    except TimeoutError:
        pass
