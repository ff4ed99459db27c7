"""The captures that the tests read: the project's own copy, and the shared collection where it is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[3]
_OWN = _ROOT / "tests/data/iec62056_21/captures.json"
_SHARED = _ROOT / "../shared/vectors/iec62056.json"


def load_captures() -> dict[str, dict[str, Any]]:
    """Every capture by its id; those of the shared collection only where it is there."""
    entries: dict[str, dict[str, Any]] = {}
    for path in (_SHARED, _OWN):
        if path.exists():
            loaded = json.loads(path.read_text(encoding="utf-8"))
            entries |= {entry["id"]: entry for entry in loaded["entries"]}
    return entries


CAPTURES = load_captures()


def capture(name: str) -> bytes:
    return bytes.fromhex(CAPTURES[name]["bytes_hex"])
