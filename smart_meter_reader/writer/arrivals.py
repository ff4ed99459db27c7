"""From a message of the engine to rows of the database: judges whatever anybody has published. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from smart_meter_reader.fleet.envelope import LetterOrigin, origin_of_letter
from smart_meter_reader.fleet.subjects import Subject, parse_subject
from smart_meter_reader.json_text import loads_bounded
from smart_meter_reader.text import bounded_number
from smart_meter_reader.writer.devices import device_name

# The catalogue's names are far shorter; so are units and texts that meters show.
_LONGEST_NAME: Final = 128
_LONGEST_TEXT: Final = 4096
_MOST_VALUES: Final = 1000


class ReadingRow(NamedTuple):
    """One value as the table has it; of ``value`` and ``text`` one is None."""

    quantity: str
    time: datetime
    value: Decimal | None
    text: str | None
    unit: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message: ``rows`` of a reading, or the ``body`` (JSON) of anything else, and when it was (UTC)."""

    subject: Subject
    origin: LetterOrigin
    time: datetime
    rows: tuple[ReadingRow, ...] = ()
    body: str | None = None

    @property
    def meter(self) -> tuple[str, str, str]:
        """What is one meter in the database."""
        return self.subject.tenant, self.subject.site, self.subject.source

    @property
    def device(self) -> str:
        """Which device a reading is of, as ``devices`` tells them apart; "" where that is not known."""
        if self.subject.kind != "reading":
            return ""  # history comes when it comes, and of devices that have gone
        origin, meter = self.origin, self.subject.source
        return device_name(origin.device or meter, meter, origin.edge, leased=origin.fence is not None)


def arrival(subject: str, headers: Mapping[str, str], body: bytes) -> Arrival:
    """Read one message. Raises ValueError, in words for a person, for what no edge publishes."""
    told, origin = parse_subject(subject), origin_of_letter(headers)
    try:
        read = loads_bounded(body, exact=True)
    except ValueError as error:
        raise ValueError(f"its body is no JSON that an edge writes: {error}") from None
    if not isinstance(read, dict):
        raise ValueError("its body is no object")
    if b"\\u0000" in body or b"\0" in body:
        raise ValueError("it has a character U+0000, which the database cannot keep")
    time = _time(read.get("time"), "time")
    if told.kind in ("reading", "history"):
        return Arrival(told, origin, time, rows=tuple(_rows(read, time)))
    return Arrival(told, origin, time, body=body.decode())


def _rows(read: Mapping[str, Any], time: datetime) -> Iterator[ReadingRow]:
    measured = _time(read["measured_at"], "measured_at") if "measured_at" in read else time
    values = read.get("measurements")
    if not isinstance(values, dict) or len(values) > _MOST_VALUES:
        raise ValueError(f"it has no object `measurements` of at most {_MOST_VALUES} values")
    for name, told in values.items():
        if not isinstance(told, dict) or not 0 < len(name) <= _LONGEST_NAME or not _is_text(name):
            raise ValueError(f"{name!r:.40} is no measurement")
        at = _time(told["measured_at"], "measured_at") if "measured_at" in told else measured
        unit = told.get("unit", "")
        if not isinstance(unit, str) or len(unit) > _LONGEST_NAME or not _is_text(unit):
            raise ValueError(f"the unit of {name!r:.40} is no text")
        value, text = _value(told.get("value"), name)
        yield ReadingRow(name, at, value, text, unit)


def _value(found: Any, name: str) -> tuple[Decimal | None, str | None]:
    if isinstance(found, str) and len(found) <= _LONGEST_TEXT and _is_text(found):
        return None, found
    if isinstance(found, int | Decimal) and not isinstance(found, bool):
        number = bounded_number(found)
        if number is not None:
            return number, None
    raise ValueError(f"the value of {name!r:.40} is no number of twenty digits at most, and no text")


def _is_text(found: str) -> bool:
    """JSON can escape half a character (a lone surrogate), which no database keeps."""
    return found.isascii() or not any("\ud800" <= each <= "\udfff" for each in found)


def _time(found: Any, key: str) -> datetime:
    try:
        time = datetime.fromisoformat(found)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"`{key}` is no time with a zone")
