"""Which protocol captured bytes are of: by what only that protocol can have, then by what looks like it."""

from __future__ import annotations

import re

from smart_meter_reader.codecs.iec62056_21.capture import decode_capture
from smart_meter_reader.codecs.iec62056_21.frame import Request
from smart_meter_reader.codecs.kmp.describe import describe_capture
from smart_meter_reader.codecs.p1.cipher import find_header
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.exceptions import ProtocolError

# Whole OBIS codes, or a checksum behind '!'. Readouts of the optical head have reduced codes as a rule, and
# where they have whole ones and no block around them either decoder reads them.
_P1 = re.compile(rb"^!\s*[0-9A-Fa-f]{4}\s*$|^[0-9]{1,2}-[0-9]{1,2}:[0-9A-F]{1,3}\.", re.MULTILINE)
_BLOCK = re.compile(rb"\x02[^\x02\x03]*\x03")
_DATA_SET = re.compile(rb"^[^()\r\n]{1,30}\([^()\r\n]*\)", re.MULTILINE)
# A short answer of a MULTICAL 66C, in spite of damage: fields of seven digits.
_FIELDS = re.compile(rb"(?:[0-9]{7} +){2}")
_KMP_FRAME = re.compile(rb"[\x40\x80]\x3f[^\x40\x80\x0d]{3,}\x0d", re.DOTALL)


def guess_protocol(capture: bytes) -> str:
    """``kmp``, ``p1`` or ``iec62056_21``; "" when it looks like none of them."""
    if any(
        "error" not in frame and frame["direction"] != "ack" for frame in describe_capture(capture).frames
    ):
        return "kmp"
    if find_header(capture) is not None:
        return "p1"
    text = strip_parity(capture)
    if not _BLOCK.search(text) and _P1.search(text):
        return "p1"
    if _is_answer(capture):
        return "iec62056_21"
    if _KMP_FRAME.search(capture):
        return "kmp"
    return "iec62056_21" if _DATA_SET.search(text) or _FIELDS.search(text) else ""


def _is_answer(capture: bytes) -> bool:
    """Whether it holds an undamaged answer of an IEC 62056-21 meter, or at least a request to one."""
    decoded = decode_capture(capture)
    return any(
        (isinstance(answer, Request) and answer.text.startswith((b"/#", b"/?")))
        or not isinstance(answer, Request | ProtocolError)
        for answer in decoded
    )
