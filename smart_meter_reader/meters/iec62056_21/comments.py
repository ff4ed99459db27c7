"""What a person should know of the bytes in a recording of an IEC 62056-21 line."""

from __future__ import annotations

from smart_meter_reader.codecs.parity import count_parity_errors, strip_parity
from smart_meter_reader.recordings.text import Burst, comment_of


def comment(burst: Burst) -> str:
    """The text of bytes with parity in the eighth bit."""
    if burst.payload.isascii():
        return ""
    text = strip_parity(burst.payload).decode("ascii")
    printable = "".join(char if char.isprintable() else " " for char in text)
    errors = count_parity_errors(burst.payload)
    remark = f"{errors} bytes with wrong parity: " if errors else ""
    return comment_of(remark + " ".join(printable.split()))
