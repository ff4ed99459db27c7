"""Data sets: ``code(value*unit)`` as IEC 62056-21 §6.6 writes them, and what meters make of that."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from smart_meter_reader.exceptions import FrameError, ValueFormatError
from smart_meter_reader.quantities.units import canonical
from smart_meter_reader.text import LONGEST_NAME, LONGEST_NUMBER, printable

# A decimal comma is the 382's, a sign that of meters that know a direction.
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:[.,]([0-9]+))?", re.ASCII)
# The standard wants value*unit. Iskra's MT17x put a blank there, others nothing; then only a unit that is
# known counts as one, since "1EMH0004" is a serial number and "12 ABC" a text.
_UNSTARRED = re.compile(
    r"([+-]?[0-9]+(?:[.,][0-9]+)?) *"
    r"(k?Wh|MWh|GJ|MJ|Gcal|k?W|MW|k?varh|k?var|k?VArh|k?VAr|k?VAh|k?VA|V|A|Hz|m3|m3/h|l/h|h)"
)

# An STX before the first code, NULs of a wake-up.
_BLANKS = bytes(range(0x21)) + b"\x7f"

_METER_UNITS = {"m3ph": "m³/h", "m3/ph": "m³/h", "degC": "°C"}  # Landis+Gyr's spelling of m³/h


@dataclass(frozen=True, slots=True)
class DataValue:
    """One value between parentheses as sent: text without unit, and the unit ("" when it has none)."""

    text: str
    unit: str

    @property
    def is_number(self) -> bool:
        return self._match is not None

    @property
    def _match(self) -> re.Match[str] | None:
        # No meter counts with more digits.
        return _NUMBER.fullmatch(self.text) if len(self.text) <= LONGEST_NUMBER else None

    def number(self) -> Decimal:
        """The number with the decimals that were sent. Raises ValueFormatError when it is none."""
        match = self._match
        if match is None:
            raise ValueFormatError(f"{self.text!r} is not a number")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        return Decimal(f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}")

    @property
    def value(self) -> Decimal | str:
        """A number where there is a unit or a decimal sign, text elsewhere: leading zeros can matter."""
        if self.is_number and (self.unit or "." in self.text or "," in self.text):
            return self.number()
        return self.text

    @property
    def spelled_unit(self) -> str:
        """The unit in the spelling of the SI brochure; one that is not known comes back as it is."""
        return _METER_UNITS.get(self.unit) or canonical(self.unit)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A code and its values, in the order sent: one as a rule, several for lists and profiles."""

    code: str
    values: tuple[DataValue, ...]

    def encode(self) -> bytes:
        return (self.code + "".join(f"({_written(value)})" for value in self.values)).encode("ascii")


@dataclass(frozen=True, slots=True)
class DataSets:
    """The data sets of one message. ``unread`` holds what stood between them and is none, for the curious."""

    sets: tuple[DataSet, ...]
    unread: tuple[str, ...] = ()


@dataclass(slots=True)
class _Begun:
    """A data set whose values are being collected; ``closed``: a stray came behind it."""

    code: str
    values: list[DataValue] = field(default_factory=list)
    parentheses: int = 0
    closed: bool = False

    def goes_on(self, before: bytes) -> bool:
        """Whether parentheses without a code belong here, by what stands ``before`` them."""
        return not self.closed and (not before.strip(b" ") or self.parentheses > 1)

    def add(self, content: str) -> None:
        self.values += _split_values(content)
        self.parentheses += 1


def parse_data_sets(text: bytes) -> DataSets:
    """The data sets in the text of a data message. Raises FrameError for unbalanced parentheses.

    Line ends between data sets may be missing (MULTICAL 401) or plentiful; several parentheses after one
    code belong to it, also from the next line where there are several already (DSMR 2's gas, profiles);
    ``a&b`` in one is two values (Landis+Gyr). Any other value without a code is a stray: it costs itself. So
    does a line of nothing but parentheses that do not match.
    All texts of a readout are made here, and made printable.
    """
    text, unread = _leave_out_brackets(text)
    body = _until_end(text)
    found: list[_Begun] = []
    place = 0
    while (opening := body.find(b"(", place)) >= 0:
        closing = body.find(b")", opening)
        before, inside = body[place:opening], body[opening + 1 : closing]
        if closing < 0 or b"(" in inside or b")" in before:
            raise FrameError("data_set", "an opening or closing parenthesis is missing", text)
        *strays, code = _lines(before) or [""]
        unread += strays
        content = printable(inside.decode("latin-1"))
        if code:
            found.append(_Begun(printable(code, LONGEST_NAME)))
        if found and (code or found[-1].goes_on(before)):
            found[-1].add(content)
        else:
            unread.append(f"({content})")
            for last in found[-1:]:
                last.closed = True
        place = closing + 1
    if b")" in body[place:]:
        raise FrameError("data_set", "an opening or closing parenthesis is missing", text)
    unread += _lines(body[place:])
    sets = tuple(DataSet(begun.code, tuple(begun.values)) for begun in found)
    return DataSets(sets, tuple(filter(None, unread)))


def encode_data_sets(sets: Iterable[DataSet], line_end: bytes = b"\r\n") -> bytes:
    """The text of a data message: data sets, "!" and CR LF. MULTICAL 401 has ``line_end`` b""."""
    return line_end.join(data_set.encode() for data_set in sets) + b"!\r\n"


def _leave_out_brackets(text: bytes) -> tuple[bytes, list[str]]:
    """The text without lines of nothing but parentheses that do not match, and those lines."""
    kept: list[bytes] = []
    strays: list[str] = []
    depth = 0  # within a value, which may go on behind a line end, nothing is a stray
    for line in text.splitlines(keepends=True):
        bare = line.strip(_BLANKS)
        if depth <= 0 and bare and not bare.strip(b"()") and bare.replace(b"()", b""):
            strays.append(bare.decode("ascii"))
        else:
            depth += line.count(b"(") - line.count(b")")
            kept.append(line)
    return b"".join(kept), strays


def _lines(text: bytes) -> list[str]:
    """What stands outside of values, line by line, without blanks about it."""
    return [printable(line.strip(_BLANKS).decode("latin-1")) for line in text.splitlines()]


def _until_end(text: bytes) -> bytes:
    """Everything up to the "!" that ends the data; one between parentheses is part of a value."""
    depth = 0
    for place, byte in enumerate(text):
        if byte == 0x28:
            depth += 1
        elif byte == 0x29:
            depth -= 1
        elif byte == 0x21 and depth <= 0:
            return text[:place]
    return text


def _split_values(inside: str) -> list[DataValue]:
    return [_parse_value(part.strip()) for part in inside.split("&")]


def _parse_value(text: str) -> DataValue:
    number, star, unit = text.partition("*")
    if star:
        return DataValue(number.strip(), unit.strip())
    match = _UNSTARRED.fullmatch(text)
    return DataValue(match[1], match[2]) if match else DataValue(text, "")


def _written(value: DataValue) -> str:
    return f"{value.text}*{value.unit}" if value.unit else value.text
