"""What a person should know of the bytes in a recording of a KMP line."""

from __future__ import annotations

from smart_meter_reader.codecs.kmp.describe import Description, describe_capture
from smart_meter_reader.recordings.text import Burst, comment_of


def comment(burst: Burst) -> str:
    """The frames of a burst: commands, registers and values."""
    frames = describe_capture(burst.payload).frames
    return comment_of(", ".join(map(_frame, frames)))


def _frame(frame: Description) -> str:
    if "error" in frame:
        return f"damaged: {frame['error']['kind']}"
    words = [frame.get("command", "acknowledge")]
    if frame["direction"] == "request":
        words += [str(register["id"]) for register in frame.get("registers", ())]
    else:
        words += [
            f"{register['id']}={register.get('value')} {register.get('unit', '')}".strip()
            for register in frame.get("registers", ())
        ]
    return " ".join(words)
