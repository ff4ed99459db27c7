"""The published M-Bus captures that the tests measure against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Entry = dict[str, Any]

_OURS = Path(__file__).parents[2] / "data" / "mbus" / "captures.json"
# Not all may be given on: the others are read where the project is developed.
_SHARED = Path(__file__).parents[4] / "shared" / "vectors" / "mbus.json"


def _load(*paths: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for path in paths:
        if path.exists():
            entries |= {each["id"]: each for each in json.loads(path.read_text("utf-8"))["entries"]}
    return entries


CAPTURES = _load(_OURS, _SHARED)
MULTICAL_302, MULTICAL_403, MULTICAL_603, MULTICAL_303 = (
    bytes.fromhex(CAPTURES[f"mbus-kam-{name}"]["bytes_hex"]) for name in ("302", "403", "603-mwh", "303-heat")
)
# Field case: a SHARKY 775 at its optical head (rscada/libmbus#145; its number replaced).
SHARKY = bytes.fromhex(
    "68686868083d720000004124232f04c20000000c06435000008c1006000000008c2013538117000c13540665010c2b670000000b"
    "3b1306000a5a14020a5e13020a6201000a277526046d341074224c06000000004c1300000000cc100600000000cc201300000000"
    "426c5f254016"
)


def wire(capture: str) -> bytes:
    """The bytes of a capture."""
    return bytes.fromhex(CAPTURES[capture]["bytes_hex"])
