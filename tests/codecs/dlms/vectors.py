"""Published captures of pushing meters with what they say: those copied here, and all where they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from smart_meter_reader.exceptions import DecryptionError, FrameError

_HERE = Path(__file__).parents[2] / "data" / "dlms" / "dlms_push.json"
_ALL = Path(__file__).parents[4] / "shared" / "vectors" / "dlms_push.json"

Vector = dict[str, Any]
Outcome = DlmsTelegram | FrameError | DecryptionError


def _load() -> dict[str, Vector]:
    entries: dict[str, Vector] = {}
    for path in (_HERE, _ALL):
        if path.exists():
            for entry in json.loads(path.read_text(encoding="utf-8"))["entries"]:
                entries.setdefault(entry["id"], entry)
    return entries


BY_ID = _load()
VECTORS = list(BY_ID.values())


def wire(vector: Vector | str) -> bytes:
    """The bytes on the line."""
    return bytes.fromhex((BY_ID[vector] if isinstance(vector, str) else vector)["bytes_hex"])


def opener(vector: Vector | str) -> DlmsOpener | None:
    """What opens its frames; None where it is not encrypted."""
    vector = BY_ID[vector] if isinstance(vector, str) else vector
    if "key_hex" not in vector:
        return None
    own = vector.get("auth_key_hex")
    return DlmsOpener(bytes.fromhex(vector["key_hex"]), bytes.fromhex(own) if own else None)


def drain(reader: DlmsReader) -> Iterator[Outcome]:
    while True:
        try:
            telegram = reader.next_telegram()
        except (FrameError, DecryptionError) as error:
            yield error
            continue
        if telegram is None:
            return
        yield telegram


def read(stream: bytes, own: DlmsOpener | None = None, piece: int | None = None) -> list[Outcome]:
    """Everything that ``stream`` gives, in pieces, until its end."""
    reader = DlmsReader(own)
    outcomes: list[Outcome] = []
    for begin in range(0, len(stream), piece or len(stream) or 1):
        reader.receive_data(stream[begin : begin + (piece or len(stream))])
        outcomes += drain(reader)
    reader.finish()
    return [*outcomes, *drain(reader)]


def telegrams(outcomes: list[Outcome]) -> list[DlmsTelegram]:
    return [each for each in outcomes if isinstance(each, DlmsTelegram)]


def reasons(outcomes: list[Outcome]) -> list[str]:
    return [each.reason for each in outcomes if not isinstance(each, DlmsTelegram)]


def told(vector: Vector) -> list[dict[str, Any] | None]:
    """What the collector read: by code for each telegram; None for each piece that was dropped."""
    entries: list[dict[str, Any] | None] = []
    for one in vector["decoded_by_collector"]:
        dropped = "error" in one or "dropped" in one or vector["crc_ok"] is False
        values = {
            each["obis"].removesuffix("*255"): each["value"].partition(" dow=")[0]
            for each in one.get("values", ())
            if "obis" in each
        }
        entries.append(None if dropped else values)
    return entries


def positions(vector: Vector) -> list[list[tuple[str, str]]]:
    """The types and raw values of lists without codes, for each telegram."""
    return [
        [
            (each["type"], each["value"].partition(" dow=")[0])
            for each in one.get("values", ())
            if "index" in each
        ]
        for one in vector["decoded_by_collector"]
    ]


def as_text(value: Decimal | int | str) -> str:
    """As the collector writes it: a moment without its zone."""
    text = str(value)
    return text[:19] if len(text) == 25 and text[10:11] == "T" else text
