"""Bars of what was counted, as charts: labels, notes on what is estimated, and links that go deeper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.charts import BarChart, ChartColumn, ChartRow, bar_chart
from smart_meter_reader.sinks.web.pages.language import PageLanguage
from smart_meter_reader.sinks.web.pages.marks import ShownMark, bar_text
from smart_meter_reader.sinks.web.pages.markup import Markup
from smart_meter_reader.sinks.web.pages.view import View

# The bars that are views of their own.
_DEEPER = frozenset({"year", "month", "week", "day"})
_MEASURED = "measured"
_WEEK = 7


def labels(words: PageLanguage, period: str, bar: Mapping[str, Any]) -> tuple[str, str]:
    """What a bar is called in a table, and in short below it."""
    begin: datetime = bar["begin"]
    day, label = begin.date(), str(bar["label"])
    match period:
        case "quarter" | "hour":
            return label, label.replace(":00", "", 1) if period == "hour" else label
        case "day":
            weekday = words(f"weekday.short.{day.weekday()}")
            return f"{weekday} {words.day(day, year=False)}", str(day.day)
        case "week":
            told = words("chart.week", number=label.rpartition("W")[2])
            return f"{told}, {words.day(day)}", label.rpartition("W")[2]
        case "month":
            return words.month(day), words(f"month.short.{day.month}")
    return label, label


def why_unsure(words: PageLanguage, bar: Mapping[str, Any]) -> str:
    """Why a bar is not as sure as others, and from when to when; "" when it is."""
    told: list[str] = []
    if bar["difference"] is None:
        return words("bar.unknown")
    unread: Sequence[tuple[datetime, datetime]] = bar.get("unread", ())
    if unread:
        since, until = min(begin for begin, _ in unread), max(end for _, end in unread)
        told.append(words("bar.unread", since=words.moment(since), until=words.moment(until)))
    elif bar["estimated"]:
        told.append(words("bar.estimated"))
    origin = bar.get("origin") or _MEASURED
    if origin != _MEASURED:
        told.append(words(f"origin.{origin}"))
    if not bar.get("complete", True):
        told.append(words("bar.partly"))
    return " ".join(told)


def is_doubtful(bar: Mapping[str, Any]) -> bool:
    """Whether a bar is to look different: estimated, or not read by us at the time."""
    return bool(bar["estimated"]) or (bar.get("origin") or _MEASURED) != _MEASURED


def deeper(view: View, period: str, begin: datetime) -> str | None:
    """The address of the view that shows one bar from within; None for those that have nothing within."""
    return view.link(view=period, date=begin.date().isoformat()) if period in _DEEPER else None


def stacked(
    told: Mapping[str, Any], words: PageLanguage, role: str = "stack"
) -> list[tuple[ChartColumn, list[Decimal | None]]]:
    """The columns of a counter: of each tariff, or the one it is. An export is drawn downwards."""
    tariffs = [each for each in told.get("tariffs", ()) if any(each["differences"])]
    if len(tariffs) > 1:
        return [
            (ChartColumn(words.named(each["quantity"], each["name"]), role), list(each["differences"]))
            for each in tariffs
        ]
    title = words.named(told["quantity"], told["name"])
    return [(ChartColumn(title, role), [bar["difference"] for bar in told["bars"]])]


def counted_chart(
    view: View,
    number: str,
    title: str,
    told: Mapping[str, Any],
    columns: Sequence[tuple[ChartColumn, Sequence[Decimal | None]]],
    *,
    links: bool = True,
    marks: Sequence[ShownMark] = (),
) -> Markup:
    """The bars of ``told`` with these columns; ``marks``: what happened meanwhile."""
    words, period = view.words, str(told["period"])
    rows = []
    is_week = period == "day" and len(told["bars"]) <= _WEEK
    for at, bar in enumerate(told["bars"]):
        label, short = labels(words, period, bar)
        if is_week:
            short = words(f"weekday.short.{bar['begin'].weekday()}")
        # Of what is not over there is nothing to say yet.
        ahead = bar["end"] > view.time and not bar["estimated"]
        happened = bar_text(view, marks, bar["begin"], bar["end"])
        doubt = "" if ahead else why_unsure(words, bar)
        rows.append(
            ChartRow(
                label,
                short,
                tuple(values[at] if at < len(values) else None for _, values in columns),
                deeper(view, period, bar["begin"]) if links and bar["difference"] is not None else None,
                f"{doubt} {happened}".strip(),
                is_doubtful(bar),
                marked=bool(happened),
            )
        )
    first = words(f"period.{period}")
    chart = BarChart(number, title, first, str(told["unit"]), tuple(each for each, _ in columns), tuple(rows))
    return bar_chart(words, chart)


def today_chart(view: View, meter: str, number: str, marks: Sequence[ShownMark] = ()) -> Markup | None:
    """What a meter has counted today, by hours; None where nothing is stored of it."""
    query = {"meter": meter, "view": "day", "date": view.today.isoformat(), "period": "hour"}
    try:
        told = view.ask("bars", query)
    except ExplainedError:  # nothing is stored of it yet: the page is right without
        return None
    if told["total"] is None:
        return None
    title, columns = view.words("now.today"), stacked(told, view.words)
    return counted_chart(view, number, title, told, columns, links=False, marks=marks)


def span_title(words: PageLanguage, span: str, since: date, until: date) -> str:
    """What a view shows: a day, a week, a month, a year, all; ``until`` is its last day."""
    match span:
        case "day":
            return words.long_day(since)
        case "month":
            return words.month(since)
        case "year" if (since.month, since.day) == (1, 1):
            return str(since.year)
        case "week":
            number = words("chart.week", number=str(since.isocalendar().week))
            return f"{number}: {words.day(since, year=since.year != until.year)} – {words.day(until)}"
    return f"{words.day(since)} – {words.day(until)}"
