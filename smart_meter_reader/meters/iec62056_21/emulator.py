"""Emulated MULTICAL 66C and 401, and an electricity meter of mode C, with faults on demand."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.iec62056_21.bcc import sum_bcc, xor_bcc
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, DataValue, encode_data_sets
from smart_meter_reader.codecs.iec62056_21.log.plans import LOG_PLANS
from smart_meter_reader.codecs.iec62056_21.multical import SINGLE_LINE, encode_short_answer
from smart_meter_reader.codecs.iec62056_21.request import BAUD_MODE_C, SHORT_ANSWER_BAUD
from smart_meter_reader.codecs.parity import add_parity, strip_parity
from smart_meter_reader.emulators.clock import EmulatedClock
from smart_meter_reader.emulators.faults import Fault, Faults
from smart_meter_reader.emulators.stream import EmulatedLine
from smart_meter_reader.meters.iec62056_21.log.emulated import STARTED, EmulatedCounters, log_lines

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "drop": "the answer is not sent",
        "noise": "NULs and random bytes come before the answer",
        "truncate": "the answer breaks off in the middle",
        "parity": "one byte of the answer has wrong parity",
        "digit": "one digit of the answer is another one, its parity right",
        "echo": "the head returns the request before the answer",
        "slow": "the answer comes four seconds late",
        "sleep": "after ten seconds of rest the meter answers only when it is woken up",
        "busy": "a short request is ignored, as while the meter calculates at full flow",
        "torn": "a log table breaks off in the middle of a line",
        "lineloss": "a line in the middle of a log table has lost a digit",
    }
)
_SLOW = 4.0
_FALLS_ASLEEP = 10.0
_WAKE_UP_BYTES = 32
# A seed counts up to here, so that a hundred years later the register still has digits for more.
_MOST_COUNTED = 5_000_000
# MULTICAL answers after 0.3 to 2 s.
REPLY_DELAY = 0.3

_REQUEST = re.compile(
    rb"/\?[0-9A-Za-z ]{0,32}!\r\n|/#(?P<short>[1-9BCDJ])|\x060(?P<speed>[0-9A-Z ])0\r\n", re.DOTALL
)
_LONGEST_REQUEST = 4096


@dataclass(slots=True)
class _Household:
    """What a heat meter has counted: the house takes 3.1 kW with 79 L/h all the time."""

    counters: EmulatedCounters
    hours: int = 32_673
    fixed: Mapping[str, int] = field(default_factory=dict)

    def clock(self, seconds: float) -> datetime:
        """The meter's own clock."""
        return self.counters.started + timedelta(seconds=seconds)

    def fields(self, seconds: float) -> dict[str, int]:
        """Every field of every short request after so many seconds, as a program 44119 counts (MWh, 119)."""
        now = self.clock(seconds)
        energy, volume = self.counters.energy_at(now), self.counters.volume_at(now)
        names = {entry.name for table in SINGLE_LINE.values() for entry in table}
        values = dict.fromkeys(names, 0)
        values |= {
            "energy": energy,
            "energy_E1_E2": energy,
            "volume": volume,
            "volume1": volume,
            "mass1": self.counters.mass_at(now),
            "hours": self.hours + int(seconds / 3600),
            "t_flow": 6811,
            "t1": 6811,
            "t_return": 3366,
            "t2": 3366,
            "t_diff": 3445,
            "power": 31,
            "power1": 31,
            "flow": 79,
            "flow1": 79,
            "peak_power_actual": 93,
            "customer_no": 60_017,
            "ABCCC": 44_119,
            "ABCCCCCC": 44_119_119,
            "DDEFFGG": 1_200_000,
            "DDEFFGGMN": 120_000_000,
            "date": int(now.strftime("%y%m%d")),
            "calendar": int(now.strftime("%y%m%d")),
            "clock_or_target": int(now.strftime("%H%M%S")),
        }
        return values | dict(self.fixed)


def _multical_66c(values: Mapping[str, int]) -> bytes:
    return encode_data_sets(
        (
            DataSet("0.0", (DataValue(f"{values['customer_no']:011d}", ""),)),
            DataSet("6.8", (DataValue(f"{Decimal(values['energy']) / 1000:08.3f}", "MWh"),)),
            DataSet("6.26", (DataValue(f"{Decimal(values['volume']) / 100:08.2f}", "m3"),)),
            DataSet("6.31", (DataValue(f"{values['hours']:07d}", "h"),)),
        )
    )


def _multical_401(values: Mapping[str, int]) -> bytes:
    """A 401 counts in GJ with three decimals, and sends no line ends between its values."""
    return encode_data_sets(
        (
            DataSet("0.0", (DataValue(f"{values['customer_no']:011d}", ""),)),
            DataSet("6.8", (DataValue(f"{Decimal(values['energy']) / 1000:08.3f}", "GJ"),)),
            DataSet("6.26", (DataValue(f"{Decimal(values['volume']) / 1000:08.3f}", "m3"),)),
            DataSet("6.31", (DataValue(f"{values['hours']:07d}", "h"),)),
        ),
        line_end=b"",
    )


def _electricity(values: Mapping[str, int]) -> bytes:
    energy = Decimal(values["energy"])
    return encode_data_sets(
        (
            DataSet("0.0.0", (DataValue(f"{values['customer_no']:08d}", ""),)),
            DataSet("1.8.0", (DataValue(f"{energy:010.1f}", "kWh"),)),
            DataSet("1.8.1", (DataValue(f"{energy:010.1f}", "kWh"),)),
            DataSet("2.8.0", (DataValue("00000000.0", "kWh"),)),
            DataSet("1.7.0", (DataValue(f"{Decimal(values['power']) / 10:06.2f}", "kW"),)),
            DataSet("32.7.0", (DataValue("230.4", "V"),)),
        )
    )


@dataclass(frozen=True, slots=True)
class _EmulatedModel:
    identification: bytes
    readout: Callable[[Mapping[str, int]], bytes]
    bcc: Callable[[bytes], int]
    short_requests: bool


_MODELS: Final[Mapping[str, _EmulatedModel]] = MappingProxyType(
    {
        "multical_66c": _EmulatedModel(b"/KAM0MC\r\n", _multical_66c, sum_bcc, short_requests=True),
        "multical_401": _EmulatedModel(b"/KAM0MCC\r\n", _multical_401, sum_bcc, short_requests=True),
        "iec62056_21": _EmulatedModel(b"/EMU5EMULATED\r\n", _electricity, xor_bcc, short_requests=False),
    }
)


class Iec62056Meter:
    """One emulated meter; several listeners see the same values. ``asked`` holds the latest requests.

    ``values`` sets fields of short answers by name ({"energy": 507109}); ``rate`` is how many emulated
    seconds pass in one; ``reply_delay`` how long the meter thinks, in seconds. ``parity``: the eighth bit
    of what it sends is even parity, as a line of 7E1 looks on a pseudo-terminal. ``started``: what its clock
    shows, without a zone, when it is first asked.
    """

    def __init__(
        self,
        model: str = "multical_66c",
        *,
        values: Mapping[str, int] | None = None,
        faults: Sequence[Fault] = (),
        seed: int = 0,
        rate: float = 1.0,
        reply_delay: float = REPLY_DELAY,
        parity: bool = True,
        started: datetime = STARTED,
    ) -> None:
        self.asked: deque[bytes] = deque(maxlen=1000)
        self._model = _MODELS[model]
        counters = EmulatedCounters(Decimal((507_109 + seed) % _MOST_COUNTED), Decimal(1_296_626), started)
        self._house = _Household(counters, fixed=values or {})
        self._faults = Faults(faults, seed)
        self._clock = EmulatedClock(rate)
        self._reply_delay = reply_delay
        self._parity = parity
        self._awake_until = float("-inf")

    async def serve(self, line: EmulatedLine) -> None:
        """Answer requests on this line until it ends."""
        buffer = b""
        while received := await line.read():
            if self._faults.strike("echo"):
                await line.write(received)
            buffer = (buffer + strip_parity(received))[-_LONGEST_REQUEST:]
            while (request := _REQUEST.search(buffer)) is not None:
                woken = max(buffer[: request.start()].count(byte) for byte in (b"\x00", b"\x55"))
                buffer = buffer[request.end() :]
                await self._reply(request, line, woken=woken >= _WAKE_UP_BYTES)

    async def _reply(self, request: re.Match[bytes], line: EmulatedLine, *, woken: bool) -> None:
        loop = asyncio.get_running_loop()
        seconds = self._clock.seconds()
        self.asked.append(request[0])
        asleep = loop.time() > self._awake_until and not woken
        if asleep and self._faults.strike("sleep"):
            return
        self._awake_until = loop.time() + _FALLS_ASLEEP
        if request["short"] is not None and self._faults.strike("busy"):
            return
        answer, baud = self._answer(request, seconds)
        if not answer or self._faults.strike("drop"):
            return
        await asyncio.sleep(self._reply_delay + (_SLOW if self._faults.strike("slow") else 0.0))
        await self._send(self._damage(answer), baud, line)

    async def _send(self, answer: bytes, baud: int, line: EmulatedLine) -> None:
        """Send at the answer's speed, then listen at that of the requests again."""
        requests = line.line
        if requests is not None:
            line.line = replace(requests, baud=baud or requests.baud)
        try:
            await line.write(answer)
        finally:
            line.line = requests

    def _answer(self, request: re.Match[bytes], seconds: float) -> tuple[bytes, int]:
        """The answer and its speed (0: that of the request); empty where a meter stays silent."""
        values = self._house.fields(seconds)
        if request["short"] is not None:
            name = "#" + request["short"].decode("ascii")
            if not self._model.short_requests:
                return b"", 0
            if name in LOG_PLANS:
                return self._log(name, seconds, values["customer_no"]), SHORT_ANSWER_BAUD
            return encode_short_answer(name, values), SHORT_ANSWER_BAUD
        if request["speed"] is None:
            return self._model.identification, 0
        offered = self._model.identification[4:5]
        chosen = request["speed"]
        if chosen not in (b"0", offered):
            return b"", 0
        body = self._model.readout(values) + b"\x03"
        baud = BAUD_MODE_C[chosen.decode("ascii")] if chosen != b"0" else 0
        return b"\x02" + body + bytes([self._model.bcc(body)]), baud

    def _log(self, request: str, seconds: float, customer_no: int) -> bytes:
        """A log table, with the faults that only such a table has."""
        lines = log_lines(request, self._house.counters, self._house.clock(seconds), customer_no)
        middle = len(lines) // 2
        if self._faults.strike("lineloss"):
            lines[middle] = lines[middle][1:]
        if self._faults.strike("torn"):
            return ("".join(f"{line}\r" for line in lines[:middle]) + lines[middle][:20]).encode("ascii")
        return "".join(f"{line}\r" for line in lines).encode("ascii")

    def _damage(self, answer: bytes) -> bytes:
        """The bytes on the line: with parity, and with the faults that strike."""
        faults = self._faults
        if faults.strike("digit"):
            answer = self._other_digit(answer)
        if faults.strike("truncate"):
            answer = answer[: len(answer) // 2]
        sent = add_parity(answer) if self._parity else answer
        if faults.strike("parity"):
            place = faults.random.randrange(len(sent))
            sent = sent[:place] + bytes([sent[place] ^ 0x80]) + sent[place + 1 :]
        if faults.strike("noise"):
            sent = b"\x00\x00" + faults.random.randbytes(faults.random.randint(1, 8)) + sent
        return sent

    def _other_digit(self, answer: bytes) -> bytes:
        places = [place for place, byte in enumerate(answer) if 0x30 <= byte <= 0x39]
        if not places:
            return answer
        place = self._faults.random.choice(places)
        others = [digit for digit in b"0123456789" if digit != answer[place]]
        return answer[:place] + bytes([self._faults.random.choice(others)]) + answer[place + 1 :]
