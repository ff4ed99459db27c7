"""Charts: tables with all numbers, which the script draws from. Without it the tables are what is seen."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest

from smart_meter_reader.sinks.web.pages.language import PageLanguage
from smart_meter_reader.sinks.web.pages.markup import Markup, tag


@dataclass(frozen=True, slots=True)
class ChartColumn:
    """One kind of number in a chart. ``role``: stack, export (drawn downwards), before, line or none."""

    title: str
    role: str = "stack"


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One bar: what it is called, in short below it, its numbers by column, and where a click leads."""

    label: str
    short: str
    values: tuple[Decimal | None, ...]
    address: str | None = None
    note: str = ""  # what is not certain about it
    estimated: bool = False
    texts: tuple[str, ...] = ()  # of further columns without a place in the chart
    marked: bool = False  # something happened, which the note tells


@dataclass(frozen=True, slots=True)
class BarChart:
    """``number`` tells it from others of the page."""

    number: str
    title: str
    first: str  # what the rows are
    unit: str
    columns: tuple[ChartColumn, ...]
    rows: tuple[ChartRow, ...]
    further: tuple[str, ...] = ()  # titles of further columns
    hatched: str = ""  # what hatched bars are; "": estimated


def bar_chart(words: PageLanguage, chart: BarChart) -> Markup:
    """The figure with the table, which the script puts behind a button."""
    noted = any(row.note for row in chart.rows)
    foot = chart.hatched or words("chart.hatched")
    unit = f" ({chart.unit})" if chart.unit else ""
    heads = [tag("th", chart.first, scope="col")]
    heads += [tag("th", f"{each.title}{unit}", scope="col", data_role=each.role) for each in chart.columns]
    heads += [tag("th", title, scope="col") for title in chart.further]
    if noted:
        heads.append(tag("th", words("chart.note"), scope="col", class_="note"))
    table = tag(
        "table",
        tag("caption", chart.title),
        tag("thead", tag("tr", *heads)),
        tag("tbody", *(_row(words, row, noted) for row in chart.rows)),
    )
    return _figure(
        words,
        chart.number,
        chart.title,
        table,
        " ".join(
            part
            for part, there in (
                (foot, any(row.estimated for row in chart.rows)),
                (words("chart.marks"), any(row.marked for row in chart.rows)),
            )
            if there
        ),
        kind="bars",
        unit=chart.unit,
    )


def _row(words: PageLanguage, row: ChartRow, noted: bool) -> Markup:
    label = tag("a", row.label, href=row.address) if row.address else row.label
    cells = [tag("th", label, scope="row", data_short=row.short)]
    cells += [
        tag("td", words.measured(value), data_v="" if value is None else f"{value:f}") for value in row.values
    ]
    cells += [tag("td", text) for text in row.texts]
    if noted:
        cells.append(tag("td", row.note, class_="note"))
    return tag("tr", *cells, class_="estimated" if row.estimated else None, data_marked=row.marked)


@dataclass(frozen=True, slots=True)
class ChartCurve:
    """One line of a chart over time; ``role`` as in ChartColumn: line or export."""

    quantity: str
    title: str
    unit: str
    values: Sequence[Decimal | None]
    role: str = "line"


@dataclass(frozen=True, slots=True)
class CurveMark:
    """Something that happened along the curves; ``time``: seconds since 1970."""

    time: float
    text: str


@dataclass(frozen=True, slots=True)
class CurveChart:
    """Lines over time. ``times``: seconds since 1970; ``clocks``: the same by the house's clock."""

    number: str
    title: str
    first: str
    times: Sequence[float]
    clocks: Sequence[str]
    curves: tuple[ChartCurve, ...]
    seconds: int  # how long the chart is
    marks: Sequence[CurveMark] = ()  # by time


# So many lines of a table can be taken in; the curve has all.
_MOST_ROWS = 24


def curve_chart(words: PageLanguage, chart: CurveChart) -> Markup:
    """The figure with a table of every so-manieth reading, and beside it what happened until then."""
    unit = chart.curves[0].unit if chart.curves else ""
    foot = words("chart.curve_marks") if chart.marks else ""
    table, told = _curve_table(words, chart), json.dumps(_for_script(chart))
    return _figure(words, chart.number, chart.title, table, foot, kind="curve", unit=unit, curve=told)


def _curve_table(words: PageLanguage, chart: CurveChart) -> Markup:
    heads = [tag("th", chart.first, scope="col")]
    heads += [tag("th", f"{each.title} ({each.unit})", scope="col") for each in chart.curves]
    if chart.marks:
        heads.append(tag("th", words("chart.note"), scope="col", class_="note"))
    step = max(1, -(-len(chart.times) // _MOST_ROWS))
    shown = range(len(chart.times) - 1, -1, -step)
    notes = _notes_beside(chart, shown)
    rows = [
        tag(
            "tr",
            tag("th", chart.clocks[at], scope="row"),
            *(tag("td", words.measured(each.values[at])) for each in chart.curves),
            tag("td", notes[at], class_="note") if chart.marks else None,
        )
        for at in shown
    ]
    return tag("table", tag("caption", chart.title), tag("thead", tag("tr", *heads)), tag("tbody", *rows))


def _for_script(chart: CurveChart) -> dict[str, object]:
    """All that is drawn, as numbers."""
    return {
        "times": [round(time) for time in chart.times],
        "seconds": chart.seconds,
        "marks": [{"time": round(mark.time), "text": mark.text} for mark in chart.marks],
        "curves": [
            {
                "quantity": each.quantity,
                "title": each.title,
                "unit": each.unit,
                "role": each.role,
                "decimals": _decimals(each.values),
                "values": [None if value is None else float(value) for value in each.values],
            }
            for each in chart.curves
        ],
    }


def _notes_beside(chart: CurveChart, shown: Sequence[int]) -> dict[int, str]:
    """What happened until each row since the one before it; after the newest one it stands beside that."""
    notes: dict[int, str] = {}
    for at, earlier in zip_longest(shown, shown[1:]):
        until = math.inf if at == shown[0] else chart.times[at]
        since = -math.inf if earlier is None else chart.times[earlier]
        notes[at] = " ".join(mark.text for mark in chart.marks if since < mark.time <= until)
    return notes


def _decimals(values: Sequence[Decimal | None]) -> int:
    exponents = [value.as_tuple().exponent for value in values if value is not None]
    return max((-each for each in exponents if isinstance(each, int) and each < 0), default=0)


def _figure(
    words: PageLanguage,
    number: str,
    title: str,
    table: Markup,
    foot: str,
    kind: str,
    unit: str,
    curve: str | None = None,
) -> Markup:
    plot = tag(
        "div",
        class_="plot",
        tabindex=0,
        role="group",
        aria_label=words("chart.label", title=title),
        aria_describedby=f"readout-{number}",
    )
    button = tag(
        "button",
        words("chart.table"),
        type_="button",
        class_="toggle",
        aria_expanded="false",
        aria_controls=f"table-{number}",
    )
    return tag(
        "figure",
        tag("figcaption", f"{title} ({unit})" if unit else title),
        plot,
        tag("p", class_="readout", id=f"readout-{number}"),
        tag("p", foot, class_="hatched") if foot else None,
        button,
        tag("div", table, class_="table", id=f"table-{number}"),
        class_=f"chart {kind}",
        data_unit=unit,
        data_curve=curve,
    )
