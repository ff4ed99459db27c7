"""Words for an M-Bus meter that was asked and gave no usable answer: what was heard, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from smart_meter_reader.exceptions import (
    MeterSilentError,
    NothingHeardError,
    UnusableAnswersError,
)
from smart_meter_reader.meters.mbus.heard import HeardOnBus

NOISE = "noise"
COLLISION = "collision"


def explain_silence(
    heard: Sequence[HeardOnBus],
    port: str,
    whom: str,
    *,
    any_meter: bool = False,
    unasked: int = 0,
    through_head: bool = False,
) -> MeterSilentError | UnusableAnswersError:
    """The error for a request that stayed without a usable answer through all its repeats.

    ``any_meter``: whether more than one may feel asked. ``unasked``: how many bytes came while nothing was
    asked. ``through_head``: the meter is at an optical head, and not on wires.
    """
    asked = f"{port}: asked {'once' if len(heard) == 1 else f'{len(heard)} times'} for {whom}"
    if unasked:
        return UnusableAnswersError(
            NOISE,
            f"{port}: bytes come though nothing is asked: check that the line is 8E1 (even parity) and that "
            "the bus has its voltage; a bus that floats, or a wrong parity, looks like this at every address",
        )
    unusable = _unusable(heard, asked, any_meter=any_meter, through_head=through_head)
    if unusable is not None:
        return unusable
    do = _for_silence(through_head=through_head)
    if any(each.echo for each in heard):
        return MeterSilentError("echo_only", f"{asked}, what is sent comes back but no meter answers: {do}")
    return NothingHeardError("no_echo_no_answer", f"{asked}, nothing came: {do}")


def _unusable(
    heard: Sequence[HeardOnBus], asked: str, *, any_meter: bool, through_head: bool
) -> UnusableAnswersError | None:
    """The error where something came that is no answer; None where nothing did."""
    damaged = [each.damage for each in heard if each.damage is not None]
    if damaged and (through_head or not any_meter):
        return UnusableAnswersError(
            "damaged_answers",
            f"{asked}, every answer came damaged, at last: {damaged[-1].detail}; "
            + _for_damage(through_head=through_head),
        )
    if any(each.is_garbled for each in heard):
        return UnusableAnswersError(
            COLLISION,
            f"{asked}, what came is no frame: either several meters answer at once (give each an address of "
            "its own, or read them by secondary_address; `scan` finds them), or baud is not that of the "
            "meter",
        )
    if any(each.strangers for each in heard):
        return UnusableAnswersError(
            "strange_answers",
            f"{asked}, what came answers something else: stop whatever else reads this bus",
        )
    return None


def _for_damage(*, through_head: bool) -> str:
    if through_head:
        return "move the head a little, and keep light off it"
    return "check the wires, and whether two meters have this address"


def _for_silence(*, through_head: bool) -> str:
    if through_head:
        return "move the head on the meter's eye (`align` helps) and press a key on the meter"
    return (
        "check the address, baud, the two wires to the meter, and that the level converter has power "
        "(a slow one needs a longer converter_delay); `scan` looks for every meter on the bus"
    )
