"""What is told of a meter beside its numbers: when it was not read and why, and what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

from smart_meter_reader.history.questions.gaps import gaps as gaps_of
from smart_meter_reader.sinks.web.questions.asked import Inquiry, Moment, QuestionError, days_reversed
from smart_meter_reader.sinks.web.questions.chosen import asked_meter, chosen

_MOST = 500
_USUAL_DAYS = 31
_MOST_DAYS = 400


class GapAnswer(TypedDict):
    """Nothing was read from begin to end. counted: it is known what was used meanwhile.

    filled: the meter's own memory told it afterwards, hour by hour or day by day.
    """

    begin: Moment
    end: Moment
    reason: str
    text: str
    counted: bool
    filled: bool


class GapsAnswer(TypedDict):
    """The newest gaps in a counter's readings, oldest first; ``left_off``: how many more there are."""

    meter: str
    quantity: str
    gaps: list[GapAnswer]
    left_off: int


class EventAnswer(TypedDict):
    """What happened, in a stable word and a sentence; meter: "" for none in particular."""

    time: Moment
    meter: str
    kind: str
    text: str


class EventsAnswer(TypedDict):
    """The newest events of a stretch of time, oldest first; ``left_off``: how many more there are."""

    events: list[EventAnswer]
    left_off: int


def gaps(asked: Inquiry) -> GapsAnswer:
    """When a counter was not read, and why."""
    counter = chosen(asked)
    since, until = _stretch(asked)
    found = sorted(
        {
            gap
            for quantity in counter.quantities
            for gap in gaps_of(asked.history, counter.meter, quantity, since, until)
        },
        key=lambda gap: (gap.begin, gap.end),
    )
    local = asked.house.local
    return {
        "meter": counter.meter,
        "quantity": counter.quantity,
        "gaps": [
            {
                "begin": local(gap.begin),
                "end": local(gap.end),
                "reason": gap.reason,
                "text": gap.text,
                "counted": gap.counted,
                "filled": gap.filled,
            }
            for gap in found[-_MOST:]
        ],
        "left_off": max(0, len(found) - _MOST),
    }


def events(asked: Inquiry) -> EventsAnswer:
    """What happened to one meter, or to all. Raises QuestionError, also for a meter that is not known."""
    since, until = _stretch(asked)
    meter = asked_meter(asked) if asked.text("meter") else ""
    found = asked.history.events(since, until - 1, meter)
    return {
        "events": [
            {
                "time": asked.house.local(event.time),
                "meter": event.meter,
                "kind": event.kind,
                "text": event.text,
            }
            for event in found[-_MOST:]
        ],
        "left_off": max(0, len(found) - _MOST),
    }


def _stretch(asked: Inquiry) -> tuple[int, int]:
    """The days asked for; without, those of a month until now."""
    until = asked.day("to") or asked.today + timedelta(days=1)
    since = asked.day("from") or until - timedelta(days=_USUAL_DAYS)
    if until <= since:
        raise days_reversed(since, until)
    if until - since > timedelta(days=_MOST_DAYS):
        raise QuestionError(
            "too_many_days",
            "from: {since} to {until} is too long; ask for {most} days at most",
            since=str(since),
            until=str(until),
            most=_MOST_DAYS,
        )
    return asked.house.midnight(since), asked.house.midnight(until)
