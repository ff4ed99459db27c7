"""What a person should know of the bytes in a recording of an SML line."""

from __future__ import annotations

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.sml.describe import describe_capture
from smart_meter_reader.recordings.text import Burst, comment_of


def comment(burst: Burst) -> str:
    """The telegrams of a burst: quantities and values."""
    return comment_of(", ".join(filter(None, map(_telegram, describe_capture(burst.payload)))))


def _telegram(description: Description) -> str:
    if "error" in description:
        kind = description["error"]["kind"]
        return "" if kind == "no_telegram" else f"damaged: {kind}"
    measured = description["measurements"].items()
    return " ".join(f"{key}={item['value']:f} {item['unit']}".rstrip() for key, item in measured) or "SML"
