"""From what a MULTICAL 66-CDE added in each hour and day to counter readings, and whether they fit.

/#6 and /#7 tell growth, so a reading is reckoned from a counter that is known for the end of some period:
the months of /#5 tell theirs. All is exact: the same last digit in counters and growth (5511-634 §4), and a
counter of so many digits that begins again at zero. Where growth and counters contradict one another, both
are left alone and it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from smart_meter_reader.codecs.iec62056_21.log.plans import COUNTER_DIGITS
from smart_meter_reader.codecs.iec62056_21.multical import shift


@dataclass(frozen=True, slots=True)
class Growth:
    """What was added to a counter in one period, by the meter's clock."""

    ends: datetime
    lasts: timedelta
    added: Decimal

    @property
    def begins(self) -> datetime:
        return self.ends - self.lasts


@dataclass(frozen=True, slots=True)
class Mark:
    """What a counter stood at, at one moment by the meter's clock."""

    at: datetime
    counter: Decimal


@dataclass(frozen=True, slots=True)
class Walked:
    """Counter readings by their moment, and in sentences what contradicted itself or led nowhere."""

    counters: Mapping[datetime, Decimal]
    told: tuple[str, ...] = ()


def modulus(decimals: int, digits: int = COUNTER_DIGITS) -> Decimal:
    """At what a counter of so many digits begins again: 10000.000 for seven, three of them decimals."""
    return shift(10**digits, decimals)


def walk_back(counter: Decimal, added: Iterable[Decimal], rolls_over_at: Decimal) -> list[Decimal]:
    """The counter before each period, given what it stood at behind the newest, and newest first.

    ``added`` is what each period added, newest first. One more value than periods: the first is ``counter``.
    """
    counters = [counter]
    for growth in added:
        counters.append(_wrapped(counters[-1] - growth, rolls_over_at))
    return counters


def walk(
    periods: Sequence[Growth], marks: Sequence[Mark], rolls_over_at: Decimal, *, live: Mark | None = None
) -> Walked:
    """Counter readings at the ends of periods, newest first, from ``marks`` at some of these ends.

    Between two marks the growth must be their difference, or nothing between them is given. ``live`` is the
    counter as read later: a walk that passes it is wrong. Beyond the outermost marks of periods that follow
    one another without a gap the walk goes on, unless it was contradicted.
    """
    counters: dict[datetime, Decimal] = {}
    told: list[str] = []
    known = {mark.at: mark.counter for mark in marks}
    for run in _runs(periods):
        found, complaints = _walk_run(run, known, rolls_over_at, live)
        counters |= found
        told += complaints
    return Walked(counters, tuple(told))


def _runs(periods: Sequence[Growth]) -> list[list[Growth]]:
    """The periods in runs without a gap, newest first."""
    runs: list[list[Growth]] = []
    for period in periods:
        if runs and runs[-1][-1].begins == period.ends:
            runs[-1].append(period)
        else:
            runs.append([period])
    return runs


def _walk_run(
    run: Sequence[Growth], known: Mapping[datetime, Decimal], rolls_over_at: Decimal, live: Mark | None
) -> tuple[dict[datetime, Decimal], list[str]]:
    ends = [run[0].ends, *(period.begins for period in run)]
    places = [place for place, at in enumerate(ends) if at in known]
    span = f"{_day(ends[-1])} to {_day(ends[0])}"
    if not places:
        return {}, [f"no counter is known for any moment from {span}: what was added then is no reading"]
    told: list[str] = []
    sound: list[tuple[int, int]] = []
    for newer, older in pairwise(places):
        added = sum((period.added for period in run[newer:older]), Decimal(0))
        difference = _wrapped(known[ends[newer]] - known[ends[older]], rolls_over_at)
        if added == difference:
            sound.append((newer, older))
        else:
            told.append(
                f"from {_day(ends[older])} to {_day(ends[newer])} the counter moved by {difference}, and "
                f"what was added comes to {added}: these periods give no reading"
            )
    if not told:
        sound += [(0, places[0]), (places[-1], len(ends) - 1)]
    found: dict[datetime, Decimal] = {}
    for newer, older in sound:
        found |= _between(run, ends, known, newer, older, rolls_over_at)
    if (complaint := _passes(found, live, rolls_over_at)) and live is not None:
        return {}, [*told, complaint]
    return found, told


def _between(
    run: Sequence[Growth],
    ends: Sequence[datetime],
    known: Mapping[datetime, Decimal],
    newer: int,
    older: int,
    rolls_over_at: Decimal,
) -> dict[datetime, Decimal]:
    """The counters from place ``newer`` to place ``older``, of which one at least is known."""
    added = [period.added for period in run[newer:older]]
    if ends[newer] in known:
        start = known[ends[newer]]
    else:
        start = _wrapped(known[ends[older]] + sum(added, Decimal(0)), rolls_over_at)
    return dict(zip(ends[newer : older + 1], walk_back(start, added, rolls_over_at), strict=True))


def _passes(found: Mapping[datetime, Decimal], live: Mark | None, rolls_over_at: Decimal) -> str:
    """Why the newest counter cannot have come before ``live``; "" where it can."""
    if live is None or not found:
        return ""
    newest = max(found)
    if newest > live.at or _wrapped(live.counter - found[newest], rolls_over_at) < rolls_over_at / 2:
        return ""
    return (
        f"what was added leads to {found[newest]} on {_day(newest)}, more than the {live.counter} that the "
        "counter shows: these periods give no reading"
    )


def _wrapped(counter: Decimal, rolls_over_at: Decimal) -> Decimal:
    """``counter`` as its digits show it. The rest of a division of decimals has the sign of the dividend."""
    rest = counter % rolls_over_at
    return rest + rolls_over_at if rest < 0 else rest


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M" if moment.hour or moment.minute else "%Y-%m-%d")
