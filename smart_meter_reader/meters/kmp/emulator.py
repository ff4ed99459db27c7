"""An emulated MULTICAL at an optical head: GetType, GetSerialNo and GetRegister, with faults on demand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.kmp import (
    HEAT_METER,
    START_RESPONSE,
    Frame,
    FrameReader,
    GetRegisterRequest,
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
    Request,
    decode_request,
    encode_frame,
)
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.emulators.clock import EmulatedClock
from smart_meter_reader.emulators.faults import Fault, Faults
from smart_meter_reader.emulators.stream import EmulatedLine
from smart_meter_reader.exceptions import FrameError, ProtocolError
from smart_meter_reader.meters.kmp.emulated_values import Values, values_of

# 1200 Bd with two stop bits, as the optical head of all heat meters has it.

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "crc": "one bit of the answer is turned over",
        "drop": "the answer is not sent",
        "noise": "random bytes and a 00 come before the answer",
        "echo": "the head returns the request before the answer",
        "late": "the answer comes two seconds late",
        "sleep": "the first request after ten seconds of rest goes unanswered",
        "omit": "the last register of the answer is left out; omit:NAME: that register is not known",
        "mute": "GetType and GetSerialNo are not answered",
        "stray": "the answer to another request comes first",
    }
)
_LATE = 2.0
_FALLS_ASLEEP = 10.0
# What was measured on real meters (0.24 to 0.34 s), in seconds.
REPLY_DELAY = 0.25

# Type codes of GetType: 601 and 402 from documents, the others are made up (no source tells them).
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"601": "0001", "402": "1101", "302": "3302", "303": "3303", "403": "3403", "602": "3602", "603": "3603"}
)
MODELS: Final = tuple(sorted(_TYPES))


@dataclass(slots=True)
class RequestCounts:
    """How often the meter was asked, and how often it answered."""

    requests: int = 0
    answers: int = 0
    damaged: int = 0


class KamstrupMeter:
    """One emulated meter; several listeners see the same values. ``asked`` holds the latest requests.

    ``rate`` is how many emulated seconds pass in one; ``reply_delay`` how long the meter thinks, in seconds.
    """

    def __init__(
        self,
        model: str = "403",
        *,
        values: Values | None = None,
        faults: Sequence[Fault] = (),
        seed: int = 0,
        rate: float = 1.0,
        reply_delay: float = REPLY_DELAY,
        address: int = HEAT_METER,
    ) -> None:
        self.counts = RequestCounts()
        self.asked: deque[Request] = deque(maxlen=1000)
        self._model = model
        self._values = values or values_of(model, seed, {})
        self._faults = Faults(faults, seed)
        self._unknown = {resolve_register(name).id for name in self._faults.subjects("omit")}
        self._clock = EmulatedClock(rate)
        self._reply_delay = reply_delay
        self._address = address
        self._awake_until = float("-inf")
        self._last_answer = b""

    async def serve(self, line: EmulatedLine) -> None:
        """Answer requests on this line until it ends."""
        reader = FrameReader()
        while received := await line.read():
            if self._faults.strike("echo"):
                await line.write(received)
            reader.receive_data(received)
            for request in self._requests(reader):
                await self._reply(request, line)

    def _requests(self, reader: FrameReader) -> list[Request]:
        """The requests to this meter in what arrived; a meter says nothing to a damaged one."""
        requests: list[Request] = []
        while True:
            try:
                frame = reader.next_frame()
                if frame is None:
                    return requests
                if (
                    isinstance(frame, Frame)
                    and frame.direction == "request"
                    and frame.address == self._address
                ):
                    requests.append(decode_request(frame))
            except (FrameError, ProtocolError):
                self.counts.damaged += 1

    async def _reply(self, request: Request, line: EmulatedLine) -> None:
        loop = asyncio.get_running_loop()
        seconds = self._clock.seconds()
        self.counts.requests += 1
        self.asked.append(request)
        asleep, self._awake_until = loop.time() > self._awake_until, loop.time() + _FALLS_ASLEEP
        if asleep and self._faults.strike("sleep"):
            return
        answer = self._answer(request, seconds)
        if answer is None or self._faults.strike("drop"):
            return
        frame = self._faults.flip_bit(answer) if self._faults.strike("crc") else answer
        if self._faults.strike("stray"):
            frame = self._last_answer + frame
        if self._faults.strike("noise"):
            frame = self._faults.noise() + frame
        self._last_answer = answer
        await asyncio.sleep(self._reply_delay + (_LATE if self._faults.strike("late") else 0.0))
        self.counts.answers += 1
        await line.write(frame)

    def _answer(self, request: Request, seconds: float) -> bytes | None:
        """The frame that answers; None where a meter stays silent."""
        if isinstance(request, GetRegisterRequest):
            payload = self._records(request, seconds)
        elif self._faults.strike("mute"):
            return None
        elif isinstance(request, GetTypeRequest):
            payload = GetTypeResponse(_TYPES[self._model], "F1").encode()
        elif isinstance(request, GetSerialNoRequest):
            payload = GetSerialNoResponse(self._values.serial_number).encode()
        else:
            return None
        return encode_frame(START_RESPONSE, self._address, request.CID, payload)

    def _records(self, request: GetRegisterRequest, seconds: float) -> bytes:
        registers = list(request.registers)
        if self._faults.strike("omit"):
            registers.pop()
        known = [register for register in registers if register not in self._unknown]
        records = (self._values.record(register, seconds) for register in known)
        return b"".join(record for record in records if record is not None)
