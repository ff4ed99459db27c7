"""What is remembered of an encrypted meter's frame counters over a restart, as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smart_meter_reader.codecs.ciphering.counters import HIGHEST, MAX_METERS, Fall, FrameCounter
from smart_meter_reader.codecs.ciphering.opener import CipherOpener
from smart_meter_reader.guard.remembered import number_in, table_in, time_in

_TITLE = re.compile(r"[0-9a-f]{16}")


def encode_counters(opener: CipherOpener) -> dict[str, Any]:
    """What to remember of an opener; empty before the first authentic frame."""
    counters = {title.hex(): _encode(each) for title, each in opener.counters.values.items()}
    return {"keys": opener.check_value, "frame_counters": counters} if counters else {}


def recall_counters(opener: CipherOpener, memory: Mapping[str, Any]) -> None:
    """Give an opener what was remembered. With other keys a meter counts anew, and nothing is taken.

    Raises ValueError for anything that ``encode_counters`` does not write.
    """
    if not memory:
        return
    counters = memory.get("frame_counters")
    if memory.keys() != {"keys", "frame_counters"} or not isinstance(counters, dict):
        raise ValueError("frame counters are missing")
    if len(counters) > MAX_METERS:
        raise ValueError("more frame counters than are kept")
    decoded = {_title(title): _decode(each) for title, each in counters.items()}
    if memory["keys"] == opener.check_value:
        opener.counters.recall(decoded)


def _encode(counter: FrameCounter) -> dict[str, Any]:
    fall = counter.fall
    if fall is None:
        return {"last": counter.last}
    row = {"counter": fall.counter, "since": fall.since.isoformat(), "seen": fall.seen.isoformat()}
    return {"last": counter.last, "fall": row}


def _decode(content: Any) -> FrameCounter:
    counter = table_in(content, "a frame counter", {"last"}, {"fall"})
    last = _number(counter["last"])
    if "fall" not in counter:
        return FrameCounter(last)
    row = table_in(counter["fall"], "a row of frame counters", {"counter", "since", "seen"})
    fall = Fall(_number(row["counter"]), time_in(row["since"]), time_in(row["seen"]))
    if fall.counter >= last or fall.seen < fall.since:
        raise ValueError("a row of frame counters that cannot be")
    return FrameCounter(last, fall)


def _title(text: str) -> bytes:
    if not _TITLE.fullmatch(text):
        raise ValueError("a system title that is none")
    return bytes.fromhex(text)


def _number(content: Any) -> int:
    return number_in(content, "a frame counter", 0, HIGHEST)
