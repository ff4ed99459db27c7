"""One telegram: from the bytes between '/' and '!' to objects, measurements and M-Bus meters.

One pass over the lines. A line that says what it said in the telegram before is not decoded again:
identifiers, counters, logs and the hourly gas make up most of a telegram that comes every second.
A line without sense costs itself and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from smart_meter_reader.codecs.ciphering.keys import Authentication
from smart_meter_reader.codecs.p1 import derived
from smart_meter_reader.codecs.p1.data_block import data_lines, telegram_text
from smart_meter_reader.codecs.p1.devices import DeviceReader, Devices, SubMeter
from smart_meter_reader.codecs.p1.dialect import LIMIT_CURRENTS, Sender, dialect_of, maker_and_model
from smart_meter_reader.codecs.p1.history import read_months
from smart_meter_reader.codecs.p1.lines import Line, LineDecoder, advance_clock, advance_gas
from smart_meter_reader.codecs.p1.mbus import Channels, InUse, read_channels
from smart_meter_reader.codecs.p1.obis import Further, Role
from smart_meter_reader.codecs.p1.values import LineMemory, Object, Times
from smart_meter_reader.codecs.signed_power import SignedPowers
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import shift_in_use, shifted
from smart_meter_reader.text import LONGEST_NAME, LONGEST_NUMBER, REPLACEMENT, printable

Checksum = Literal["ok", "absent", "bad"]

_CLOCKS = frozenset({"time", "clock", "date"})
_MAX_LINES = 1024  # codes remembered; a telegram has some 60
_HISTORIES: Final[Mapping[str, Callable[[list[Measurement], Times], dict[str, Measurement]]]] = {
    "log": derived.newest_failure,
    "months": read_months,
}


class Telegram(NamedTuple):
    """What one telegram says. A tuple, which is made in a tenth of the time of a frozen class.

    ``objects`` has every readable line by its code as written, with units as written; ``measurements``
    the quantities of the electricity meter with canonical units; ``meters`` the M-Bus devices by medium.
    ``bad_lines`` are the lines that made no sense. Nothing in it is changed later, parts may be shared
    with other telegrams.
    """

    header: str
    checksum: Checksum
    time: datetime | None
    objects: dict[str, Object]
    measurements: dict[str, Measurement]
    meters: dict[str, SubMeter]
    dead_meters: tuple[SubMeter, ...]
    identity: Sender
    bad_lines: tuple[str, ...] = ()
    authentication: Authentication = "none"
    frame_counter: int | None = None
    length: int = 0  # in bytes, from '/' to '!'

    @property
    def vouched_for(self) -> bool:
        """Whether a checksum or a tag tells its bytes from damaged ones."""
        return self.checksum == "ok" or self.authentication == "verified"


@dataclass(slots=True)
class _Body:
    """The lines of one telegram while they are read."""

    objects: dict[str, Object] = field(default_factory=dict)
    measurements: dict[str, Measurement] = field(default_factory=dict)
    special: list[Line] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    negative: bool = False  # whether a line begins with a minus sign


class _Shape(NamedTuple):
    """What stays the same when only the number of a line changes."""

    ending: str  # "*kWh)"
    quantity: str
    unit: str
    spelling: str
    shift: int  # decimals, from unit to spelling


class TelegramParser:
    """Reads telegrams; remembers the newest line of each code, which is bounded, and the devices in use.

    ``dialect`` forces the dialect instead of recognising it. ``in_use``: what another parser of the same
    meter has learnt about its M-Bus devices, to go on with. ``further``: where codes are looked up that
    our table lacks.
    """

    def __init__(
        self, dialect: str = "", in_use: InUse | None = None, further: Further | None = None
    ) -> None:
        self._dialect = dialect
        self._in_use = in_use or InUse()
        self._memory = LineMemory()
        self._devices = DeviceReader(self._memory)
        self._decoder = LineDecoder(self._memory, further or Further())
        self._lines: dict[str, Line] = {}
        self._shapes: dict[str, _Shape] = {}
        self._histories: dict[
            str, tuple[Line, dict[str, Measurement]]
        ] = {}  # by role, with what they measure
        self._identity_of: tuple[str, str, str, int] | None = None
        self._identity = Sender()
        self._signs = SignedPowers()

    def parse(
        self,
        telegram: bytes,
        checksum: Checksum,
        authentication: Authentication = "none",
        frame_counter: int | None = None,
    ) -> Telegram:
        """Read ``telegram``, from '/' to '!' inclusive; lines without sense end up in ``bad_lines``."""
        header, _, text = telegram_text(telegram[1:-1]).partition("\n")
        header = header.rstrip("\r")
        luxembourg = self._dialect == "luxembourg" or header[:3].upper() == "LUX"
        lines = data_lines(text)
        body = self._read(lines, luxembourg)
        if checksum != "ok" and authentication != "verified" and REPLACEMENT in text:
            # Nothing says that the meter has sent such a character.
            body.bad.extend(printable(line) for line in lines if REPLACEMENT in line)
        time, version, serial, devices = self._read_special(body)
        if not body.bad:
            self._decoder.take_first(body.special, body.objects, body.measurements)
            derived.add_totals(body.measurements)
            derived.add_powers(body.measurements)
        body.bad.extend(self._signs.split(header, body.measurements, negative=body.negative))
        if not body.bad:
            derived.add_net_powers(body.measurements)
        found = Channels({}, ())
        if devices:
            found = read_channels(devices, time, self._devices, self._in_use)
        identity = self._identify(header, version, serial, body.objects)
        if identity.dialect in LIMIT_CURRENTS:
            derived.name_thresholds(body.measurements)
        return Telegram(
            header,
            checksum,
            time,
            body.objects,
            body.measurements,
            found.meters,
            found.dead,
            identity,
            tuple(body.bad),
            authentication,
            frame_counter,
            len(telegram),
        )

    def _read(self, lines: list[str], luxembourg: bool) -> _Body:
        body = _Body()
        objects, measurements, special = body.objects, body.measurements, body.special
        shapes, known = self._shapes, self._lines
        for written in lines:
            code, _, text = written.partition("(")
            if code in objects:
                self._read_again(code, text, body, luxembourg)
                continue
            shape = shapes.get(code)
            if shape is not None:
                ending, quantity, unit, spelling, shift = shape
                number = text.removesuffix(ending)
                # As is_number() does, but for the rare minus sign; a call per line would cost a tenth.
                if len(number) <= LONGEST_NUMBER and number.replace(".", "", 1).isdecimal():
                    value = Decimal(number)
                    item: Measurement = {"value": value, "unit": unit}
                    objects[code] = item
                    if quantity:
                        measurements[quantity] = (
                            item if unit is spelling else {"value": shifted(value, shift), "unit": spelling}
                        )
                    continue
            line = known.get(code)
            if line is None or line[0] != text:
                line = (line and self._advance(line, code, text)) or self._decode(
                    code, text, written, body, luxembourg
                )
                if line is None:
                    continue
            objects[code] = line[1]
            if line[2]:
                measurements[line[2]] = line[3]
            if line[4][2]:
                special.append(line)
        return body

    def _advance(self, line: Line, code: str, text: str) -> Line | None:
        """``line`` with what changes from one telegram to the next; None where it has to be decoded."""
        advanced = advance_clock(line, text, self._memory) or advance_gas(line, text, self._memory)
        if advanced is not None:
            self._lines[code] = advanced
        return advanced

    def _decode(self, code: str, text: str, written: str, body: _Body, luxembourg: bool) -> Line | None:
        line = self._decoder.decode(code, text, luxembourg=luxembourg)
        if line is None:
            if written and not written.isspace():
                body.bad.append(printable(written))
            return None
        body.negative = body.negative or text.startswith("-")
        if len(self._lines) + len(self._shapes) >= _MAX_LINES:
            self._lines.clear()
            self._shapes.clear()
        # With two stars, what stands before the last one is no number, and its ending no unit of one.
        star = text.find("*")
        only = star > 0 and star == text.rfind("*") and text.endswith(")") and not line.meaning.role
        if only and isinstance(line.object, dict) and isinstance(line.object["value"], Decimal):
            unit = line.object["unit"]
            spelling = line.measured["unit"]
            self._shapes[code] = _Shape(
                text[star:],
                line.quantity,
                unit,
                unit if spelling == unit else spelling,
                shift_in_use(self._memory.units[unit])[1],
            )
        else:
            self._lines[code] = line
        return line

    def _read_again(self, code: str, text: str, body: _Body, luxembourg: bool) -> None:
        """A second line with the same code: both stand in ``objects``, the later one measures."""
        line = self._decoder.decode(code, text, luxembourg=luxembourg)
        if line is None:
            body.bad.append(printable(f"{code}({text}"))
            return
        body.objects[code] = _several(body.objects[code]) + _several(line.object)
        if line.quantity:
            body.measurements[line.quantity] = line.measured
        if line.meaning.role:
            body.special.append(line)

    def _read_special(self, body: _Body) -> tuple[datetime | None, str, str, Devices]:
        """Time, version and serial number, and the lines of the M-Bus channels; the logs become values."""
        version, serial, name = "", "", ""
        clocks: dict[Role, str] = {}
        devices: Devices = {}
        for line in body.special:
            _, _, role, group, reduced = line.meaning
            if role == "mbus":
                devices.setdefault(group, {})[reduced] = line.object
                continue
            text = str(line.measured["value"])
            if role in _CLOCKS:
                clocks[role] = text
            elif role == "version":
                version = version or text
            elif role == "serial":
                # Zeros name no meter: Iskraemeco writes them beside the number that does.
                serial = text if text.strip("0") or not serial else serial
            elif role == "device_name":
                name = text
            else:
                self._read_history(line, body.measurements)
        # Some of Iskraemeco's have the time of day and the date on lines of their own.
        time = clocks.get("time") or f"{clocks.get('date', '')}{clocks.get('clock', '')}"
        return self._memory.times[time], version, serial or name, devices

    def _read_history(self, line: Line, measurements: dict[str, Measurement]) -> None:
        role = line.meaning.role
        read = _HISTORIES.get(role)
        if read is not None:
            known = self._histories.get(role)
            if known is None or known[0] is not line:
                known = self._histories[role] = line, read(_several(line.object), self._memory.times)
            measurements.update(known[1])
            return
        # 1.6.0 (time)(value): the maximum demand of the month, and when it was.
        items = _several(line.object)
        moment = self._memory.times[str(items[0]["value"])] if len(items) > 1 else None
        if moment is not None and line.quantity:
            measurements[line.quantity] = {**line.measured, "measured_at": moment}

    def _identify(self, header: str, version: str, serial: str, objects: dict[str, Object]) -> Sender:
        identity_of = (header, version, serial, len(objects))
        if identity_of != self._identity_of:
            dialect = self._dialect or dialect_of(header, version, objects)
            serial_number = printable(self._memory.octets[serial], LONGEST_NAME)
            version = printable(version, LONGEST_NAME)
            self._identity = Sender(*maker_and_model(header, serial_number), serial_number, version, dialect)
            self._identity_of = identity_of
        return self._identity


def _several(line: Object) -> list[Measurement]:
    return line if isinstance(line, list) else [line]
