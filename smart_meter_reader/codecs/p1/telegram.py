"""One telegram: from the bytes between '/' and '!' to objects, measurements and M-Bus meters.

IEC 62056-21 section 6.6 (data lines), DSMR 5.0.2 P1 section 6.5. One regular expression takes the body
apart in one pass; a line then costs one look-up of its code's meaning. What that expression does not
know (several values, nested brackets, missing '*') goes the slow way, line by line. A line without sense
costs itself and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from smart_meter_reader.codecs.p1.dialect import describe, recognise
from smart_meter_reader.codecs.p1.mbus import Channels, SubMeter, read_channels
from smart_meter_reader.codecs.p1.obis import Meaning, Meanings
from smart_meter_reader.codecs.p1.timestamps import looks_like_timestamp, parse_timestamp, set_clock
from smart_meter_reader.codecs.p1.values import Item, Object, Units, decode_octets, parse_item

Checksum = Literal["ok", "absent", "bad"]

# Code, number and unit | code and other text | anything else.
_LINES = re.compile(
    r"^([0-9]+-[0-9]+:[0-9.:*]+)\((?:(-?[0-9]+(?:\.[0-9]+)?)\*([^()*\r\n]+)|([^()*\r\n]*))\)[ \t]*\r?$"
    r"|^([^\r\n]+)\r?$",
    re.MULTILINE | re.ASCII,
)
_LINE = re.compile(r"([0-9]+-[0-9]+:[0-9.:*]+)[ \t]*(\(.*\))[ \t]*", re.ASCII)
_GROUPS = re.compile(r"(?:\([^()]*\))+")
# A line end inside a line: before a value of its own (DSMR 2.2 gas), or in a value that is not closed.
_BROKEN = re.compile(r"\r?\n(?=\()|(?<=[^)\s])\r?\n(?!\r?\n|[0-9]+-[0-9]+:|$)", re.ASCII)
_WELL_FORMED_END = ")\r\n"

# Luxembourg leaves out these units (specification 1.1.3, example); newer firmware writes them.
_LUXEMBOURG_UNITS = {
    "reactive_power_import": "kvar",
    "reactive_power_export": "kvar",
    "active_power_threshold": "kVA",
}
_UNITLESS = ("power_factor",)
# 17.0.0 is a limit of power, in DSMR 3 also of current, in Luxembourg of apparent power.
_THRESHOLDS = {"A": "current_threshold", "kVA": "apparent_power_threshold", "VA": "apparent_power_threshold"}
_TARIFFS = (1, 2, 3, 4)
_NEVER = 2147483647  # seconds in an empty slot of the power failure log


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
    ``bad_lines`` are the lines that made no sense.
    """

    header: str
    checksum: Checksum
    time: datetime | None
    objects: dict[str, Object]
    measurements: dict[str, Item]
    meters: dict[str, SubMeter]
    dead_meters: tuple[SubMeter, ...] = ()
    identity: Identity = field(default_factory=Identity)
    bad_lines: tuple[str, ...] = ()
    authentication: Literal["verified", "failed", "none"] = "none"
    frame_counter: int | None = None


class _Body:
    """The lines of one telegram while they are read."""

    __slots__ = ("bad", "measurements", "objects", "special")

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.measurements: dict[str, Item] = {}
        self.special: list[tuple[Meaning, str]] = []
        self.bad: list[str] = []


class TelegramParser:
    """Reads telegrams; keeps what it learnt of codes and units, which is bounded, and nothing else.

    ``dialect`` forces the dialect instead of recognising it.
    """

    def __init__(self, dialect: str = "") -> None:
        self._dialect = dialect
        self._meanings = Meanings()
        self._units = Units()

    def parse(self, telegram: bytes, checksum: Checksum) -> Telegram:
        """Read ``telegram``, from '/' to '!' inclusive; lines without sense end up in ``bad_lines``."""
        header, _, text = telegram[1:-1].decode("latin-1").partition("\n")
        header = header.rstrip("\r")
        body = self._read_lines(_mend(text))
        return self._conclude(header, checksum, body)

    def _read_lines(self, text: str) -> _Body:
        body = _Body()
        objects, measurements, special = body.objects, body.measurements, body.special
        meanings, units = self._meanings, self._units
        for code, number, unit, plain, other in _LINES.findall(text):
            if other or code in objects:
                self._read_line(other or _rejoin(code, number, unit, plain), body)
                continue
            meaning = meanings[code]
            quantity = meaning[0]
            if number:
                item: Item = {"value": Decimal(number), "unit": unit}
                objects[code] = item
                if quantity:
                    spelling = units[unit]
                    measurements[quantity] = (
                        item if spelling == unit else {"value": item["value"], "unit": spelling}
                    )
            elif quantity or "." in plain:
                self._add(code, [plain], meaning, body)
            else:
                objects[code] = {"value": plain, "unit": ""}
            if meaning[2]:
                special.append((meaning, code))
        return body

    def _read_line(self, line: str, body: _Body) -> None:
        """A line in any form; a second line with the same code joins the first in ``objects``."""
        match = _LINE.fullmatch(line)
        if match is None:
            body.bad.append(line)
            return
        code, values = match.groups()
        groups = values[1:-1].split(")(") if _GROUPS.fullmatch(values) else [values[1:-1]]
        meaning = self._meanings[code]
        before = body.objects.get(code)
        self._add(code, groups, meaning, body)
        if before is not None and code in body.objects:
            body.objects[code] = _several(before) + _several(body.objects[code])
        elif meaning.role and code in body.objects:
            body.special.append((meaning, code))

    def _add(self, code: str, groups: list[str], meaning: Meaning, body: _Body) -> None:
        numeric = meaning.value_type == "number"
        items = [parse_item(group, numeric=numeric) for group in groups]
        value = items[-1]
        if meaning.quantity:
            measured = self._measure(meaning, value)
            if measured is None:
                body.bad.append(f"{code}({')('.join(groups)})")
                return
            if measured["value"] != "":
                body.measurements[meaning.quantity] = measured
        body.objects[code] = items if len(items) > 1 else value

    def _measure(self, meaning: Meaning, item: Item) -> Item | None:
        """``item`` as a measurement; an empty text for a value that is empty; None for nonsense."""
        value = item["value"]
        if value == "" or meaning.value_type == "text":
            return item
        if meaning.value_type == "number":
            return self._measure_number(item)
        if not isinstance(value, str):
            return None
        if meaning.value_type == "octets":
            return {"value": decode_octets(value), "unit": ""}
        if value.isascii() and value.isdigit():
            return {"value": int(value), "unit": ""}
        return item if meaning.value_type == "code" else None

    def _measure_number(self, item: Item) -> Item | None:
        value = item["value"]
        if isinstance(value, str):
            if not (value.isascii() and value.isdigit()):
                return None
            value = Decimal(value)
        return {"value": value, "unit": self._units[item["unit"]] if item["unit"] else ""}

    def _conclude(self, header: str, checksum: Checksum, body: _Body) -> Telegram:
        time, version, serial = None, "", ""
        channels: dict[int, dict[str, Object]] = {}
        for meaning, code in body.special:
            line = body.objects[code]
            if meaning.role == "mbus":
                channels.setdefault(meaning.channel, {})[meaning.reduced] = line
            elif meaning.role == "time":
                time = _read_time(code, body.objects)
            elif meaning.role == "version":
                version = version or _text(line)
            elif meaning.role == "serial":
                serial = decode_octets(_text(line)) or serial
            elif meaning.role == "device_name":
                serial = serial or decode_octets(_text(line))
            elif meaning.role == "log":
                _read_failure_log(line, body.measurements)
            elif meaning.role == "peak":
                _date_peak(meaning.quantity, line, body.measurements)
        dialect = self._dialect or recognise(header, version, body.objects)
        manufacturer, model = describe(header, serial)
        _settle_units(body.measurements, dialect)
        if not body.bad:
            _add_totals(body.measurements)
        found = read_channels(channels, time, self._units) if channels else Channels()
        return Telegram(
            header=header,
            checksum=checksum,
            time=time,
            objects=body.objects,
            measurements=body.measurements,
            meters=found.meters,
            dead_meters=found.dead,
            identity=Identity(manufacturer, model, serial, version, dialect),
            bad_lines=tuple(body.bad),
        )


def _rejoin(code: str, number: str, unit: str, plain: str) -> str:
    return f"{code}({number}*{unit})" if number else f"{code}({plain})"


def _mend(text: str) -> str:
    """Join lines that were broken; the usual body, whose lines all end with a bracket, stays as it is."""
    if text.count("\n") == text.count(_WELL_FORMED_END) + text.startswith("\r\n") and "\n(" not in text:
        return text
    return _BROKEN.sub("", text)


def _several(line: Object) -> list[Item]:
    return line if isinstance(line, list) else [line]


def _text(line: Object) -> str:
    return str(_several(line)[-1]["value"])


def _read_time(code: str, objects: dict[str, Object]) -> datetime | None:
    """The telegram's own time; in ``objects`` the line becomes ISO 8601 with the offset the meter told."""
    text = _text(objects[code])
    moment = parse_timestamp(text) if looks_like_timestamp(text) else None
    if moment is None:
        return None
    objects[code] = {"value": moment.isoformat(), "unit": ""}
    return set_clock(moment)


def _read_failure_log(line: Object, measurements: dict[str, Item]) -> None:
    """The newest entry of 99.97.0 ``(n)(0-0:96.7.19)(time)(duration*s)...`` that has sense."""
    items = _several(line)
    newest: tuple[datetime, Item] | None = None
    for end, duration in zip(items[2::2], items[3::2], strict=False):
        moment = _iso_clock(end)
        value = duration["value"]
        if moment is None or not isinstance(value, Decimal) or value >= _NEVER:
            continue
        if newest is None or moment > newest[0]:
            newest = moment, duration
    if newest is not None:
        measurements["last_power_failure_end"] = {"value": newest[0].isoformat(), "unit": ""}
        measurements["last_power_failure_duration"] = {"value": newest[1]["value"], "unit": newest[1]["unit"]}


def _date_peak(quantity: str, line: Object, measurements: dict[str, Item]) -> None:
    """1.6.0 ``(time)(value)``: the maximum demand of the month, and when it was."""
    items = _several(line)
    moment = _iso_clock(items[0]) if len(items) > 1 else None
    if moment is not None and quantity in measurements:
        measurements[quantity] = {**measurements[quantity], "measured_at": moment}


def _iso_clock(item: Item) -> datetime | None:
    text = item["value"]
    if not isinstance(text, str) or text[4:5] != "-":
        return None
    moment = set_clock(datetime.fromisoformat(text))
    return moment if moment is None else moment.astimezone(UTC)


def _settle_units(measurements: dict[str, Item], dialect: str) -> None:
    """Drop numbers that need a unit and have none, but for those that Luxembourg's specification knows."""
    for quantity in [key for key, item in measurements.items() if not item["unit"]]:
        item = measurements[quantity]
        if not isinstance(item["value"], Decimal) or quantity.startswith(_UNITLESS):
            continue
        unit = _LUXEMBOURG_UNITS.get(quantity, "") if dialect == "luxembourg" else ""
        if unit:
            measurements[quantity] = {"value": item["value"], "unit": unit}
        else:
            del measurements[quantity]
    threshold = measurements.get("active_power_threshold")
    if threshold and threshold["unit"] in _THRESHOLDS:
        measurements[_THRESHOLDS[threshold["unit"]]] = measurements.pop("active_power_threshold")


def _add_totals(measurements: dict[str, Item]) -> None:
    """Sum up the tariffs where the meter sends no total: from the first on, at least two, one unit."""
    for total in ("active_energy_import", "active_energy_export"):
        if total in measurements:
            continue
        sent = [tariff for tariff in _TARIFFS if f"{total}_tariff_{tariff}" in measurements]
        if len(sent) < 2 or sent != list(_TARIFFS[: len(sent)]):
            continue
        parts = [measurements[f"{total}_tariff_{tariff}"] for tariff in sent]
        values = [part["value"] for part in parts if isinstance(part["value"], Decimal)]
        if len({part["unit"] for part in parts}) == 1 and len(values) == len(parts):
            measurements[total] = {"value": sum(values, Decimal(0)), "unit": parts[0]["unit"]}
