"""JSON text of messages: Decimals with the meter's own digits, times in UTC with a ``Z``.

The standard library's encoder turns a Decimal away, and turning it into a float first would make 7.60
into 7.6 and 0.1 into whatever a float makes of it. Hence this small writer of our own.
"""

from __future__ import annotations

import codecs
import json
import json.encoder
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TextIO

LONGEST_TEXT = 256 * 1024
DEEPEST = 32
# A text from quote to quote, or to the end where the second is missing, and all between brackets.
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^\[\]{}"]+', re.DOTALL)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def dumps(value: object) -> str:
    """Compact JSON text (RFC 8259, no blanks, non-ASCII characters as they are) of messages and settings.

    A Decimal keeps its digits: ``Decimal("7.60")`` gives ``7.60``, ``Decimal("2.55E+5")`` gives ``255000``.
    A datetime becomes an ISO 8601 text in UTC with ``Z``, a date its ISO 8601 text; tuples become arrays,
    sets sorted arrays. Raises ValueError for a number that is not finite or a time without a zone, and
    TypeError for whatever has no place in a message.
    """
    return _writer_of(type(value))(value)


def loads_bounded(text: bytes) -> Any:
    """Read JSON (RFC 8259, so in UTF-8) that anybody may have written. Raises ValueError for what is none.

    That is also what is longer than ``LONGEST_TEXT`` bytes or nested deeper than ``DEEPEST``, which would
    take long or end in a RecursionError, and NaN and Infinity, which JSON does not have.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"more than {LONGEST_TEXT} bytes")
    content = text.decode()
    depth = 0
    for bracket in _TEXTS.sub("", content):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST}")
    return json.loads(content, parse_constant=_no_number)


def _no_number(name: str) -> None:
    raise ValueError(f"JSON has no number {name}")


def dumps_for(stream: TextIO, value: object) -> str:
    """As ``dumps``, but with escapes for what is not ASCII where ``stream`` does not write UTF-8.

    Such a stream would put a question mark, or bytes that are no JSON, for the ³ of m³.
    """
    text = dumps(value)
    if codecs.lookup(stream.encoding or "utf-8").name == "utf-8":  # text in memory has no encoding
        return text
    return _BEYOND_ASCII.sub(lambda character: json.dumps(character[0])[1:-1], text)


def _object(mapping: Mapping[str, Any]) -> str:
    parts = []
    for key, value in mapping.items():
        kind = type(value)
        # Most of a reading is measurements: a Decimal or text with its unit, written without further calls.
        if kind is dict and len(value) == 2 and type(unit := value.get("unit")) is str:
            content = value.get("value")
            if type(content) is Decimal:
                parts.append(f'{_string(key)}:{{"value":{_decimal(content)},"unit":{_string(unit)}}}')
                continue
            if type(content) is str:
                parts.append(f'{_string(key)}:{{"value":{_string(content)},"unit":{_string(unit)}}}')
                continue
        parts.append(f"{_string(key)}:{_writer_of(kind)(value)}")
    return "{" + ",".join(parts) + "}"


def _array(values: list[object] | tuple[object, ...]) -> str:
    return "[" + ",".join([_writer_of(type(value))(value) for value in values]) + "]"


def _decimal(value: Decimal) -> str:
    text = str(value)
    # str() is quicker than format() and differs from it only by an exponent; Infinity has an "n", NaN an "N".
    if "E" in text or "n" in text or "N" in text:
        if not value.is_finite():
            raise ValueError(f"JSON has no number {value}")
        text = format(value, "f")
    return text


def _float(value: float) -> str:
    if value - value != 0:
        raise ValueError(f"JSON has no number {value}")
    return repr(value)


def _datetime(value: datetime) -> str:
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no time zone")
        value = value.astimezone(UTC)
    return f'"{value.isoformat().removesuffix("+00:00")}Z"'


def _date(value: date) -> str:
    return f'"{value.isoformat()}"'


def _subclass(value: object) -> str:
    """Text of what is not exactly one of the types above but derives from one (an enum member, say)."""
    for kind, write in _FALLBACKS:
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON: {value!r}")


# Quotes and escapes a text; written in C where Python has it so.
_string: Callable[[str], str] = json.encoder.encode_basestring

_WRITERS: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        str: _string,
        Decimal: _decimal,
        int: int.__repr__,
        bool: lambda value: "true" if value else "false",
        type(None): lambda _: "null",
        float: _float,
        datetime: _datetime,
        date: _date,
        dict: _object,
        list: _array,
        tuple: _array,
    }
)

# Order matters: a datetime is a date too.
_FALLBACKS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, lambda value: _string(str.__str__(value))),
    (int, int.__repr__),
    (float, lambda value: _float(float(value))),
    (Decimal, _decimal),
    (datetime, _datetime),
    (date, _date),
    (Mapping, _object),
    (list, _array),
    (tuple, _array),
    (frozenset, lambda value: _array(sorted(value))),
    (set, lambda value: _array(sorted(value))),
)


def _writer_of(kind: type) -> Callable[[Any], str]:
    return _WRITERS.get(kind, _subclass)
