"""Published P1 captures with what they say: those whose licence allows a copy here, all where they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parents[2] / "data" / "p1"
_ALL = Path(__file__).parents[4] / "shared" / "vectors"

Vector = dict[str, Any]


def _load(name: str) -> list[Vector]:
    entries: dict[str, Vector] = {}
    for folder in (_HERE, _ALL):
        path = folder / name
        if path.exists():
            for entry in json.loads(path.read_text(encoding="utf-8"))["entries"]:
                entries.setdefault(entry["id"], entry)
    return list(entries.values())


PLAIN = _load("p1_plain.json")
ENCRYPTED = [vector for vector in _load("p1_encrypted.json") if vector.get("bytes_hex")]
BY_ID = {vector["id"]: vector for vector in PLAIN + ENCRYPTED}


def wire(vector: Vector | str) -> bytes:
    """The bytes on the line."""
    if isinstance(vector, str):
        vector = BY_ID[vector]
    if vector.get("bytes_hex"):
        received = bytes.fromhex(vector["bytes_hex"])
    else:
        received = vector["text"].encode("latin-1")
    return received + bytes.fromhex(vector.get("trailing_bytes_hex") or "")


def keys(vector: Vector | str) -> tuple[bytes, bytes]:
    """Encryption and authentication key; the vector holds the latter behind the security byte."""
    if isinstance(vector, str):
        vector = BY_ID[vector]
    return bytes.fromhex(vector["key_hex"]), bytes.fromhex(vector["aad_hex"])[1:]
