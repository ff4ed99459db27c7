"""What a person should know of the bytes in a recording of a KMP line."""

from __future__ import annotations

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.kmp.describe import describe_capture
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
    return " ".join(words + _about_logger(frame))


def _about_logger(frame: Description) -> list[str]:
    """Which logger, and which of its rows."""
    if "log_request" in frame:
        asked = frame["log_request"]
        places = (f"{key}={asked[key]}" for key in ("log_id", "offset", "time") if key in asked)
        return [f"logger {asked['logger']}", *places]
    if "log" in frame:
        log = frame["log"]
        ids = [str(row["log_id"]) for row in log["rows"]]
        rows = f"rows {ids[0]} to {ids[-1]}" if ids else "no rows"
        return [*([] if log["logger"] is None else [f"logger {log['logger']}"]), rows, *log["info"]]
    return []
