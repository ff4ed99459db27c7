"""Notifications as other programs print them: the APDU in the clear, without the frame that it came in.

Logs and threads show them so: what was in HDLC or M-Bus frames once those are taken off and it is decrypted
(`E6 E7 00 0F ...` or `0F ...`). No checksum vouches for them any more. So this is for captures only, never
for a line; and inside of anything that looks like a frame there are none, since that one was damaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from smart_meter_reader.codecs.dlms.axdr import AxdrError
from smart_meter_reader.codecs.dlms.framing.joining import LLC, LONGEST_APDU
from smart_meter_reader.codecs.dlms.notification import is_believable, parse_notification

# 0F, invoke id, a time in this century, and the array or structure that the list is.
_HEAD: Final = re.compile(rb"(?=\x0f.{4}(?:\x09?\x0c[\x07\x08].{11})[\x01\x02][^\x00])", re.DOTALL)
# The head of an HDLC or M-Bus frame, or of a block of a general block transfer.
_FRAMED: Final = re.compile(rb"\x7e[\xa0-\xaf]|\x68(.)\1\x68[\x53\x73]|\xe6\xe7\x00[\xe0\xdb]", re.DOTALL)
_FLAG, _STOP = 0x7E, 0x16
# A list has at least so many values: one alone is too easily found in anything.
_FEWEST_VALUES: Final = 2


def find_notifications(capture: bytes) -> Iterator[bytes]:
    """The APDUs that stand alone in a capture, in their order and without LLC."""
    behind, run = 0, list[bytes]()
    framed = _next_frame(capture, 0)
    for head in _HEAD.finditer(capture):
        begin = head.start()
        if begin > framed:
            break
        if begin < behind or _within_frame(capture, behind, begin):
            continue
        apdu = _notification_at(capture, begin)
        if apdu is None:
            continue
        if capture[behind:begin] not in (b"", LLC):
            yield from run
            run = []
        behind = begin + len(apdu)
        framed = _next_frame(capture, behind)
        run.append(apdu)
        if _is_followed(capture, behind):
            run = []  # one frame had all of them
    yield from run


def _next_frame(capture: bytes, place: int) -> int:
    found = _FRAMED.search(capture, place)
    return len(capture) if found is None else found.start()


def _within_frame(capture: bytes, behind: int, begin: int) -> bool:
    """Whether an LLC stands before an APDU and something before that: the rest of a frame's head."""
    return capture[max(behind, begin - len(LLC)) : begin] == LLC and begin - behind > len(LLC)


def _notification_at(capture: bytes, begin: int) -> bytes | None:
    try:
        notification = parse_notification(capture[begin : begin + LONGEST_APDU])
    except AxdrError:
        return None
    apdu, body = capture[begin : begin + notification.end], notification.body
    values = len(notification.described) if body is None else len(body.items)
    return apdu if values >= _FEWEST_VALUES and is_believable(apdu) else None


def _is_followed(capture: bytes, end: int) -> bool:
    """Whether the end of a frame follows: FCS and flag, or checksum and stop octet."""
    return capture[end + 2 : end + 3] == bytes([_FLAG]) or capture[end + 1 : end + 2] == bytes([_STOP])
