"""Judges what was read back from a meter's own memory against what the meter shows now. Pure; no state.

From the newest row to the oldest: what the meter shows now is believed, and vouches for the row before it. So
one wrong row costs itself and not those around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from smart_meter_reader.guard.measured import number
from smart_meter_reader.guard.rules import (
    DOUBTS,
    REASONS,
    SHORTEST_PAUSE,
    Ceiling,
    Range,
    Rule,
    Total,
    is_possible,
    judge,
)
from smart_meter_reader.messages import Past, PastRow


class Refused(NamedTuple):
    """A value that is held back, and why."""

    key: str
    value: Total
    why: str

    def __str__(self) -> str:
        return f"{self.key} {self.value} of {self.value.time:%Y-%m-%d %H:%M} UTC: {self.why}"


@dataclass(frozen=True, slots=True)
class JudgedPast:
    """A past without what cannot have been measured, and that."""

    past: Past
    refused: tuple[Refused, ...]


def judge_past(past: Past, rules: Mapping[str, Rule], totals: Mapping[str, Total]) -> JudgedPast:
    """What remains of a past; ``totals``: what each counter of the same device showed last.

    A counter neither falls nor jumps from row to row, nor to what it shows now. Rows that are newer than when
    they were read, or that are not in the order of time, are refused whole.
    """
    refused: list[Refused] = []
    rows = _in_order(past, refused)
    held_back: set[tuple[datetime, str]] = set()
    for key in dict.fromkeys(key for row in rows for key in row["measurements"]):
        if key in rules:
            found = list(_refused(key, _told(rows, key), rules[key], totals.get(key)))
            held_back |= {(each.value.time, key) for each in found}
            refused += found
    if not refused:
        return JudgedPast(past, ())
    return JudgedPast({**past, "rows": tuple(_left(rows, held_back))}, tuple(refused))


def _in_order(past: Past, refused: list[Refused]) -> list[PastRow]:
    rows: list[PastRow] = []
    for row in past["rows"]:
        time = row["measured_at"]
        why = ""
        if time > past["time"] + SHORTEST_PAUSE:
            why = "its time is to come"
        elif rows and time <= rows[-1]["measured_at"]:
            why = "its time is not after that of the row before"
        if why:
            refused += (Refused(key, value, why) for key, value in _values(row))
        else:
            rows.append(row)
    return rows


def _values(row: PastRow) -> Iterable[tuple[str, Total]]:
    for key, measurement in row["measurements"].items():
        value = number(measurement["value"])
        if value is not None:
            yield key, Total(value, measurement["unit"], row["measured_at"])


def _told(rows: Iterable[PastRow], key: str) -> list[Total]:
    return [value for row in rows for told, value in _values(row) if told == key]


def _refused(key: str, told: list[Total], rule: Rule, shown: Total | None) -> Iterable[Refused]:
    if isinstance(rule, Range):
        believable = f"believable is {rule.lowest} to {rule.highest} {rule.unit}"
        return [Refused(key, each, believable) for each in told if not rule.contains(each.value, each.unit)]
    newer = [each for each in told if shown is not None and each.time > shown.time]
    older = told[: len(told) - len(newer)]
    return [*_backwards(key, older, rule, shown), *_onwards(key, newer, rule, shown)]


def _backwards(key: str, told: list[Total], rule: Ceiling, after: Total | None) -> Iterable[Refused]:
    for each in reversed(told):
        why = _doubt(each, after, rule, each)
        if why:
            yield Refused(key, each, f"{why}; it is {after} at {_time(after)}" if after else why)
        else:
            after = each


def _onwards(key: str, told: list[Total], rule: Ceiling, before: Total | None) -> Iterable[Refused]:
    for each in told:
        why = _doubt(before, each, rule, each)
        if why:
            yield Refused(key, each, f"{why}; it was {before} at {_time(before)}" if before else why)
        else:
            before = each


def _doubt(before: Total | None, after: Total | None, rule: Ceiling, doubted: Total) -> str:
    if not is_possible(doubted.value):
        return "no meter counts so far"
    if before is None or after is None:
        return ""
    verdict = judge(before, after, rule)
    return REASONS[verdict] if verdict in DOUBTS else ""


def _time(total: Total) -> str:
    return f"{total.time:%Y-%m-%d %H:%M} UTC"


def _left(rows: Iterable[PastRow], held_back: set[tuple[datetime, str]]) -> Iterable[PastRow]:
    for row in rows:
        time = row["measured_at"]
        left = {key: each for key, each in row["measurements"].items() if (time, key) not in held_back}
        if left:
            told: PastRow = {**row, "measurements": left}
            yield told
