"""A conversation with an IEC 62056-21 meter: wake-up, sign-on, change of speed, short requests, repeats.

Usable without settings or pipeline::

    async with MeterLine("/dev/ttyUSB0") as meter:
        print((await meter.ask_short("#1")).fields)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from smart_meter_reader.codecs.iec62056_21.capture import Readout, readout_of
from smart_meter_reader.codecs.iec62056_21.codes import USUAL_UNITS, AssumedUnits
from smart_meter_reader.codecs.iec62056_21.frame import (
    DataBlock,
    Frame,
    FrameReader,
    Identification,
    Request,
    ShortLine,
)
from smart_meter_reader.codecs.iec62056_21.multical import ShortAnswer, parse_line
from smart_meter_reader.codecs.iec62056_21.request import (
    SHORT_ANSWER_BAUD,
    momentary_sign_on,
    option_select,
    short_request,
    sign_on,
)
from smart_meter_reader.exceptions import FrameError, IncompleteError, TransportError
from smart_meter_reader.meters.conversation import Conversation, LineCounters
from smart_meter_reader.meters.iec62056_21.lines import LINE_END, SIGN_ON_LINE
from smart_meter_reader.meters.iec62056_21.silence import Heard, explain_silence
from smart_meter_reader.transport import LineSettings

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_F = TypeVar("_F", bound=Frame)

# IEC 62056-21 annex B: NULs for 2.1 to 2.3 s, then 1.5 to 1.7 s of rest.
_WAKE_UP = 2.2
_WAKE_UP_REST = 1.6
_STAYS_AWAKE = 10.0
_NUL = b"\x00"
_PATIENCE = 2  # sign-ons in a row on which nothing comes, before the meter is taken for one that sleeps
# The largest readouts have some 20 kB: seven minutes at 300 Bd with a margin.
_LONGEST_READOUT = 900.0
_SHORT_ANSWER_TIME = 10.0


@dataclass(frozen=True)
class LineTiming:
    """Waits in seconds: for an answer to begin before its request is repeated, and for a mode A readout.

    ``gap`` is the silence that ends an answer: IEC 62056-21 §6.3.14 allows 1500 ms between characters.
    ``rest`` goes between an answer and the next message: 200 to 1500 ms there.
    """

    repeat: float = 5.0
    mode_a: float = 2.0
    gap: float = 1.5
    rest: float = 0.3

    @classmethod
    def repeating_after(cls, seconds: float) -> LineTiming:
        """The waits for a meter that is asked again after so long: no wait within is longer than that."""
        return cls(seconds, min(cls.mode_a, seconds), min(cls.gap, seconds), min(cls.rest, seconds / 4))


class NothingCameError(TransportError):
    """One message stayed without a byte behind it; the next one may be answered."""


class MeterLine(Conversation):
    """One open line to one IEC 62056-21 meter; see ``Conversation``."""

    def __init__(
        self,
        port: str,
        line: LineSettings = SIGN_ON_LINE,
        *,
        timing: LineTiming = LineTiming(),
        retries: int = 3,
        wake_up: bytes = b"",
        wakes_when_silent: bool = False,
        address: str = "",
        assumed: AssumedUnits = USUAL_UNITS,
        counters: LineCounters | None = None,
    ) -> None:
        super().__init__(port, line, retries, counters)
        self.timing = timing
        self._wake_up = wake_up
        # NULs before a repeated sign-on on which nothing came, and from then on if that helped.
        self._wakes_when_silent = wakes_when_silent
        self._address = address
        self._assumed = assumed
        # A TCP serial server has the speed that it was set to.
        self._keeps_speed = port.startswith("socket://")
        self._heard_at = float("-inf")
        self._sent_at = float("-inf")

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._open().keep_parity = True  # the codec judges it
        return self

    async def ask_short(self, request: str) -> ShortAnswer:
        """The answer to a short request of one line ("#1"), strictly parsed, not yet confirmed.

        Raises TransportError, and MeterSilentError or UnusableAnswersError when the repeats did not help.
        """

        async def attempt(heard: Heard, number: int) -> ShortAnswer:
            await self._send(short_request(request), speed=self._line.baud)
            answer_line = replace(self._line, baud=SHORT_ANSWER_BAUD)
            await self._open().change_line(answer_line)
            frame = await self._await(ShortLine, FrameReader(), heard, _SHORT_ANSWER_TIME)
            return parse_line(request, frame.text)

        return await self._repeat(attempt, request)

    async def read_out(self, *, momentary: bool = False) -> Readout:
        """Sign on and take the data readout; with ``momentary`` that of a UH50 (``/#!``).

        Raises as ``ask_short``, and ProtocolError (``no_data``, ``fixed_speed``) when the meter says who it
        is and no more.
        """
        message = momentary_sign_on() if momentary else sign_on(self._address)

        async def attempt(heard: Heard, number: int) -> Readout:
            reader = FrameReader()
            await self._send(message, speed=self._line.baud)
            identification = await self._await(Identification, reader, heard, _SHORT_ANSWER_TIME)
            heard.identified = identification
            self.counters.doing = f"reading {identification.ident} out: minutes, at a slow line"
            # A head that cannot do the offered speed still reads at the first one, and the other way round.
            keep_speed = self._keeps_speed != (number >= 2)
            block = await self._read_block(identification, reader, heard, keep_speed=keep_speed)
            readout = readout_of(identification, block, self._assumed)
            self._keeps_speed = keep_speed
            return readout

        what = "/#!" if momentary else "the sign-on"
        return await self._repeat(attempt, what, signs_on=True)

    async def listen(self, reader: FrameReader) -> Readout:
        """The next readout that the meter sends by itself (mode D). Waits for ever; raises TransportError.

        One whose beginning was missed is passed over.
        """
        identification: Identification | None = None
        while True:
            try:
                frame = reader.next_frame()
                if isinstance(frame, Identification):
                    identification = frame
                elif isinstance(frame, DataBlock) and identification is not None:
                    return readout_of(identification, frame, self._assumed)
                elif frame is None:
                    reader.receive_data(await self._open().read())
            except FrameError as error:
                self._note_damage(error)

    async def _read_block(
        self, identification: Identification, reader: FrameReader, heard: Heard, *, keep_speed: bool
    ) -> DataBlock:
        """The data message after an identification, at the speed that its mode brings."""
        if identification.mode == "A":
            return await self._read_mode_a(reader, heard)
        await asyncio.sleep(self.timing.rest if identification.mode == "C" else LINE_END)
        if identification.mode == "C":
            offered = "0" if keep_speed else identification.baud_character
            await self._send(option_select(offered), discard=False)
            if offered == "0":
                return await self._await(DataBlock, reader, heard, _LONGEST_READOUT)
        await self._open().change_line(replace(self._line, baud=identification.baud))
        return await self._await(DataBlock, reader, heard, _LONGEST_READOUT)

    async def _read_mode_a(self, reader: FrameReader, heard: Heard) -> DataBlock:
        try:
            return await self._await(DataBlock, reader, heard, _LONGEST_READOUT, patience=self.timing.mode_a)
        except NothingCameError:
            pass  # a MULTICAL 66C that writes "/KAM MC" means "/KAM0MC" and waits for the option select
        await self._send(option_select("0"), discard=False)
        return await self._await(DataBlock, reader, heard, _LONGEST_READOUT)

    async def _repeat(
        self, attempt: Callable[[Heard, int], Awaitable[_T]], what: str, *, signs_on: bool = False
    ) -> _T:
        """Try until there is an undamaged answer, and not more often than allowed."""
        heard = Heard(fixed_speed=self.port.startswith("socket://"))
        loop = asyncio.get_running_loop()
        for number in range(1 + self._retries):
            if number:
                self.counters.retries += 1
                await asyncio.sleep(self._sent_at + self.timing.repeat - loop.time())
            woken = await self._rouse(heard, signs_on=signs_on)
            again = f", time {number + 1} of {1 + self._retries}" if number else ""
            self.counters.doing = f"waiting for the answer to {what}{again}"
            before, heard.damage = heard.damage, None
            try:
                answer = await attempt(heard, number)
            except FrameError as error:
                heard.damage = error
                heard.quiet = 0
                self._note_damage(error)
            except NothingCameError:
                heard.damage = before
                heard.quiet += 1
            else:
                self.counters.latency = loop.time() - self._sent_at
                if woken and not self._wake_up:
                    self._wake_up = woken  # it sleeps, as a UH50 does
                return answer
        raise explain_silence(heard, self.port, what)

    async def _rouse(self, heard: Heard, *, signs_on: bool) -> bytes:
        """Send the wake-up sequence to a meter that sleeps; what it was made of, b"" for none."""
        wake_up = self._wake_up_for(heard, signs_on=signs_on)
        if not wake_up:
            return b""
        transport = self._open()
        await transport.change_line(self._line)
        count = int(_WAKE_UP / self._line.seconds(1)) + 1
        self.counters.wake_ups += 1
        self.counters.doing = "waking the meter"
        await transport.write(wake_up * count)
        await transport.wait_sent()
        await asyncio.sleep(_WAKE_UP_REST)
        return wake_up

    def _wake_up_for(self, heard: Heard, *, signs_on: bool) -> bytes:
        if not self._wake_up:
            # What was damaged before may be the end of a readout that an earlier start has asked for.
            silent = heard.identified is None and heard.quiet >= _PATIENCE
            return _NUL if self._wakes_when_silent and signs_on and silent else b""
        # A UH50 wants its NULs before each sign-on, awake or not.
        asleep = asyncio.get_running_loop().time() - self._heard_at >= _STAYS_AWAKE
        return self._wake_up if asleep or (signs_on and self._wake_up == _NUL) else b""

    async def _send(self, message: bytes, *, speed: int = 0, discard: bool = True) -> None:
        transport = self._open()
        if speed and transport.line.baud != speed:
            await transport.change_line(self._line)
        if discard:
            transport.discard_input()
        self.counters.requests += 1
        await transport.write(message)
        await transport.wait_sent()
        self._sent_at = asyncio.get_running_loop().time()

    async def _await(
        self, kind: type[_F], reader: FrameReader, heard: Heard, longest: float, *, patience: float = 0.0
    ) -> _F:
        """The next frame of this kind; what else arrives before it is echo or noise.

        Raises NothingCameError when nothing comes, FrameError when only damaged things do.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + (patience or self.timing.repeat)
        end = until + longest
        while True:
            frame = self._next(reader, heard)
            if isinstance(frame, kind):
                return frame
            if frame is not None:
                continue
            received = await self._open().read_before(min(until, end))
            if not received:
                break
            reader.receive_data(received)
            self._heard_at = loop.time()
            until = max(until, self._heard_at + self.timing.gap)
        heard.echo = heard.echo or reader.in_request
        if heard.damage is None and (reader.is_empty or reader.in_request):
            raise NothingCameError("nothing_came", f"{self.port}: nothing came")
        raise heard.damage or IncompleteError("incomplete", "the answer breaks off")

    def _next(self, reader: FrameReader, heard: Heard) -> Frame | None:
        """The next frame in what has arrived; a damaged one is remembered and passed over."""
        while True:
            try:
                frame = reader.next_frame()
            except FrameError as error:
                heard.damage = error
                continue
            heard.echo = heard.echo or isinstance(frame, Request)
            return frame

    def _note_damage(self, error: FrameError) -> None:
        self.counters.damaged_frames += 1
        _log.debug("%s: damaged answer: %s, %s", self.port, error, error.frame.hex())
