"""What a person should know of the bytes in a recording: the comments behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from smart_meter_reader.codecs.kmp.describe import Description, describe_capture
from smart_meter_reader.codecs.parity import count_parity_errors, strip_parity
from smart_meter_reader.recordings.text import Burst

_LONGEST = 100


def comment_for(client: str) -> Callable[[Burst], str]:
    """The comments for recordings of a client; none where the bytes speak for themselves."""
    return _COMMENTS.get(client, _none)


def _none(burst: Burst) -> str:
    return ""


def _kmp(burst: Burst) -> str:
    frames = describe_capture(burst.payload).frames
    return _shortened(", ".join(map(_frame, frames)))


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


def _seven_bits(burst: Burst) -> str:
    """The text of bytes with parity in the eighth bit."""
    if burst.payload.isascii():
        return ""
    text = strip_parity(burst.payload).decode("ascii")
    printable = "".join(char if char.isprintable() else " " for char in text)
    errors = count_parity_errors(burst.payload)
    remark = f"{errors} bytes with wrong parity: " if errors else ""
    return _shortened(remark + " ".join(printable.split()))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


_COMMENTS: Mapping[str, Callable[[Burst], str]] = MappingProxyType(
    {"kamstrup": _kmp, "iec62056_21": _seven_bits}
)
