"""An emulated meter that sends SML: a telegram at every tick, with faults.

Registers and powers run: a telegram differs from all before it. Captures are sent telegram by telegram in a
circle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.encode import Value, encode_telegram
from smart_meter_reader.codecs.sml.frame import START
from smart_meter_reader.codecs.sml.presentation import Element
from smart_meter_reader.emulators.faults import Fault
from smart_meter_reader.emulators.pushing import LOAD_CHANGES, PushingMeter
from smart_meter_reader.meters.sml.emulated_models import MODELS, SentEntry, SmlModel

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "crc": "one bit of the telegram is turned over",
        "drop": "the telegram is not sent",
        "noise": "random bytes come before the telegram",
        "cut": "the second half of the telegram is not sent",
        "lose": "one octet in the middle is not sent",
        "begin": "the telegram breaks off, and begins anew at once",
        "pin": "the meter has forgotten its PIN: whole kWh, no power",
        "stranger": "a telegram of another meter comes first",
        "reset": "the totals begin anew, at 1 kWh",
        "swap": "the meter is another one from now on",
        "silence": "nothing is sent for three ticks",
    }
)

_WATT, _WATT_HOUR, _VOLT, _AMPERE, _HERTZ, _DEGREE = 27, 30, 35, 33, 44, 8
_WH_IN_KWH: Final = 3  # the scaler of whole kWh
_EXPORT_BIT: Final = 1 << 5


@dataclass(slots=True)
class EmulatedHome:
    """What is behind the meter: totals in thousandths of Wh, and the power in thousandths of W."""

    random: Random
    imported: int = 16_824_856_500
    exported: int = 1_100_731_600
    power: int = 400_000
    seconds: int = 24_208_040  # since some beginning
    sun: int = 0  # W that a photovoltaic plant makes

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        if self.random.random() < LOAD_CHANGES:
            self.power = 200_000 + self.random.randrange(3_000_000)
        else:
            self.power = max(100_000, self.power * self.random.randrange(97, 104) // 100)
        self.seconds += max(1, round(seconds))
        flowed = int(self.net * seconds / 3600)
        if flowed >= 0:
            self.imported += flowed
        else:
            self.exported -= flowed

    @property
    def net(self) -> int:
        """What is drawn from the grid, less what is fed in, in thousandths of W."""
        return self.power - 1000 * self.sun


class SmlMeter(PushingMeter):
    """One emulated meter. ``interval``: seconds from one telegram to the next.

    ``pin``: whether it was entered; ``sun``: W that a photovoltaic plant makes; ``recording``: telegrams that
    are sent instead.
    """

    def __init__(
        self,
        model: str = "iskra-mt631",
        *,
        faults: Sequence[Fault] = (),
        interval: float = 1.0,
        pin: bool = True,
        sun: int = 0,
        recording: Sequence[bytes] = (),
        seed: int = 0,
    ) -> None:
        super().__init__(interval, recording=recording, faults=faults, seed=seed)
        self._model = MODELS[model]
        self._pin = pin
        self._home = EmulatedHome(self._random, sun=sun)
        self._swapped = 0

    def next_telegram(self) -> bytes:
        """What goes over the line at the next tick; b"" for nothing."""
        self._home.advance(self._interval)
        if self._faults.strike("reset"):
            self._home.imported, self._home.exported = 1_000_000, 1_000_000
        if self._faults.strike("swap"):
            self._swapped += 1
        pin = self._pin and not self._faults.strike("pin")
        telegram = self._recorded() if self._recording else self._made(pin=pin, number=self._swapped)
        self._count += 1
        return self._spoil(telegram)

    def _made(self, *, pin: bool, number: int) -> bytes:
        model = self._model
        server_id = model.server_id[:-1] + bytes([(model.server_id[-1] + number) % 256])
        time: Element = self._home.seconds if model.bare_time else [1, self._home.seconds]
        entries = (
            model.entries if pin else tuple(each for each in model.entries if each.shape in _WITHOUT_PIN)
        )
        values = [self._value(model, entry, server_id, pin=pin) for entry in entries]
        return encode_telegram(
            server_id, values, number=self._count, sensor_time=time, checksum=model.checksum
        )

    def _value(self, model: SmlModel, entry: SentEntry, server_id: bytes, *, pin: bool) -> Value:
        code = ObisCode.from_octets(bytes.fromhex(entry.code))
        house, scaler = self._home, entry.scaler
        if entry.shape == "octets":
            return Value(code, server_id if entry.text == model.server_id else entry.text)
        status = entry.status
        if entry.shape in ("total", "historic"):
            scaler = scaler if pin else _WH_IN_KWH
            thousandths = (house.exported if code.c == 2 else house.imported) * entry.share // 100
            if status is not None and house.net < 0:
                status |= _EXPORT_BIT
            return self._number(entry, code, _scaled(thousandths, scaler), _WATT_HOUR, scaler, status)
        thousandths, unit = {
            "net": (house.net, _WATT),
            "power": (abs(house.net) if code.c == 15 else house.net * entry.share // 100, _WATT),
            "voltage": (230_000 + house.random.randrange(5000), _VOLT),
            "current": (abs(house.net) * entry.share // 100 // 230, _AMPERE),
            "frequency": (50_000, _HERTZ),
            "angle": (1000 * entry.share, _DEGREE),
        }[entry.shape]
        number = _scaled(thousandths, scaler)
        if model.fault == "unsigned" and unit == _WATT:
            return _as_dzg(code, number, unit, scaler)
        return self._number(entry, code, number, unit, scaler, status)

    def _number(
        self, entry: SentEntry, code: ObisCode, number: int, unit: int, scaler: int, status: int | None
    ) -> Value:
        signed = entry.signed or number < 0
        return Value(code, number, unit, scaler, status, entry.octets, signed)

    def _spoil(self, telegram: bytes) -> bytes:
        """The telegram as the faults leave it."""
        if self._is_kept_back():
            return b""
        # A recording may end right behind a start.
        middle = self._faults.random.randrange(len(START), max(len(START) + 1, len(telegram) - 8))
        telegram = self._cut(self._damaged(telegram, middle))
        if self._faults.strike("begin"):
            telegram = telegram[:middle] + telegram
        if self._faults.strike("stranger"):
            telegram = self._made(pin=self._pin, number=100) + telegram
        return self._behind_noise(telegram)


_WITHOUT_PIN: Final = ("octets", "total")


def _scaled(thousandths: int, scaler: int) -> int:
    """A number in units of ten to the power of ``scaler``, cut off as a display does."""
    return int(Decimal(thousandths).scaleb(-3 - scaler))


def _as_dzg(code: ObisCode, number: int, unit: int, scaler: int) -> Value:
    """A power as DZG's firmware sends it: a positive one as if it were unsigned, and tagged signed."""
    if number < 0:
        return Value(code, number, unit, scaler, octets=4, signed=True)
    width = max(1, -(-number.bit_length() // 8))
    misread = number - (1 << 8 * width) if number >> (8 * width - 1) else number
    return Value(code, misread, unit, scaler, octets=width, signed=True)


def split_recording(recording: bytes) -> list[bytes]:
    """The telegrams of a recording as they stand in it, damaged ones too, each up to the next start.

    Raises ValueError when there is none.
    """
    starts: list[int] = []
    place = recording.find(START)
    while place >= 0:
        starts.append(place)
        place = recording.find(START, place + len(START))
    if not starts:
        raise ValueError("the recording holds no SML: nowhere in it is 1B1B1B1B 01010101")
    return [recording[begin:end] for begin, end in zip(starts, [*starts[1:], len(recording)], strict=True)]
