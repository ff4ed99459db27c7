"""What happened meanwhile, as marks on bars and curves: swaps, notes, and what was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.view import View

# A leap year: of more years it would be too much.
_MOST_TOLD = timedelta(days=366)
_MOST_ON_A_BAR = 3


class ShownMark(NamedTuple):
    """Something that happened, in a sentence."""

    time: datetime
    text: str


def marks(view: View, meter: Mapping[str, Any], told: Mapping[str, Any]) -> list[ShownMark]:
    """Those of a meter in the days of an answer, by time."""
    found = [*_events(view, str(meter["meter"]), told), *_devices(view, meter), *_notes(view, meter)]
    return sorted(found)


def recent_marks(view: View, since: datetime) -> dict[str, list[ShownMark]]:
    """Those of all meters since a moment of the last days, by meter and time: one question for the page."""
    days = {"from": since.date(), "to": view.today + timedelta(days=1)}
    found: dict[str, list[ShownMark]] = {}
    for meter, mark in _told(view, "", days):
        found.setdefault(meter, []).append(mark)
    for each in view.meters:
        found.setdefault(str(each["meter"]), []).extend([*_devices(view, each), *_notes(view, each)])
    return {meter: sorted(mark for mark in each if mark.time >= since) for meter, each in found.items()}


def moment_and_text(view: View, mark: ShownMark) -> str:
    """A mark in words."""
    return f"{view.words.moment(view.local(mark.time))}: {mark.text}"


def bar_text(view: View, found: Sequence[ShownMark], begin: datetime, end: datetime) -> str:
    """What to say of a bar; "" where nothing happened."""
    here = [mark for mark in found if begin <= mark.time < end]
    told = [moment_and_text(view, mark) for mark in here[:_MOST_ON_A_BAR]]
    more = len(here) - _MOST_ON_A_BAR
    if more > 0:
        told.append(view.words("mark.more", number=view.words.number(more)))
    return " ".join(told)


def _events(view: View, meter: str, told: Mapping[str, Any]) -> list[ShownMark]:
    return [mark for _, mark in _told(view, meter, told)]


def _told(view: View, meter: str, told: Mapping[str, Any]) -> list[tuple[str, ShownMark]]:
    """Events of the days of an answer, each with its meter; ``meter``: "" for all."""
    since, until = told["from"], min(told["to"], view.today + timedelta(days=1))
    if not timedelta(0) < until - since <= _MOST_TOLD:
        return []
    try:
        query = {"meter": meter} if meter else {}
        query |= {"from": since.isoformat(), "to": until.isoformat()}
        events = view.ask("events", query)["events"]
    except ExplainedError:  # nothing is stored
        return []
    return [
        (str(each["meter"]), ShownMark(each["time"], _sentence(view, str(each["kind"]), str(each["text"]))))
        for each in events
    ]


def _sentence(view: View, kind: str, text: str) -> str:
    """In the language of the page where it has the words, else as the service has told it."""
    told = text if view.words.code == "en" else view.words.reason(kind) or text
    told = told or kind
    return f"{told[:1].upper()}{told[1:]}{'' if told.endswith(('.', '?')) else '.'}"


def _devices(view: View, meter: Mapping[str, Any]) -> list[ShownMark]:
    """The first device is no swap."""
    return [
        ShownMark(each["since"], view.words("mark.device", serial=each["serial_number"] or "–"))
        for each in meter["devices"][1:]
    ]


def _notes(view: View, meter: Mapping[str, Any]) -> list[ShownMark]:
    return [
        ShownMark(
            each["since"],
            f"{view.words.reason(str(each['kind']), until=view.words.moment(view.local(each['until'])))} "
            f"{each['text']}".rstrip(),
        )
        for each in meter["notes"]
        if each["taken_back"] is None
    ]
