"""What bytes are that contain no telegram: another protocol, a wrong signal, or noise."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from smart_meter_reader.codecs.other_protocols import OtherProtocol, other_protocol
from smart_meter_reader.codecs.p1.framing.plain import DATA_LINE

Garbage = Literal[OtherProtocol, "parity", "inverted", "unknown"]

EXPLANATIONS: dict[Garbage, str] = {
    "hdlc": "this port sends DLMS in HDLC frames (7E A...) and not the text of P1: the client dlms reads it; "
    'set client = "dlms", and the same keys where it encrypts',
    "dlms": "this port sends DLMS in M-Bus frames (68 .. 68 53), as in Austria, and not the text of P1: the "
    'client dlms reads it; set client = "dlms", and the same keys',
    "mbus": "this port sends M-Bus frames (68 .. 68) by itself and not the text of P1: on a bus with heat or "
    "water meters another program asks them; the client mbus reads them",
    "sml": "this port sends SML (1B1B1B1B 01010101), as German meters do at their optical head: it is read "
    "with the client sml",
    "parity": "the bytes carry parity: the line is 7E1 (DSMR 2.2 and 3), set that at the serial server",
    "inverted": "most bytes are no text: the signal is probably inverted (use a P1 cable) or the speed wrong",
    "unknown": "no telegram in what arrives",
}
OTHER_FRAMES: frozenset[Garbage] = frozenset({"hdlc", "dlms", "mbus", "sml"})
"""Whole frames of something else: speed and format of the line are right."""
_ENOUGH = 64


def recognise(received: bytes) -> Garbage:
    """What ``received``, a stretch without any telegram, probably is."""
    other = other_protocol(received)
    if other is not None:
        return other
    if any(byte > 0x7F for byte in received):
        if _has_parity(received):
            return "parity"
        text = sum(32 <= byte < 127 or byte in b"\r\n" for byte in received)
        # Inverted text keeps its start bit's place and turns nearly every byte into one above 7F.
        if len(received) >= _ENOUGH and text < 0.6 * len(received):
            return "inverted"
    return "unknown"


def _has_parity(received: bytes) -> bool:
    """Lines of a telegram in which nearly every byte has an even number of ones; of bare text, half have.

    A telegram among a few bytes of noise has bytes above 7F as well. So has a text without end, of which one
    character (9, say, with four ones) is repeated: hence each byte that occurs counts once more.
    """
    return (
        _share_of_even(received) > 0.9
        and _share_of_even(set(received)) > 0.75
        and bool(DATA_LINE.search(bytes(byte & 0x7F for byte in received)))
    )


def _share_of_even(octets: Collection[int]) -> float:
    return sum(byte.bit_count() % 2 == 0 for byte in octets) / len(octets)
