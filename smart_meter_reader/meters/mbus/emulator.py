"""Emulated meters on one M-Bus, or one with M-Bus at its optical head, with faults on demand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.mbus.address import Secondary
from smart_meter_reader.codecs.mbus.encode import answer
from smart_meter_reader.codecs.mbus.frame import (
    ANY,
    FCB,
    REQ_UD2,
    RSP_UD,
    SELECT,
    SELECTED,
    SND_NKE,
    Frame,
    FrameReader,
    LongFrame,
    ShortFrame,
    SingleCharacter,
)
from smart_meter_reader.codecs.mbus.telegram import APPLICATION_ERROR, BUSY
from smart_meter_reader.emulators.clock import EmulatedClock
from smart_meter_reader.emulators.faults import Fault, Faults
from smart_meter_reader.emulators.stream import EmulatedLine
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.meters.mbus.emulated_meters import MODELS, Counted, Model

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "drop": "the answer is not sent",
        "echo": "the converter returns what is sent",
        "collision": "another meter answers at the same time",
        "checksum": "one bit of the answer is turned over",
        "cut": "the answer breaks off in the middle",
        "noise": "random bytes come before the answer",
        "fcb": "the meter does not look at the frame count bit, and repeats its first telegram",
        "stale": "SND_NKE is not obeyed: the next telegram is the one that was sent last",
        "slow": "the answer comes a second late",
        "busy": "the meter answers that it is busy",
        "sleep": "the meter answers only when 55h has woken it, as at an optical head",
    }
)
# In seconds, of the 11 to 330 bit times and 50 ms that the standard gives a meter.
REPLY_DELAY: Final = 0.05
_SLOW: Final = 1.0
_STAYS_AWAKE: Final = 10.0
_WAKE_UP: Final = b"\x55" * 32
STARTED: Final = datetime(2026, 11, 1, 12, 0, 0)  # noqa: DTZ001 - a meter's clock has no zone
_MORE: Final = b"\x1f"
# A seed counts kWh and tens of litres up to here: 32 bits take that, and a hundred years more.
_SEEDS: Final = 1_000_000


@dataclass(slots=True)
class EmulatedMbusMeter:
    """One meter on the bus: who it is, and where its link stands."""

    model: Model
    number: str
    address: int
    counted: Counted
    selected: bool = False
    access: int = 0
    _next: int = 0  # the telegram that the next new request brings
    _fcb: int | None = None  # of the last request; None after SND_NKE
    _sent: bytes = field(default=b"", repr=False)

    def is_meant(self, address: int) -> bool:
        """Whether a request with this address is for it."""
        return address in (self.address, ANY) or (address == SELECTED and self.selected)

    def reset(self, address: int) -> None:
        """SND_NKE: the first telegram is next, and a selection is over."""
        self._next, self._fcb = 0, None
        if address == SELECTED:
            self.selected = False

    def choose(self, there: Secondary) -> bool:
        """Whether it is the one that is selected now."""
        self.selected = there.fits(self.model.header(self.number, 0))
        if self.selected:
            self._next, self._fcb = 0, None
        return self.selected

    def telegram(self, fcb: int, seconds: float, *, ignores_fcb: bool) -> bytes:
        """What it answers to REQ_UD2: the next telegram, or with the same FCB the same again."""
        if fcb == self._fcb and self._sent and not ignores_fcb:
            return self._sent
        if ignores_fcb:
            self._next = 0
        telegrams = self.model.telegrams(self.counted.after(seconds), self.number)
        place = self._next % len(telegrams)
        records = [*telegrams[place], *([_MORE] if place + 1 < len(telegrams) else [])]
        self.access += 1
        self._sent = answer(self.model.header(self.number, self.access), records, self.address).encode()
        self._fcb, self._next = fcb, place + 1
        return self._sent


class EmulatedBus:
    """Meters on one line; several readers see the same ones. ``asked`` holds the latest requests.

    ``rate`` is how many emulated seconds pass in one; ``reply_delay`` how long a meter thinks, in seconds.
    """

    def __init__(
        self,
        meters: Sequence[EmulatedMbusMeter],
        *,
        faults: Sequence[Fault] = (),
        seed: int = 0,
        rate: float = 1.0,
        reply_delay: float = REPLY_DELAY,
    ) -> None:
        self.asked: deque[Frame] = deque(maxlen=1000)
        self.meters = tuple(meters)
        self._faults = Faults(faults, seed)
        self._clock = EmulatedClock(rate)
        self._reply_delay = reply_delay
        self._awake_until = float("-inf")

    async def serve(self, line: EmulatedLine) -> None:
        """Answer requests on this line until it ends."""
        reader = FrameReader()
        before = b""
        while received := await line.read():
            if self._faults.strike("echo"):
                await line.write(received)
            before = (before + received)[-2 * len(_WAKE_UP) :]
            if _WAKE_UP in before:
                self._awake_until = asyncio.get_running_loop().time() + _STAYS_AWAKE
            reader.receive_data(received)
            while (frame := _next_frame(reader)) is not None:
                before = b""
                await self._reply(frame, line)

    async def _reply(self, frame: Frame, line: EmulatedLine) -> None:
        self.asked.append(frame)
        now = asyncio.get_running_loop().time()
        if now > self._awake_until and self._faults.strike("sleep"):
            return
        answers = self._answers(frame, self._clock.seconds())
        if not answers or self._faults.strike("drop"):
            return
        await asyncio.sleep(self._reply_delay + (_SLOW if self._faults.strike("slow") else 0.0))
        self._awake_until = max(self._awake_until, now + _STAYS_AWAKE)
        await line.write(self._damaged(_together(answers), frame))

    def _answers(self, frame: Frame, seconds: float) -> list[bytes]:
        """What each meter says to a request that is meant for it."""
        if isinstance(frame, LongFrame) and frame.ci == SELECT and frame.address == SELECTED:
            octets = frame.payload
            if len(octets) != 8:
                return []
            there = Secondary(octets[3::-1].hex().upper(), octets[4:].hex().upper())
            return [SingleCharacter().encode() for meter in self.meters if meter.choose(there)]
        if not isinstance(frame, ShortFrame):
            return []
        meant = [meter for meter in self.meters if meter.is_meant(frame.address)]
        if frame.control == SND_NKE:
            if not self._faults.strike("stale"):
                for meter in meant:
                    meter.reset(frame.address)
            return [SingleCharacter().encode() for _ in meant]
        if frame.control & ~FCB != REQ_UD2:
            return []
        return [self._data(meter, frame.control & FCB, seconds) for meter in meant]

    def _data(self, meter: EmulatedMbusMeter, fcb: int, seconds: float) -> bytes:
        if self._faults.strike("busy"):
            return LongFrame(RSP_UD, meter.address, APPLICATION_ERROR, bytes([BUSY])).encode()
        return meter.telegram(fcb, seconds, ignores_fcb=self._faults.strike("fcb"))

    def _damaged(self, sent: bytes, frame: Frame) -> bytes:
        """The bytes on the line, with the faults that strike. An E5 has nothing that could break."""
        faults = self._faults
        if len(sent) > 1:
            if faults.strike("checksum"):
                place = faults.random.randrange(4, len(sent) - 2)
                sent = (
                    sent[:place] + bytes([sent[place] ^ 1 << faults.random.randrange(8)]) + sent[place + 1 :]
                )
            if faults.strike("cut"):
                sent = sent[: len(sent) // 2]
            if faults.strike("collision"):
                sent = _together([sent, faults.random.randbytes(len(sent) - 3)])
        if faults.strike("noise"):
            sent = faults.noise() + sent
        return sent


def meter_of(model: str, *, address: int = 0, number: str = "12345678", seed: int = 0) -> EmulatedMbusMeter:
    """A meter of a model in ``MODELS``; another seed has counted otherwise."""
    counted = Counted(1000 * ((37_351 + seed) % _SEEDS), 10 * ((56_108 + seed) % _SEEDS), 9_855, STARTED)
    return EmulatedMbusMeter(MODELS[model], number, address, counted)


def _together(answers: Sequence[bytes]) -> bytes:
    """What the reader hears of several at once: a meter that sends a 0 draws current, and that is seen."""
    if len(answers) == 1:
        return answers[0]
    first, *others = answers
    for other in others:
        first = bytes(one & another for one, another in zip_longest(first, other, fillvalue=0xFF))
    return first


def _next_frame(reader: FrameReader) -> Frame | None:
    while True:
        try:
            return reader.next_frame()
        except FrameError:
            continue
