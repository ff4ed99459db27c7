"""The published KMP frames that the tests measure against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Vector = dict[str, Any]

_OURS = Path(__file__).parents[2] / "data" / "kmp" / "vectors.json"
_SHARED = Path(__file__).parents[4] / "shared" / "vectors" / "kmp.json"


def load_vectors() -> dict[str, Vector]:
    """Vectors by id: those in tests/data, and those of the shared collection where it is there."""
    vectors: dict[str, Vector] = {}
    for path in (_OURS, _SHARED):
        if path.exists():
            entries = json.loads(path.read_text(encoding="utf-8"))["entries"]
            vectors |= {entry["id"]: entry for entry in entries if entry["bytes_hex"]}
    return vectors


VECTORS = load_vectors()


def wire(vector_id: str) -> bytes:
    """The bytes of a vector."""
    return bytes.fromhex(VECTORS[vector_id]["bytes_hex"])
