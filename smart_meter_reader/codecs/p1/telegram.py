"""One telegram: from the bytes between '/' and '!' to objects, measurements and M-Bus meters.

One pass over the lines. A line that says what it said in the telegram before is not decoded again:
identifiers, counters, logs and the hourly gas make up most of a telegram that comes every second.
A line without sense costs itself and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from smart_meter_reader.codecs.p1.dialect import describe, recognise
from smart_meter_reader.codecs.p1.lines import Line, LineDecoder
from smart_meter_reader.codecs.p1.mbus import Channels, SubMeter, read_channels
from smart_meter_reader.codecs.p1.values import Item, Object, Times, decode_octets

Checksum = Literal["ok", "absent", "bad"]
Authentication = Literal["verified", "failed", "none"]

_LINE_END = re.compile(r"\r?\n")
_OBIS_CODE = re.compile(r"[0-9]+-[0-9]+:", re.ASCII)
_MAX_LINES = 1024  # codes remembered; a telegram has some 60
_NEVER = 2147483647  # seconds in an empty slot of the power failure log
# The totals, and the tariffs that add up to them.
_TOTALS: Final = {
    total: tuple(f"{total}_tariff_{tariff}" for tariff in (1, 2, 3, 4))
    for total in ("active_energy_import", "active_energy_export")
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a telegram; "" for what it does not tell."""

    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    version: str = ""  # of P1, as the meter writes it: "50", "50217"
    dialect: str = ""


@dataclass(frozen=True, slots=True)
class Telegram:
    """What one telegram says.

    ``objects`` has every readable line by its code as written, with units as written; ``measurements``
    the quantities of the electricity meter with canonical units; ``meters`` the M-Bus devices by medium.
    ``bad_lines`` are the lines that made no sense. Nothing in it is changed later, parts may be shared
    with other telegrams.
    """

    header: str
    checksum: Checksum
    time: datetime | None
    objects: dict[str, Object]
    measurements: dict[str, Item]
    meters: dict[str, SubMeter]
    dead_meters: tuple[SubMeter, ...]
    identity: Identity
    bad_lines: tuple[str, ...] = ()
    authentication: Authentication = "none"
    frame_counter: int | None = None


@dataclass(slots=True)
class _Body:
    """The lines of one telegram while they are read."""

    objects: dict[str, Object] = field(default_factory=dict)
    measurements: dict[str, Item] = field(default_factory=dict)
    special: list[Line] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


class TelegramParser:
    """Reads telegrams; remembers the newest line of each code, which is bounded, and nothing else.

    ``dialect`` forces the dialect instead of recognising it.
    """

    def __init__(self, dialect: str = "") -> None:
        self._dialect = dialect
        self._decoder = LineDecoder()
        self._times = Times()
        self._lines: dict[str, Line] = {}
        self._identity_of: tuple[str, str, str, int] | None = None
        self._identity = Identity()

    def parse(
        self,
        telegram: bytes,
        checksum: Checksum,
        authentication: Authentication = "none",
        frame_counter: int | None = None,
    ) -> Telegram:
        """Read ``telegram``, from '/' to '!' inclusive; lines without sense end up in ``bad_lines``."""
        header, _, text = telegram[1:-1].decode("latin-1").partition("\n")
        header = header.rstrip("\r")
        luxembourg = self._dialect == "luxembourg" or header[:3].upper() == "LUX"
        body = self._read(_lines(text), luxembourg)
        time, version, serial, channels = self._read_special(body)
        if not body.bad:
            _add_totals(body.measurements)
        found = (
            read_channels(channels, time, self._decoder.units, self._times) if channels else Channels({}, ())
        )
        return Telegram(
            header,
            checksum,
            time,
            body.objects,
            body.measurements,
            found.meters,
            found.dead,
            self._identify(header, version, serial, body.objects),
            tuple(body.bad),
            authentication,
            frame_counter,
        )

    def _read(self, lines: list[str], luxembourg: bool) -> _Body:
        body = _Body()
        objects, measurements, known = body.objects, body.measurements, self._lines
        for written in lines:
            code, _, text = written.partition("(")
            line = known.get(code)
            if line is None or line[0] != text:
                line = self._decoder.decode(code, text, luxembourg=luxembourg)
                if line is None:
                    if written.strip():
                        body.bad.append(written)
                    continue
                if len(known) >= _MAX_LINES:
                    known.clear()
                known[code] = line
            _, value, quantity, measured, meaning = line
            if code in objects:
                value = _several(objects[code]) + _several(value)
            objects[code] = value
            if quantity:
                measurements[quantity] = measured
            if meaning[2]:
                body.special.append(line)
        return body

    def _read_special(self, body: _Body) -> tuple[datetime | None, str, str, dict[int, dict[str, Object]]]:
        """Time, version and serial number, and the lines of the M-Bus channels; the logs become values."""
        time, version, serial, name = None, "", "", ""
        channels: dict[int, dict[str, Object]] = {}
        for line in body.special:
            role = line.meaning.role
            text = str(line.measured["value"])
            if role == "mbus":
                channels.setdefault(line.meaning.channel, {})[line.meaning.reduced] = line.object
            elif role == "time":
                time = self._times[text]
            elif role == "version":
                version = version or text
            elif role == "serial":
                serial = text or serial
            elif role == "device_name":
                name = text
            else:
                self._read_history(line, body.measurements)
        return time, version, serial or name, channels

    def _read_history(self, line: Line, measurements: dict[str, Item]) -> None:
        if line.meaning.role == "log":
            measurements.update(_newest_failure(_several(line.object), self._times))
            return
        # 1.6.0 (time)(value): the maximum demand of the month, and when it was.
        items = _several(line.object)
        moment = self._times[str(items[0]["value"])] if len(items) > 1 else None
        if moment is not None and line.quantity:
            measurements[line.quantity] = {**line.measured, "measured_at": moment}

    def _identify(self, header: str, version: str, serial: str, objects: dict[str, Object]) -> Identity:
        identity_of = (header, version, serial, len(objects))
        if identity_of != self._identity_of:
            dialect = self._dialect or recognise(header, version, objects)
            serial_number = decode_octets(serial)
            self._identity = Identity(*describe(header, serial_number), serial_number, version, dialect)
            self._identity_of = identity_of
        return self._identity


def _lines(text: str) -> list[str]:
    """The data lines; line ends may be CR LF or LF, and some meters break a line in two.

    Broken lines go on with a value of their own (gas of DSMR 2.2 and 3), or inside a value (long texts).
    """
    lines = text.split("\r\n")
    if len(lines) <= text.count("\n"):
        lines = _LINE_END.split(text)
    if "\n(" not in text and all(not line or line[-1] == ")" for line in lines):
        return lines
    joined: list[str] = []
    for line in lines:
        if joined and (line[:1] == "(" or (_is_open(joined[-1]) and line and not _OBIS_CODE.match(line))):
            joined[-1] += line
        else:
            joined.append(line)
    return joined


def _is_open(line: str) -> bool:
    return "(" in line and not line.rstrip().endswith(")")


def _several(line: Object) -> list[Item]:
    return line if isinstance(line, list) else [line]


def _newest_failure(items: list[Item], times: Times) -> dict[str, Item]:
    """The newest entry of 99.97.0 ``(n)(0-0:96.7.19)(time)(duration*s)...`` that has sense."""
    newest: tuple[datetime, Item] | None = None
    for end, duration in zip(items[2::2], items[3::2], strict=False):
        value = duration["value"]
        if not isinstance(value, Decimal) or value >= _NEVER:
            continue
        moment = times[str(end["value"])]
        if moment is not None and (newest is None or moment > newest[0]):
            newest = moment, duration
    if newest is None:
        return {}
    return {
        "last_power_failure_end": {"value": newest[0].isoformat(), "unit": ""},
        "last_power_failure_duration": newest[1],
    }


def _add_totals(measurements: dict[str, Item]) -> None:
    """Sum up the tariffs where the meter sends no total: from the first on, at least two, one unit."""
    for total, tariffs in _TOTALS.items():
        if total in measurements:
            continue
        sent = [tariff for tariff in tariffs if tariff in measurements]
        if len(sent) < 2 or sent != list(tariffs[: len(sent)]):
            continue
        unit = measurements[sent[0]]["unit"]
        parts = [measurements[tariff] for tariff in sent]
        values = [part["value"] for part in parts if isinstance(part["value"], Decimal)]
        if len(values) == len(parts) and all(part["unit"] == unit for part in parts):
            measurements[total] = {"value": sum(values[1:], values[0]), "unit": unit}
