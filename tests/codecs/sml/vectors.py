"""The published SML telegrams that the tests measure against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Vector = dict[str, Any]

_OURS = Path(__file__).parents[2] / "data" / "sml" / "captures.json"

VECTORS: dict[str, Vector] = {
    entry["id"]: entry for entry in json.loads(_OURS.read_text(encoding="utf-8"))["entries"]
}
GOOD = sorted(key for key, entry in VECTORS.items() if entry["crc_ok"])


def wire(vector_id: str) -> bytes:
    """The bytes of a vector."""
    return bytes.fromhex(VECTORS[vector_id]["bytes_hex"])
