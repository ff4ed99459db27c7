"""Placing an infrared head: one cheap request again and again, what comes back, and what that means."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from smart_meter_reader.meters.head import Probe, Sign

_RECENT = 10
# From the begin of one request to that of the next, so that a meter that answers at once is not hurried.
_PACE = 1.0


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
    Sign.PUSHED: (
        "clean, and sent by the meter without a question: leave the head like this; "
        "`smart-meter-reader scan` shows the settings for a meter that sends by itself"
    ),
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
        return sum(count for sign, count in self.counts.items() if sign.is_clean)

    @property
    def rate(self) -> float:
        """The share of clean answers among the last ten requests."""
        return sum(sign.is_clean for sign in self.recent) / len(self.recent) if self.recent else 0.0

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


async def watch(
    probing: AbstractAsyncContextManager[Probe],
    tally: Tally,
    show: Callable[[Tally, Sign], None],
    *,
    count: int,
    seconds: float,
) -> None:
    """Ask ``count`` times (0: any number), for ``seconds`` at most; ``show`` is called after each request.

    The tally is the caller's, so that it outlives an interruption. Raises TransportError when the port
    cannot be opened, or goes.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with probing as probe:
        while True:
            started = loop.time()
            sign = await probe()
            tally.add(sign)
            show(tally, sign)
            if tally.requests == count or max(loop.time(), started + _PACE) >= end:
                return
            await asyncio.sleep(started + _PACE - loop.time())
