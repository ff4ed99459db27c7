"""What bytes are that contain no telegram of SML: what a port or a head has made of one, or noise."""

from __future__ import annotations

import re
from typing import Final, Literal

from smart_meter_reader.codecs.seen import other_content

Garbage = Literal["no_control", "seven_bits", "cut", "unknown"]

EXPLANATIONS: dict[Garbage, str] = {
    "no_control": "SML without its control characters: something on the way takes the port for a terminal "
    "(XON/XOFF, stty without raw, a serial server in text mode); set it to raw, 8 bits, no flow control",
    "seven_bits": "SML that has lost its eighth bits: the serial server or head is set to 7 bits; set it to "
    "9600 8N1",
    "cut": "escapes of SML (1B1B1B1B) and no whole telegram: the speed is right; bytes are lost on the way",
    "unknown": "no telegram in what arrives",
}
_PRINTED: Final = (
    "this is SML as a program prints it, with other things about the digits (times, names): leave the "
    "hexadecimal digits alone"
)
_NOISE: Final = (
    "another speed than 9600 8N1, light on the head, or a meter that does not send SML (`decode auto` and "
    "`scan` look for others)"
)
# The begin of an entry: a list of seven, six octets of code, electricity; and the code of total import.
_ENTRY, _ENTRY_WITHOUT_CONTROL = b"\x77\x07\x01\x00", b"w\x01\x00\x01\x08"
_ESCAPE = b"\x1b\x1b\x1b\x1b"
_IMPORT = b"\x01\x08\x00\xff"
_IMPORT_SEVEN = b"\x01\x08\x00\x7f"


# What a capture holds instead, as far as anything in it says so.
_DUMP = re.compile(rb"1b(?P<gap>.?)1b(?P=gap)1b(?P=gap)1b", re.IGNORECASE | re.DOTALL)
_SHORT: Final = 64
_LOOKED_AT: Final = 4096


def explain(capture: bytes) -> str:
    """A sentence on what a capture without any telegram holds, and what to do about it."""
    kind = recognise(capture)
    if kind != "unknown":
        return f"no telegram: {EXPLANATIONS[kind]}"
    if _DUMP.search(capture[:_LOOKED_AT]):
        return f"no telegram: {_PRINTED}"
    if other := other_content(capture):
        return f"no telegram: {other}"
    short = f" {len(capture)} octets are few: telegrams have 200 to 700, so record longer." * (
        len(capture) < _SHORT
    )
    return f"no telegram, and none of its marks (1B1B1B1B 01010101) in {len(capture)} octets: {_NOISE}{short}"


def recognise(received: bytes) -> Garbage:
    """What ``received``, a stretch without any telegram, probably is."""
    if _IMPORT_SEVEN in received and max(received) < 0x80:
        return "seven_bits"
    if _ESCAPE in received:
        return "cut"
    if _IMPORT in received or _ENTRY in received or _ENTRY_WITHOUT_CONTROL in received:
        return "no_control"
    return "unknown"
