"""What the decoders are fed: captures, cut, spliced and damaged, in pieces of any size, and plain noise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.hostile import streams_of

ROOT = Path(__file__).parent.parent.parent
# The second is there only where the project is developed; the first has what may be given on.
PLACES = (ROOT / "tests" / "data", ROOT.parent / "shared" / "vectors")
LARGEST_SEED = 4096


def seeds() -> list[bytes]:
    """Every capture in the test data: files as they are, and texts and hexadecimal digits in JSON files."""
    found = {b"", b"/#1\r", b"/?!\r\n"}
    for place in PLACES:
        for path in sorted(place.rglob("*")) if place.is_dir() else ():
            if path.suffix == ".json":
                found.update(_in_json(json.loads(path.read_text("utf-8"))))
            elif path.is_file():
                found.add(path.read_bytes()[:LARGEST_SEED])
    return sorted(found)


def _in_json(content: Any) -> Iterator[bytes]:
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        for entry in content:
            yield from _in_json(entry)
    elif isinstance(content, str) and len(content) > 8:
        try:
            yield bytes.fromhex(content)[:LARGEST_SEED]
        except ValueError:
            yield content.encode()[:LARGEST_SEED]


@st.composite
def streams(draw: st.DrawFn, captures: list[bytes], protocol: str = "") -> list[bytes]:
    """A damaged capture, or several, in pieces; with a ``protocol`` as often hostile frames of it."""
    hostile = bool(protocol) and draw(st.booleans())
    stream = bytearray(draw(streams_of(protocol) if hostile else st.sampled_from(captures)))
    # What is whole is left so as a rule: damaged, it would not get past its checksum.
    for _ in range(draw(st.sampled_from((0, 0, 0, 1)) if hostile else st.integers(0, 6))):
        start, end = sorted((draw(st.integers(0, len(stream))), draw(st.integers(0, len(stream)))))
        match draw(st.sampled_from(("byte", "cut", "twice", "noise", "splice"))):
            case "byte" if start < len(stream):
                stream[start] = draw(st.integers(0, 255))
            case "cut":
                del stream[start:end]
            case "twice":
                stream[end:end] = stream[start:end][:LARGEST_SEED]
            case "noise":
                stream[start:start] = draw(st.binary(max_size=40))
            case _:
                stream[start:end] = draw(st.sampled_from(captures))
    size = draw(st.one_of(st.just(len(stream) or 1), st.integers(1, 64)))
    return [bytes(stream[place : place + size]) for place in range(0, len(stream), size)]
