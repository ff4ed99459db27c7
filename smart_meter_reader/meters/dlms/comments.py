"""What a person should know of the bytes in a recording of a meter that pushes DLMS."""

from __future__ import annotations

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.dlms.describe import describe_capture
from smart_meter_reader.codecs.dlms.framing.frames import FrameReader, framing_of
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.recordings.text import Burst, comment_of
from smart_meter_reader.text import plain


def comment(burst: Burst) -> str:
    """The frames of a burst, and the values of telegrams that are whole in it."""
    frames = _frames(burst.payload)
    if not frames:
        return ""
    values = [_values(each) for each in describe_capture(burst.payload) if "error" not in each]
    return comment_of(", ".join([*frames, *values]))


def _frames(payload: bytes) -> list[str]:
    reader, words = FrameReader(), []
    reader.receive_data(payload)
    while True:
        try:
            arrival = reader.next_frame()
        except FrameError as error:
            words.append(f"damaged: {error.reason}")
            continue
        if arrival is None:
            return words
        words.append(f"{framing_of(arrival.frame)} {len(arrival.frame.raw)} bytes")


def _values(telegram: Description) -> str:
    return " ".join(
        f"{key}={plain(each['value'])}{each['unit']}" for key, each in telegram["measurements"].items()
    )
