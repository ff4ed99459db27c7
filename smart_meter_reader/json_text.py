"""JSON text of messages: Decimals with the meter's own digits, times in UTC with a ``Z``."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from types import NoneType
from typing import Any, TextIO

import msgspec

LONGEST_TEXT = 256 * 1024
DEEPEST = 32
# A text from quote to quote, or to the end where the second is missing, and all between brackets.
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^\[\]{}"]+', re.DOTALL)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")

# What msgspec writes of a Decimal that is not finite or has an exponent, and of a time that is not in UTC.
# P1's texts look like times: a value never is one, and of a time +00:00 is written Z. Each with the letter in
# it, as a number: most texts have no E, N and I, which is seen at once.
_UNUSUAL = tuple(
    (letter[0], re.compile(pattern).search)
    for letter, pattern in (
        (b"E", rb"E[+-]\d"),
        (b"N", rb"NaN"),
        (b"I", rb"Inf"),
        (b"T", rb'T(?<=-\d\dT)(?<!"value":"\d\d\d\d-\d\d-\d\dT)[\d:.]+(?!\+00:00)[^Z\d:.]'),
    )
)


def message_text(message: Mapping[str, object]) -> str:
    """As ``dumps`` and many times as quickly, for the types that ``messages`` declares and no others.

    Not looked for are those that msgspec writes in its own way: bytes, sets, and floats that are not finite.
    """
    try:
        text = _encode(message)
    except ValueError:  # msgspec refuses a Decimal that is not finite, since 0.23; its words are not ours
        return dumps(message)
    for letter, found in _UNUSUAL:
        if letter in text and found(text):
            return dumps(message)
    return text.decode()


def dumps(value: object) -> str:
    """Compact JSON text (RFC 8259, no blanks, non-ASCII characters as they are) of whatever a command tells.

    A Decimal keeps its digits: ``Decimal("7.60")`` gives ``7.60``, ``Decimal("2.55E+5")`` gives ``255000``.
    A datetime becomes an ISO 8601 text in UTC with ``Z``, a date its ISO 8601 text; tuples become arrays,
    sets sorted arrays. Raises ValueError for a number that is not finite or a time without a zone, and
    TypeError for whatever has no place in a message.
    """
    return _encode(_plain(value)).decode()


def dumps_local(value: object, zone: tzinfo | None) -> bytes:
    """As ``dumps``, in UTF-8; times are of ``zone``, or as they are, each with its offset: for people."""
    return _encode(_plain(value, zone))


def loads_bounded(text: bytes, *, exact: bool = False) -> Any:
    """Read JSON (RFC 8259, so in UTF-8) that anybody may have written. Raises ValueError for what is none.

    ``exact``: numbers with a point are Decimals with the digits that were written.

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
    return json.loads(content, parse_constant=_no_number, parse_float=Decimal if exact else None)


def _no_number(name: str) -> None:
    raise ValueError(f"JSON has no number {name}")


def dumps_for(stream: TextIO, value: object) -> str:
    """As ``dumps``, but with escapes for what is not ASCII where ``stream`` does not write UTF-8."""
    return fitting(stream, dumps(value))


def fitting(stream: TextIO, text: str) -> str:
    """JSON text with escapes for what is not ASCII where ``stream`` does not write UTF-8.

    Such a stream would put a question mark, or bytes that are no JSON, for the ³ of m³.
    """
    if codecs.lookup(stream.encoding or "utf-8").name == "utf-8":  # text in memory has no encoding
        return text
    return _BEYOND_ASCII.sub(lambda character: json.dumps(character[0])[1:-1], text)


def _plain(value: object, zone: tzinfo | None = UTC) -> object:
    """The same in types and forms that msgspec writes as we want them."""
    match value:
        case str():
            return str.__str__(value)
        case NoneType() | bool():
            return value
        case int():
            return int(value)
        case float() | Decimal():
            return _number(value)
        case datetime():
            return _time(value, zone)
        case date():
            return value.isoformat()
        case Mapping():
            return {_key(key): _plain(inner, zone) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner, zone) for inner in value]
        case set() | frozenset():
            return [_plain(inner, zone) for inner in sorted(value)]
    raise TypeError(f"{type(value).__name__} has no place in JSON: {value!r}")


def _number(value: float | Decimal) -> object:
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise ValueError(f"JSON has no number {value}")
    return msgspec.Raw(format(value, "f").encode()) if isinstance(value, Decimal) else float(value)


def _time(value: datetime, zone: tzinfo | None) -> str:
    """Written here, and not handed back as a time: of a class derived from it msgspec would ask us again."""
    if value.tzinfo is None:
        raise ValueError(f"the time {value.isoformat()} has no time zone")
    text = (value.astimezone(zone) if zone else value).isoformat()
    return f"{text.removesuffix('+00:00')}Z" if zone is UTC else text


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise TypeError(f"{type(key).__name__} has no place in JSON as a key: {key!r}")


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain).encode
