"""Totals that go on from another number: why, and which of them have counted on all the same."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from smart_meter_reader.messages import Status


class Rebased(NamedTuple):
    """Why a total goes on from another number, in words; ``rolled_over``: its digits were used up."""

    sentence: str
    rolled_over: bool = False


RebasedTotals: TypeAlias = dict[str, Rebased]


def tell_changes(status: Status, changes: RebasedTotals) -> None:
    """Put into a status what it is about."""
    status["quantities"] = tuple(changes)
    if rolled_over := tuple(key for key, change in changes.items() if change.rolled_over):
        status["rolled_over"] = rolled_over
