"""What is remembered of an encrypted meter's frame counters over a restart, as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from smart_meter_reader.codecs.ciphering.counters import HIGHEST, MAX_METERS, Fall, FrameCounter
from smart_meter_reader.codecs.ciphering.opener import CipherOpener

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
    if not isinstance(content, dict) or not {"last"} <= content.keys() <= {"last", "fall"}:
        raise ValueError("a frame counter is missing")
    last = _number(content["last"])
    if "fall" not in content:
        return FrameCounter(last)
    row = content["fall"]
    if not isinstance(row, dict) or row.keys() != {"counter", "since", "seen"}:
        raise ValueError("a row of frame counters is missing")
    fall = Fall(_number(row["counter"]), _time(row["since"]), _time(row["seen"]))
    if fall.counter >= last or fall.seen < fall.since:
        raise ValueError("a row of frame counters that cannot be")
    return FrameCounter(last, fall)


def _title(text: str) -> bytes:
    if not _TITLE.fullmatch(text):
        raise ValueError("a system title that is none")
    return bytes.fromhex(text)


def _number(content: Any) -> int:
    if type(content) is not int or not 0 <= content <= HIGHEST:
        raise ValueError("a frame counter that cannot be")
    return content


def _time(content: Any) -> datetime:
    try:
        time = datetime.fromisoformat(content)
    except (TypeError, ValueError):
        raise ValueError("a time that is none") from None
    if time.tzinfo is None or not 1970 <= time.year < 3000:
        raise ValueError("a time that cannot be")
    return time.astimezone(UTC)
