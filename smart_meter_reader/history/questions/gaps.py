"""When a meter was not read, and why, as far as anything was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from smart_meter_reader.history.questions.counters import OF_ANY_ORIGIN, QUARTER, CounterHistory
from smart_meter_reader.history.questions.record import Event, History
from smart_meter_reader.history.rows import CLEARED, RAISED, STARTED, STOPPED, RowOrigin

# What is told a little before the last reading before a gap may be what ended it.
_JUST_BEFORE = 120
# The first value of a meter on M-Bus after a start was measured before it, by an hour at most as a rule.
_MEASURED_BEFORE = 3600
# What is told while a meter is read.
_NO_REASONS = frozenset({"online", RAISED, CLEARED})


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was read from ``begin`` to ``end``; ``filled``: the meter's own memory told it afterwards."""

    begin: int
    end: int
    reason: str  # a stable word, "" when nothing was told
    text: str  # a sentence
    counted: bool  # whether it is known what was used meanwhile
    filled: bool = False


def gaps(history: History, meter: str, quantity: str, since: int, until: int) -> list[Gap]:
    """The gaps in the readings of a counter that lie in a stretch of time, at least in part; oldest first.

    A gap is more than twice as long as usually lies between two readings. One that was filled is among them
    where anything was told of why; a meter whose memory is read once a day has none. Raises HistoryError.
    """
    counter = history.counter(meter, quantity)
    missing = _long(counter, since, until, OF_ANY_ORIGIN)
    filled = [
        (begin, end)
        for begin, end in _long(counter, since, until, RowOrigin.LOGGER)
        if not any(before < end and after > begin for before, after in missing)
    ]
    long = missing + filled
    first = min((begin for begin, _ in long), default=since) - _JUST_BEFORE
    last = max((end for _, end in long), default=until) + _MEASURED_BEFORE
    events = history.events(first, last)
    found = [Gap(begin, end, *_why(events, meter, begin, end), counted=True) for begin, end in missing]
    found += (_filled(begin, end, *_why(events, meter, begin, end)) for begin, end in filled)
    found = [gap for gap in found if gap.reason or not gap.filled]
    for before, after in pairwise(counter.parts):
        begin, end = before.last.time, after.first.time
        if begin < until and end > since:
            found.append(Gap(begin, end, "restart", after.why, False))
    return sorted(found, key=lambda gap: gap.begin)


def _filled(begin: int, end: int, reason: str, text: str) -> Gap:
    return Gap(begin, end, reason, f"{text}; filled from the meter's own memory", counted=True, filled=True)


def _long(counter: CounterHistory, since: int, until: int, without: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for part in counter.parts:
        if part.last.time <= since or part.first.time >= until:
            continue
        for before, after in counter.pauses(part, since, until, 2 * QUARTER, without):
            if after - before > 2 * counter.usual_interval(part, before):
                found.append((before, after))
    return found


def _why(events: Sequence[Event], meter: str, begin: int, end: int) -> tuple[str, str]:
    """What was told of the meter, or of the service, when the gap began."""
    near = [
        event
        for event in events
        if event.meter in ("", meter)
        and begin - _JUST_BEFORE <= event.time <= end + (_MEASURED_BEFORE if event.kind == STARTED else 0)
        and event.kind not in _NO_REASONS
    ]
    if not near:
        return "", "nothing is known of why"
    first = near[0]
    if first.kind == STARTED:
        return "ended", "the service had ended without a word: a power cut, or it was killed"
    if first.kind == STOPPED:
        return STOPPED, "the service was stopped"
    return first.kind, first.text
