"""An emulated MULTICAL at an optical head: who it is, its registers and loggers, with faults on demand."""

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
    OtherMessage,
    Request,
    decode_request,
    encode_frame,
)
from smart_meter_reader.codecs.kmp.commands import LOGGER_BASE, LOGGER_TOP, SET_CLOCK
from smart_meter_reader.codecs.kmp.frame import ACK_BYTE
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.codecs.kmp.set_clock import decode_set_clock
from smart_meter_reader.emulators.clock import EmulatedClock
from smart_meter_reader.emulators.faults import Fault, Faults
from smart_meter_reader.emulators.stream import EmulatedLine
from smart_meter_reader.exceptions import FrameError, ProtocolError, ValueFormatError
from smart_meter_reader.meters.kmp.emulated_loggers.contents import UNTOUCHED, LoggerPast
from smart_meter_reader.meters.kmp.emulated_loggers.loggers import FAULTS as LOGGER_FAULTS
from smart_meter_reader.meters.kmp.emulated_loggers.loggers import EmulatedLoggers
from smart_meter_reader.meters.kmp.emulated_loggers.past import UNLIMITED
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
        "unset": "SetClock is neither obeyed nor acknowledged",
        "doze": "the meter falls asleep after the answer: the next request goes unanswered",
        **LOGGER_FAULTS,
    }
)
_LATE = 2.0
_FALLS_ASLEEP = 10.0
# What was measured on real meters (0.24 to 0.34 s), in seconds.
REPLY_DELAY = 0.25

# Type codes of GetType: 601 and 402 from documents, the others are made up (no source tells them).
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "601": "0001",
        "402": "1101",
        "21": "3021",
        "302": "3302",
        "303": "3303",
        "403": "3403",
        "602": "3602",
        "603": "3603",
    }
)
MODELS: Final = tuple(sorted(_TYPES))
_MODULE_TYPES: Final[Mapping[int, str]] = MappingProxyType({LOGGER_TOP: "0901", LOGGER_BASE: "1601"})


@dataclass(slots=True)
class RequestCounts:
    """How often the meter was asked, and how often it answered."""

    requests: int = 0
    answers: int = 0
    damaged: int = 0


class KamstrupMeter:
    """One emulated meter; several listeners see the same values. ``asked`` holds the latest requests.

    ``rate`` is how many emulated seconds pass in one; ``reply_delay`` how long the meter thinks, in seconds.
    ``module`` is the address of a logger module; ``answer_limit`` how many bytes of payload an answer with
    rows of a logger has at the most; ``past`` what happened to the loggers.
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
        module: int | None = None,
        answer_limit: int = UNLIMITED,
        past: LoggerPast = UNTOUCHED,
    ) -> None:
        self.counts = RequestCounts()
        self.asked: deque[Request] = deque(maxlen=1000)
        self._model = model
        self._values = values or values_of(model, seed, {})
        self._faults = Faults(faults, seed)
        self._unknown = {resolve_register(name).id for name in self._faults.subjects("omit")}
        self._clock = EmulatedClock(rate)
        self._reply_delay = reply_delay
        self._module = module
        self._loggers = EmulatedLoggers(model, self._values, past, answer_limit)
        self._dozes = False
        self._awake_until = float("-inf")
        self._last_answer = b""

    def report(self, info_code: int, at: float | None = None) -> None:
        """Report this info code from now on: bits of register 369, or the sum that older models show.

        ``at``: from so many emulated seconds after the start on.
        """
        self._values.info.report(info_code, self._clock.seconds() if at is None else at)

    async def serve(self, line: EmulatedLine) -> None:
        """Answer requests on this line until it ends."""
        reader = FrameReader()
        while received := await line.read():
            if self._faults.strike("echo"):
                await line.write(received)
            reader.receive_data(received)
            for request, address in self._requests(reader):
                await self._reply(request, address, line)

    def advance(self, seconds: float) -> None:
        """So many emulated seconds pass at once: the counters rise, and the loggers get their entries."""
        self._clock.advance(seconds)

    def _requests(self, reader: FrameReader) -> list[tuple[Request, int]]:
        """The requests to this meter or its module in what arrived; it says nothing to a damaged one."""
        requests: list[tuple[Request, int]] = []
        while True:
            try:
                frame = reader.next_frame()
                if frame is None:
                    return requests
                if (
                    isinstance(frame, Frame)
                    and frame.direction == "request"
                    and frame.address in (HEAT_METER, self._module)
                ):
                    requests.append((decode_request(frame), frame.address))
            except (FrameError, ProtocolError):
                self.counts.damaged += 1

    async def _reply(self, request: Request, address: int, line: EmulatedLine) -> None:
        loop = asyncio.get_running_loop()
        seconds = self._clock.seconds()
        self.counts.requests += 1
        self.asked.append(request)
        asleep, self._awake_until = loop.time() > self._awake_until, loop.time() + _FALLS_ASLEEP
        dozed, self._dozes = self._dozes, False
        if dozed or (asleep and self._faults.strike("sleep")):
            return
        answer = self.answer(request, seconds, address)
        if answer is None or self._faults.strike("drop"):
            return
        frame = self._faults.flip_bit(answer) if self._faults.strike("crc") else answer
        if self._faults.strike("stray"):
            frame = self._last_answer + frame
        if self._faults.strike("noise"):
            frame = self._faults.noise() + frame
        self._last_answer = answer
        self._dozes = self._faults.strike("doze")
        await asyncio.sleep(self._reply_delay + (_LATE if self._faults.strike("late") else 0.0))
        self.counts.answers += 1
        await line.write(frame)

    def answer(self, request: Request, seconds: float, address: int = HEAT_METER) -> bytes | None:
        """The frame that answers at so many emulated seconds; None where a meter stays silent.

        ``address`` is who was asked: the meter itself, unless it is said.
        """
        if isinstance(request, OtherMessage) and request.cid == SET_CLOCK:
            return self._set_clock(request.payload, seconds)
        by_module = address == self._module
        payload = self._module_payload(request, seconds) if by_module else self._payload(request, seconds)
        if payload is None:
            return None
        return encode_frame(START_RESPONSE, address, request.CID, payload)

    def _set_clock(self, payload: bytes, seconds: float) -> bytes | None:
        """The acknowledgement; None where the clock is not set."""
        if self._faults.strike("unset"):
            return None
        try:
            self._values.clock = self._values.clock.set_to(decode_set_clock(payload), seconds)
        except (ProtocolError, ValueFormatError):
            return None
        return bytes((ACK_BYTE,))

    def _payload(self, request: Request, seconds: float) -> bytes | None:
        if isinstance(request, GetRegisterRequest):
            return self._records(request, seconds)
        if isinstance(request, GetTypeRequest):
            told = GetTypeResponse(_TYPES[self._model], "F1").encode()
        elif isinstance(request, GetSerialNoRequest):
            told = GetSerialNoResponse(self._values.serial_number).encode()
        else:
            return self._loggers.answer(request, seconds, self._faults)
        return None if self._faults.strike("mute") else told

    def _module_payload(self, request: Request, seconds: float) -> bytes | None:
        if isinstance(request, GetTypeRequest) and self._module is not None:
            return GetTypeResponse(_MODULE_TYPES[self._module], "F1").encode()
        return self._loggers.module_answer(request, seconds, self._faults)

    def _records(self, request: GetRegisterRequest, seconds: float) -> bytes:
        registers = list(request.registers)
        if self._faults.strike("omit"):
            registers.pop()
        known = [register for register in registers if register not in self._unknown]
        records = (self._values.record(register, seconds) for register in known)
        return b"".join(record for record in records if record is not None)
