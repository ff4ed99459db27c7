"""The published KMP frames that the tests measure against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from smart_meter_reader.codecs.kmp.frame import START_REQUEST, START_RESPONSE, Frame, encode_frame

Vector = dict[str, Any]

_OURS = Path(__file__).parents[2] / "data" / "kmp" / "vectors.json"
_SHARED = Path(__file__).parents[4] / "shared" / "vectors" / "kmp.json"
_OUR_LOGGERS = _OURS.with_name("loggers.json")
_SHARED_LOGGERS = _SHARED.with_name("kmp_loggers.json")


def load_vectors(*paths: Path) -> dict[str, Vector]:
    """Vectors by id: those in tests/data, and those of the shared collection where it is there."""
    vectors: dict[str, Vector] = {}
    for path in paths:
        if path.exists():
            entries = json.loads(path.read_text(encoding="utf-8"))["entries"]
            vectors |= {entry["id"]: entry for entry in entries if entry["bytes_hex"]}
    return vectors


VECTORS = load_vectors(_OURS, _SHARED)
LOGGERS = load_vectors(_OUR_LOGGERS, _SHARED_LOGGERS)


def wire(vector_id: str) -> bytes:
    """The bytes of a vector."""
    return bytes.fromhex((VECTORS | LOGGERS)[vector_id]["bytes_hex"])


def on_wire(frame: Frame) -> bytes:
    """The bytes of a frame, also of a request that our encoder refuses: somebody else's, on the same line."""
    # The start byte is not among what the checksum covers.
    start = START_REQUEST if frame.direction == "request" else START_RESPONSE
    return bytes([start]) + encode_frame(START_RESPONSE, frame.address, frame.cid, frame.payload)[1:]
