"""From messages to what is published, and back: kind, id, headers and body. Pure.

The id is the same whenever it is tried: it is made of what the meter or its reading says, never of the time
of sending. The body is the JSON that the sink `mqtt_json` publishes, so that there is one schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from smart_meter_reader.fleet.subjects import LetterKind
from smart_meter_reader.json_text import message_text
from smart_meter_reader.messages import Message, Past, PastRow
from smart_meter_reader.messages.forms import nested, told_later, without_address

# Headers; that of the id is NATS's own (JetStream, "Message deduplication").
ID: Final = "Nats-Msg-Id"
SCHEMA: Final = "Smr-Schema"
EDGE: Final = "Smr-Edge"
SEQUENCE: Final = "Smr-Sequence"
FENCE: Final = "Smr-Fence"
SCHEMA_VERSION: Final = "1"

# A serial number is what the meter says, and stands in a header here.
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way: ``kind`` and ``meter`` are for the subject, ``time`` (UTC) is the body's."""

    kind: LetterKind
    meter: str
    id: str
    time: datetime
    body: bytes


def letters(message: Message, place: str, serial: str) -> Iterator[Letter]:
    """What is published of a message: one, of a past one for each row.

    ``place``: TENANT/SITE, so that no two devices of the same serial number are taken for one; ``serial``: of
    the device, or "" while it is not known.
    """
    if message["type"] == "past":
        yield from (_row(message, row, place) for row in message["rows"])
        return
    meter = message["meter"]
    device = f"{place}/{_UNFIT.sub('_', serial) or meter}"
    if message["type"] == "reading":
        measured = message.get("measured_at", message["time"])
        key, form = f"{device}/{_stamp(measured)}/reading", nested(message)
    elif message["type"] == "status":
        # Not of the device: it may be told before anybody knows which one is there.
        key = f"{place}/{meter}/{_stamp(message['time'])}/{message['state']}/{message['reason']}"
        form = without_address(message)
    else:
        key = f"{place}/{meter}/{_stamp(message['time'])}/info"
        form = without_address(message)
    yield Letter(message["type"], meter, key, message["time"], message_text(form).encode())


def headers(key: str, edge: str, sequence: int, fence: int | None = None) -> dict[str, str]:
    """What goes with a letter; ``sequence`` is its number in the edge's spool."""
    told = {ID: key, SCHEMA: SCHEMA_VERSION, EDGE: edge, SEQUENCE: str(sequence)}
    return told if fence is None else {**told, FENCE: str(fence)}


@dataclass(frozen=True, slots=True)
class LetterOrigin:
    """Who sent a letter, by its headers; None is what they do not say.

    ``device``: the serial number in its id, or the name of the meter where the edge knows none.
    """

    edge: str | None
    sequence: int | None
    fence: int | None
    device: str | None = None


def origin_of_letter(found: Mapping[str, str]) -> LetterOrigin:
    """Reads the headers of a letter. Raises ValueError for another schema, and for numbers that are none."""
    schema = found.get(SCHEMA, SCHEMA_VERSION)
    if schema != SCHEMA_VERSION:
        raise ValueError(f"its schema is {schema!r:.20}, and this writer knows {SCHEMA_VERSION}: update it")
    # TENANT/SITE/DEVICE/...: see ``letters``.
    parts = found.get(ID, "").split("/", 3)
    device = parts[2] if len(parts) == 4 else None
    return LetterOrigin(found.get(EDGE), _number(found, SEQUENCE), _number(found, FENCE), device)


def _row(past: Past, row: PastRow, place: str) -> Letter:
    device = f"{place}/{_UNFIT.sub('_', past.get('serial_number', '')) or past['meter']}"
    entry = str(row["log_id"]) if "log_id" in row else _stamp(row["measured_at"])
    body = message_text(told_later(past, row, "nested")).encode()
    return Letter("history", past["meter"], f"{device}/{past['logger']}/{entry}", row["measured_at"], body)


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _number(found: Mapping[str, str], name: str) -> int | None:
    text = found.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(f"the header {name} is no number")
    return int(text)
