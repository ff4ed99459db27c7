"""What may be wrong with a heating, worded as hints: nobody but a person who looks can know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias, TypedDict

from smart_meter_reader.history.periods import Period
from smart_meter_reader.history.questions.bars import Bar, bars
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.heat import WeightedTemperatures, lowest_hour
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.sinks.web.questions.asked import Inquiry, Moment
from smart_meter_reader.sinks.web.questions.recent import newest_reading

_Temperatures = Callable[[Sequence[int]], list[WeightedTemperatures]]

_NIGHT_BEGINS, _NIGHT_ENDS = 22, 6
_NIGHTS = 7
# Of a night's eight hours so many have to be known.
_KNOWN_HOURS = 6
# How often a meter has to be read to tell one hour from the next.
_READ_HOURLY = 3600 + 900
_DAY = 86400
_WEEK = 7 * _DAY
_WEEKS = 4
# K: a return so near to the flow; a fall against the year before; a fall from week to week in sum.
_NEAR, _FALL, _STEEP = Decimal(10), Decimal(3), Decimal(5)
_TENTH = Decimal("0.1")


class NightAnswer(TypedDict):
    """The hour of the last seven nights, from 22 to 6, in which least flowed; volume in m³."""

    begin: Moment
    volume: Decimal


class HintFacts(TypedDict, total=False):
    """What is in a hint's sentence: volume in m³; cooling, now and before in K."""

    code: str
    meaning: str
    nights: int
    volume: Decimal
    time: Moment
    cooling: Decimal
    now: Decimal
    before: Decimal


_Hint: TypeAlias = tuple[str, HintFacts]


class HintAnswer(TypedDict):
    """kind: info_code, leak_or_bypass, valve_open or falling_cooling; text: a sentence, with these facts."""

    kind: str
    text: str
    facts: HintFacts


def lowest_night(asked: Inquiry, volume: CounterHistory) -> NightAnswer | None:
    """The lowest hourly flow at night; None where the meter is read too seldom to tell."""
    lowest = lowest_hour([hour for night in _nights(asked, volume) for hour in night])
    if lowest is None or lowest.difference is None:
        return None
    return {"begin": asked.house.local(lowest.begin), "volume": lowest.difference}


def hints(
    asked: Inquiry, meter: str, volume: CounterHistory, temperatures: _Temperatures
) -> list[HintAnswer]:
    """What there is to look at, the meter's own word first. Raises ValueFormatError."""
    found = (
        ("info_code", _info_code(newest_reading(asked.recent, meter, asked.now - _DAY))),
        ("leak_or_bypass", _leak(asked, volume)),
        ("valve_open", _valve(asked, temperatures)),
        ("falling_cooling", _falling(asked, temperatures)),
    )
    return [{"kind": kind, "text": hint[0], "facts": hint[1]} for kind, hint in found if hint]


def _info_code(newest: tuple[datetime, dict[str, Measurement]] | None) -> _Hint | None:
    told = newest[1] if newest else {}
    if "info_code_text" in told:
        meaning = str(told["info_code_text"]["value"])
        return None if meaning == "none" else (f"The meter itself reports: {meaning}.", {"meaning": meaning})
    code = told.get("info_code")
    if code is None or code["value"] in (0, "0"):
        return None
    text = f"The meter itself tells info code {code['value']}: its manual says what to do."
    return text, {"code": str(code["value"])}


def _leak(asked: Inquiry, volume: CounterHistory) -> _Hint | None:
    lows = []
    for night in _nights(asked, volume):
        known = [hour for hour in night if hour.complete and not hour.estimated]
        lowest = lowest_hour(known)
        if len(known) < _KNOWN_HOURS or lowest is None or not lowest.difference:
            return None
        lows.append(lowest)
    lowest = lowest_hour(lows)
    if len(lows) < _NIGHTS or lowest is None or lowest.difference is None:
        return None
    when = asked.house.local(lowest.begin)
    return (
        f"In none of the last {_NIGHTS} nights was there an hour without flow; the least was "
        f"{lowest.difference:f} m³, from {when:%H:%M} on {when:%Y-%m-%d}. Where the heating is off at night, "
        "that may be a bypass that stays open, or a leak.",
        {"nights": _NIGHTS, "volume": lowest.difference, "time": when},
    )


def _valve(asked: Inquiry, temperatures: _Temperatures) -> _Hint | None:
    until = asked.house.midnight(asked.today)
    made = temperatures([until - _WEEK * each for each in range(2 * _WEEKS + 1, -1, -1)])
    before = [each.volume for each in made[:-1] if each.complete and each.volume is not None]
    week = made[-1]
    if not before or week.volume is None or week.cooling is None or week.cooling >= _NEAR:
        return None
    if week.volume * len(before) < sum(before):
        return None
    return (
        f"In the last seven days {week.volume:f} m³ flowed, no less than usual, and came back only "
        f"{_tenth(week.cooling)} K cooler than it came. A valve may be stuck open, or a bypass too wide.",
        {"volume": week.volume, "cooling": _tenth(week.cooling)},
    )


def _falling(asked: Inquiry, temperatures: _Temperatures) -> _Hint | None:
    today = asked.today
    until = asked.house.midnight(today)
    weeks = [each.cooling for each in temperatures([until - _WEEK * each for each in range(_WEEKS, -1, -1)])]
    known = [cooling for cooling in weeks if cooling is not None]
    if len(known) < _WEEKS:
        return None
    (month,) = temperatures((until - _WEEK * _WEEKS, until))
    a_year = asked.house.midnight(today - timedelta(weeks=52))
    (before,) = temperatures((a_year - _WEEK * _WEEKS, a_year))
    if before.complete and before.cooling is not None and month.cooling is not None:
        if before.cooling - month.cooling < _FALL:
            return None
        return (
            f"In the last four weeks the water cooled by {_tenth(month.cooling)} K, and by "
            f"{_tenth(before.cooling)} K in the same weeks a year before. A filter or a heat exchanger may "
            "be clogged.",
            {"now": _tenth(month.cooling), "before": _tenth(before.cooling)},
        )
    falls = all(later < earlier for earlier, later in pairwise(known))
    if not falls or known[0] - known[-1] < _STEEP:
        return None
    return (
        f"The water cools less from week to week: by {_tenth(known[0])} K four weeks ago, by "
        f"{_tenth(known[-1])} K now. If it is not the weather, a filter or a heat exchanger may be clogged.",
        {"now": _tenth(known[-1]), "before": _tenth(known[0])},
    )


def _nights(asked: Inquiry, volume: CounterHistory) -> list[list[Bar]]:
    """The hours of the last seven nights that are over; none where the meter is read too seldom."""
    if not volume.parts:
        return []
    newest = volume.parts[-1]
    if volume.usual_interval(newest, newest.last.time) > _READ_HOURLY:
        return []
    house, today = asked.house, asked.today
    if house.local(asked.now).hour < _NIGHT_ENDS:  # this night is not over
        today -= timedelta(days=1)
    hours = bars(
        volume,
        house.boundaries(Period.HOUR, today - timedelta(days=_NIGHTS), today + timedelta(days=1)),
        "m³",
    )
    nights: list[list[Bar]] = [[] for _ in range(_NIGHTS)]
    for hour in hours:
        local = house.local(hour.begin)
        if _NIGHT_ENDS <= local.hour < _NIGHT_BEGINS:
            continue
        morning = local.date() + timedelta(days=local.hour >= _NIGHT_BEGINS)
        number = (today - morning).days
        if 0 <= number < _NIGHTS:
            nights[number].append(hour)
    return nights


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(_TENTH)
