"""What a capture holds in which a decoder found nothing: another protocol, or one level; and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.other_protocols import OtherProtocol, other_protocol
from smart_meter_reader.codecs.parity import strip_parity

# What nothing was found in may be of any length.
_LOOKED_AT: Final = 4096
_OTHERS: Final[Mapping[OtherProtocol, str]] = MappingProxyType(
    {
        "hdlc": "these are HDLC frames of DLMS: `decode dlms` reads them, and the client dlms",
        "dlms": "this is DLMS in M-Bus frames: `decode dlms` reads them, and the client dlms",
        "mbus": "these are M-Bus frames: `decode mbus` reads them, and the client mbus",
        "sml": "this is SML (1B1B1B1B 01010101): `decode sml` reads it, and the client sml",
    }
)
_P1_TEXT = re.compile(rb"/[A-Za-z]{3}[0-9].*[\r\n]+[0-9]-[0-9]:[0-9]+\.[0-9]+\.[0-9]+[(*]", re.DOTALL)
_READOUT = re.compile(rb"[0-9A-FC]+\.[0-9]+(?:\.[0-9]+)?(?:\*[0-9]+)?\([^()\r\n]*\)")
_P1: Final = "this is the text of a P1 port: `decode p1` reads it, and the client dsmr"
_IEC: Final = (
    "this is text of IEC 62056-21, as meters with a D0 interface send: `decode iec62056_21` reads it, and "
    "the client iec62056_21"
)
_ONE_LEVEL: Final = "the line stays at one level: nothing sends, or its wires, levels or light are wrong"


def other_content(capture: bytes) -> str:
    """A sentence on what a capture holds and who reads it; "" where nothing in it says so."""
    begin = capture[:_LOOKED_AT]
    if capture and not capture.strip(capture[:1]):
        return f"{len(capture)} times {capture[0]:02X}: {_ONE_LEVEL}"
    other = other_protocol(begin)
    if other is not None:
        return _OTHERS[other]
    text = strip_parity(begin)
    if _P1_TEXT.search(text):
        return _P1
    return _IEC if _READOUT.search(text) else ""
