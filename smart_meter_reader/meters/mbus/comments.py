"""What a person should know of the bytes in a recording of an M-Bus line."""

from __future__ import annotations

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.mbus.describe import describe_capture, frame_name
from smart_meter_reader.recordings.text import Burst, comment_of
from smart_meter_reader.text import plain

_WAKE_UP = b"\x55"


def comment(burst: Burst) -> str:
    """The frames of a burst: requests, and what is measured in answers."""
    if burst.payload and not burst.payload.strip(_WAKE_UP):
        return comment_of("wake-up")
    return comment_of(", ".join(map(_frame, describe_capture(burst.payload).frames)))


def _frame(frame: Description) -> str:
    if "bytes" in frame:
        kind = frame["error"]["kind"]
        return "the begin of an answer" if kind == "incomplete" else f"damaged: {kind}"
    if "error" in frame:
        return str(frame["error"]["kind"])
    values = [
        f"{key}={plain(each['value'])} {each['unit']}".rstrip()
        for key, each in frame.get("measurements", {}).items()
    ]
    return " ".join([frame_name(frame), *values])
