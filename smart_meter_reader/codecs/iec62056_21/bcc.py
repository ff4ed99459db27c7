"""The block check character after ETX: as the standard computes it, and as Kamstrup does."""

from __future__ import annotations

from enum import StrEnum
from functools import reduce
from operator import xor


class Bcc(StrEnum):
    """How the block check character of a data message came out."""

    SUM = "sum"  # Kamstrup's: the bytes added up, modulo 128
    XOR = "xor"  # the standard's
    ABSENT = "absent"  # the message has none: mode D, or a transcript
    BAD = "bad"


def sum_bcc(block: bytes) -> int:
    """Kamstrup's block check character over ``block``, which runs from after STX to ETX inclusive.

    5511-634 (MULTICAL 66-CDE) §4: computed "arithmetically as on M-Bus", seven bits of it on the line.
    """
    return sum(block) & 0x7F


def xor_bcc(block: bytes) -> int:
    """The standard's block check character over ``block``, from after STX to ETX inclusive (ISO 1155)."""
    return reduce(xor, block, 0) & 0x7F


def judge_bcc(block: bytes, received: int, usual: Bcc = Bcc.SUM) -> Bcc:
    """Which of the two computations gives ``received``: SUM, XOR or BAD.

    Of one block in 128 both give the same: then it is the one that is ``usual`` for the make.
    """
    fitting = {Bcc.SUM: received == sum_bcc(block), Bcc.XOR: received == xor_bcc(block)}
    if fitting.get(usual):
        return usual
    return next((bcc for bcc, fits in fitting.items() if fits), Bcc.BAD)


def usual_bcc(manufacturer: str) -> Bcc:
    """How a make computes it, by the identification: Kamstrup ("KAM") its own way, others the standard's."""
    return Bcc.SUM if manufacturer.upper() == "KAM" else Bcc.XOR
