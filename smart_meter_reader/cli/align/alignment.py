"""Placing an infrared head: one cheap request again and again, what comes back, and what that means."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from smart_meter_reader.codecs.kmp import GetRegisterRequest
from smart_meter_reader.meters.iec62056_21.line import SIGN_ON_LINE
from smart_meter_reader.meters.iec62056_21.sign_on import SignOn, sign_on_once, until_silent
from smart_meter_reader.meters.kmp.connection import OPTICAL_LINE, KmpConnection, Timing
from smart_meter_reader.meters.kmp.listening import Listening
from smart_meter_reader.transport import open_transport

HEAT_ENERGY = 60
_RECENT = 10
# From the begin of one request to that of the next, so that a meter that answers at once is not hurried.
_PACE = 1.0


class Sign(StrEnum):
    """What came back on one request."""

    NOTHING = "nothing"
    ECHO = "echo only"
    NOISE = "noise"
    DAMAGED = "damaged"
    CLEAN = "clean"


_ADVICE: Mapping[Sign, str] = {
    Sign.NOTHING: (
        "nothing comes back: check the cable and that this is the head's port; if the head has no echo, "
        "place it on the meter's eye and press a key on the meter"
    ),
    Sign.ECHO: (
        "only the head's own echo: the meter sleeps or does not see the head; press a key on the meter, "
        "turn the head until its cable points down, move it onto the eye"
    ),
    Sign.NOISE: "only noise: keep light off the head, and move it onto the meter's eye",
    Sign.DAMAGED: "nearly: the answer comes damaged; move the head a little, lower as a rule",
}


@dataclass(slots=True)
class Tally:
    """What has come back so far."""

    counts: Counter[Sign] = field(default_factory=Counter)
    recent: deque[Sign] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def add(self, sign: Sign) -> None:
        self.counts[sign] += 1
        self.recent.append(sign)

    @property
    def requests(self) -> int:
        return self.counts.total()

    @property
    def clean(self) -> int:
        return self.counts[Sign.CLEAN]

    @property
    def rate(self) -> float:
        """The share of clean answers among the last ten requests."""
        return self.recent.count(Sign.CLEAN) / len(self.recent) if self.recent else 0.0

    @property
    def advice(self) -> str:
        """What to do now, by the last requests."""
        if not self.recent:
            return ""
        last = self.recent[-1]
        if last is not Sign.CLEAN:
            return _ADVICE[last]
        if self.rate == 1.0:
            return "clean: leave the head like this"
        # While the head is moved, what was wrong before is past; only damage among clean answers tells.
        if Sign.DAMAGED in list(self.recent)[-5:]:
            return "nearly: some answers come damaged; move the head a hair, lower as a rule"
        return "clean now: hold the head still"


def bar(share: float, width: int = 20) -> str:
    """``[########------------]``."""
    full = round(share * width)
    return f"[{'#' * full}{'-' * (width - full)}]"


def sign_of(listening: Listening) -> Sign:
    """What was heard after a KMP request. A whole answer counts, also one that somebody else asked for."""
    if listening.answer is not None or listening.strangers:
        return Sign.CLEAN
    if listening.damaged:
        return Sign.DAMAGED
    if listening.echo:
        return Sign.ECHO
    return Sign.NOISE if listening.heard else Sign.NOTHING


def sign_of_sign_on(result: SignOn) -> Sign:
    """What was heard after an IEC 62056-21 sign-on."""
    if result.identification is not None:
        return Sign.CLEAN
    if result.damaged:
        return Sign.DAMAGED
    if result.echo:
        return Sign.ECHO
    return Sign.NOISE if result.heard else Sign.NOTHING


Probe = Callable[[], Awaitable[Sign]]


@asynccontextmanager
async def kmp_probe(port: str) -> AsyncIterator[Probe]:
    """Asks a KMP meter for one register. Raises TransportError."""
    request = GetRegisterRequest((HEAT_ENERGY,))
    async with KmpConnection(port, OPTICAL_LINE, timing=Timing(answer=1.0)) as meter:

        async def probe() -> Sign:
            return sign_of(await meter.try_once(request))

        yield probe


@asynccontextmanager
async def sign_on_probe(port: str) -> AsyncIterator[Probe]:
    """Asks an IEC 62056-21 meter to identify itself. Raises TransportError."""
    async with await open_transport(port, SIGN_ON_LINE) as transport:

        async def probe() -> Sign:
            result = await sign_on_once(transport)
            if result.heard:
                await until_silent(transport)
            return sign_of_sign_on(result)

        yield probe


# By client: the meters that are read with a head.
PROBES: Mapping[str, Callable[[str], AbstractAsyncContextManager[Probe]]] = {
    "kamstrup": kmp_probe,
    "iec62056_21": sign_on_probe,
}


async def watch(
    port: str, client: str, tally: Tally, show: Callable[[Tally, Sign], None], *, count: int, seconds: float
) -> None:
    """Ask ``count`` times (0: any number), for ``seconds`` at most; ``show`` is called after each request.

    The tally is the caller's, so that it outlives an interruption. Raises TransportError when the port
    cannot be opened, or goes.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with PROBES[client](port) as probe:
        while True:
            started = loop.time()
            sign = await probe()
            tally.add(sign)
            show(tally, sign)
            if tally.requests == count or max(loop.time(), started + _PACE) >= end:
                return
            await asyncio.sleep(started + _PACE - loop.time())
