"""The page Meters: who each is, how its line does, what the battery pays, swaps and gaps; and "read now"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.frame import notice, page, paragraphs, told_reason
from smart_meter_reader.sinks.web.pages.markup import Markup, joined, tag
from smart_meter_reader.sinks.web.pages.present import title_of
from smart_meter_reader.sinks.web.pages.view import View
from smart_meter_reader.sinks.wording import HEALTH

_MOST_LINES = 30
_IDENTITY = ("manufacturer", "model", "serial_number", "via")


@dataclass(frozen=True, slots=True)
class ToldLines:
    """What the API tells at an ``address``, a line each, oldest first; it leaves off so many older ones."""

    lines: list[Markup]
    left_off: int = 0
    address: str = ""


def devices(view: View) -> str:
    """The page."""
    words = view.words
    live = {str(meter["meter"]): meter for meter in view.now["meters"]}
    stored = {str(meter["meter"]): meter for meter in view.meters}
    names = list(dict.fromkeys([*live, *stored]))
    title = words("page.meters")
    if not names:
        return page(view, title, notice(words("now.none"), paragraphs(words("now.none.do"))), charts=False)
    cards = [_card(view, name, live.get(name), stored.get(name)) for name in names]
    return page(view, title, tag("div", *cards, class_="cards"), charts=False)


def _card(view: View, name: str, meter: Mapping[str, Any] | None, stored: Mapping[str, Any] | None) -> Markup:
    known = meter or {"meter": name, "medium": (stored or {}).get("medium", "")}
    state = "" if meter is None else str(meter["state"])
    waiting = meter is not None and meter["reason"] == "starting"
    return tag(
        "article",
        title_of(view, known),
        _state(view, meter),
        _identity(view, meter) if meter else None,
        _read_now(view, meter) if meter and meter.get("can_be_asked") else None,
        _health(view, meter) if meter else None,
        _values(view, meter) if meter and meter["measurements"] else None,
        _stored(view, stored) if stored else None,
        class_=f"card meter {'waiting' if waiting else state}".rstrip(),
    )


def _state(view: View, meter: Mapping[str, Any] | None) -> Markup:
    words = view.words
    if meter is None:
        return tag("p", words("meters.past"), class_="doing")
    # That readings arrive is what the state says already.
    detail = str(meter.get("detail") or "") if meter["reason"] else ""
    if meter["reason"] == "starting":
        return tag("p", words("doing.starting"), class_="doing")
    since: datetime | None = meter.get("since")
    when = words.moment(view.local(since)) if since else words("doing.unknown")
    why = told_reason(view, str(meter["reason"]), detail) if detail else None
    told = joined(words(f"meters.{meter['state']}", since=when), " ", why)
    return tag("p", told, class_="doing")


def _identity(view: View, meter: Mapping[str, Any]) -> Markup | None:
    rows = [(view.words(f"meters.{key}"), str(meter[key])) for key in _IDENTITY if meter.get(key)]
    return _list(rows) if rows else None


def _list(rows: list[tuple[str, str]]) -> Markup:
    return tag("dl", *(tag("div", tag("dt", what), tag("dd", told)) for what, told in rows))


def _read_now(view: View, meter: Mapping[str, Any]) -> Markup:
    """Asks the meter beside its schedule; with script off the answer is the page again."""
    action = f"api/v1/meters/{quote(str(meter['meter']), safe='')}/read"
    button = tag("button", view.words("read_now"), class_="main")
    return tag(
        "form",
        button,
        tag("p", view.words("read_now.costs"), class_="age", role="status"),
        method="post",
        action=action,
        data_read=True,
    )


def _health(view: View, meter: Mapping[str, Any]) -> Markup | None:
    words = view.words
    rows = [
        (words(f"health.{key}"), words.measured(meter["health"][key], HEALTH[key].unit))
        for key in HEALTH
        if isinstance(meter["health"].get(key), int)
    ]
    filling = meter["health"].get("filling")
    if filling:
        rows.append((words("meters.filling"), str(filling)))
    last = meter["health"].get("last_valid")
    if isinstance(last, datetime):
        rows.append((words("health.last_valid"), words.moment(view.local(last))))
    if not rows:
        return None
    return tag("section", tag("h3", words("meters.line")), _list(rows))


def _values(view: View, meter: Mapping[str, Any]) -> Markup:
    words = view.words
    rows = [
        (
            words.named(key, str(each.get("name", key))),
            words.measured(each["value"], str(each["unit"])),
        )
        for key, each in meter["measurements"].items()
    ]
    return tag("details", tag("summary", words("meters.values")), _list(rows))


def _stored(view: View, stored: Mapping[str, Any]) -> Markup:
    """Devices behind the name, and when nothing was read of late."""
    words = view.words
    lines = []
    for device in stored["devices"]:
        serial = str(device["serial_number"]) or words("meters.no_serial")
        since = words.moment(view.local(device["since"]))
        if device["until"] is None:
            lines.append(words("meters.device", serial=serial, since=since))
        else:
            until = words.moment(view.local(device["until"]))
            lines.append(words("meters.device_until", serial=serial, since=since, until=until))
    name = str(stored["meter"])
    month = (view.today - timedelta(days=31), view.today + timedelta(days=1))
    gaps, events = _gaps(view, name, *month), happened(view, name, *month)
    return tag(
        "section",
        tag("h3", words("meters.kept")),
        *(tag("p", line) for line in lines),
        folded_list(view, words("meters.gaps"), gaps, words("meters.no_gaps")),
        folded_list(view, words("meters.events"), events, None),
    )


def folded_list(view: View, title: str, told: ToldLines, nothing: str | None) -> Markup | None:
    """A list that opens when asked, the newest first; without lines ``nothing``, if anything.

    Of a long one the newest lines, how many more there are, and where the API has them.
    """
    lines, words = told.lines, view.words
    if not lines:
        return tag("p", nothing) if nothing else None
    shown = lines[-_MOST_LINES:][::-1]
    there = len(lines) + told.left_off
    if there > len(shown):
        newest = words("lines.newest", number=words.number(len(lines)))
        link = tag("a", newest if told.left_off else words("lines.all"), href=told.address)
        shown.append(joined(words("lines.more", number=words.number(there - len(shown))), ": ", link))
    summary = tag("summary", f"{title}: {words.number(there)}")
    return tag("details", summary, tag("ul", *(tag("li", line) for line in shown), class_="lines"))


def _gaps(view: View, meter: str, since: date, until: date) -> ToldLines:
    words = view.words
    query = {"meter": meter, "from": since.isoformat(), "to": until.isoformat()}
    try:
        told = view.ask("gaps", query)
    except ExplainedError:  # a meter without a counter has none
        return ToldLines([])
    lines = [
        joined(
            words(
                "meters.gap",
                since=words.moment(view.local(gap["begin"])),
                until=words.moment(view.local(gap["end"])),
            ),
            " ",
            told_reason(view, str(gap["reason"]), str(gap["text"])),
        )
        for gap in told["gaps"]
    ]
    return ToldLines(lines, told["left_off"], f"api/v1/gaps?{urlencode(query)}")


def happened(view: View, meter: str, since: date, until: date) -> ToldLines:
    """What is known to have happened to a meter, oldest first; ``until`` is not included."""
    words = view.words
    query = {"meter": meter, "from": since.isoformat(), "to": until.isoformat()}
    try:
        told = view.ask("events", query)
    except ExplainedError:  # nothing is stored
        return ToldLines([])
    lines = [
        joined(
            words.moment(view.local(event["time"])),
            ": ",
            told_reason(view, str(event["kind"]), str(event["text"]) or str(event["kind"])),
        )
        for event in told["events"]
    ]
    return ToldLines(lines, told["left_off"], f"api/v1/events?{urlencode(query)}")
