"""Which lines of a log table of MULTICAL 66-CDE fit among one another: dates fall, counters do not rise."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time
from typing import TypeVar

from smart_meter_reader.codecs.iec62056_21.log.lines import Doubt, LogLine
from smart_meter_reader.codecs.iec62056_21.log.plans import COUNTER_DIGITS, LogPlan

_Place = TypeVar("_Place", int, datetime)


def in_order(plan: LogPlan, lines: Sequence[LogLine]) -> tuple[list[LogLine], list[Doubt]]:
    """The lines that fit among one another, newest first, and a doubt for each other: as few as can be."""
    if plan.logger == "info":
        return _sifted(lines, _unrolled(lines), "date")
    kept, doubts = _sifted(lines, _falling(plan, lines), "date")
    for name in () if plan.grows else ("energy", "volume"):
        counters = _unwrapped([int(line.fields[name]) for line in kept])
        fitting = [kept[place] for place in _longest_rising([-counter for counter in counters])]
        kept, more = _sifted(kept, fitting, name)
        doubts += more
    return kept, doubts


def _sifted(lines: Sequence[LogLine], kept: list[LogLine], name: str) -> tuple[list[LogLine], list[Doubt]]:
    numbers = {line.number for line in kept}
    return kept, [
        Doubt(line.number, f"{name}_order", f"{name} {line.fields[name]} does not fit among its neighbours")
        for line in lines
        if line.number not in numbers
    ]


def _unwrapped(counters: Sequence[int]) -> list[int]:
    """Counters as if they never began again at zero: an old one far above the newest is below it."""
    newest, whole = counters[0] if counters else 0, 10**COUNTER_DIGITS
    return [counter - whole if counter > newest + whole // 2 else counter for counter in counters]


def _falling(plan: LogPlan, lines: Sequence[LogLine]) -> list[LogLine]:
    """The lines whose dates go back all along.

    Only the hours of a day share a date; where others do, nothing tells which of them is right.
    """
    often = Counter(line.day for line in lines)
    single = [line for line in lines if plan.logger == "hour" or often[line.day] == 1]
    return [single[place] for place in _longest_rising([-line.day.toordinal() for line in single])]


def _unrolled(lines: Sequence[LogLine]) -> list[LogLine]:
    """The info logger's lines, newest first: it is a ring and is sent as it lies in memory."""
    best: list[LogLine] = []
    for start in range(len(lines)):
        turned = [*lines[start:], *lines[:start]]
        kept = [turned[place] for place in _longest_rising([_moment(line) for line in turned])]
        if len(kept) > len(best):
            best = kept
    return best[::-1]


def _moment(line: LogLine) -> datetime:
    return line.moment or datetime.combine(line.day, time())


def _longest_rising(values: Sequence[_Place]) -> list[int]:
    """The places of a longest part of ``values`` that never falls (patience sorting, n log n)."""
    tails: list[_Place] = []  # the smallest value that a part of each length ends in
    places: list[int] = []
    before: list[int] = []
    for place, value in enumerate(values):
        length = bisect_right(tails, value)
        before.append(places[length - 1] if length else -1)
        if length == len(tails):
            tails.append(value)
            places.append(place)
        else:
            tails[length] = value
            places[length] = place
    chain: list[int] = []
    place = places[-1] if places else -1
    while place >= 0:
        chain.append(place)
        place = before[place]
    return chain[::-1]
