"""What of a home's own production it used itself: chart and figures, where a meter counts the production."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.charts import BarChart, ChartColumn, ChartRow, bar_chart
from smart_meter_reader.sinks.web.pages.counted import deeper, labels
from smart_meter_reader.sinks.web.pages.figures import figures
from smart_meter_reader.sinks.web.pages.markup import Markup, tag
from smart_meter_reader.sinks.web.pages.view import View

_SHOWN = ("produced", "own_use", "imported", "exported", "used", "net")
# Upwards what was used, from here and from the grid; downwards what went out.
_DRAWN = {"own_use": "stack", "imported": "stack", "exported": "export"}


_NOTHING = Decimal(0)


def balance_of(view: View, meter: str, query: Mapping[str, str]) -> dict[str, Any] | None:
    """The answer `balance` of the meter of the grid; None where nothing is produced, or known of it."""
    production = str(view.now.get("production", ""))
    if production in ("", meter):
        return None
    asked = {key: query[key] for key in ("view", "date") if key in query}
    try:
        told = view.ask("balance", {**asked, "meter": meter, "production": production})
    except ExplainedError:  # it is no meter of the grid, or nothing is stored yet: the page is right without
        return None
    return None if told["total"]["own_use"] is None else told


def own_use(view: View, meter: str, query: Mapping[str, str]) -> Markup | None:
    """The chart of a stretch of time with its totals; None as ``balance_of``."""
    told = balance_of(view, meter, query)
    if told is None:
        return None
    title = tag("h2", view.words("balance"))
    return tag("section", title, _chart(view, told), _totals(view, told), class_="balance")


def today(view: View) -> Markup | None:
    """The totals of today as a card."""
    meters = [str(each["meter"]) for each in view.meters if each["medium"] == "electricity"]
    for meter in meters:
        told = balance_of(view, meter, {"view": "day", "date": view.today.isoformat()})
        if told is not None and told["total"]["exported"] is not None:
            link = view.link("history", meter=meter)
            more = tag("p", tag("a", view.words("now.history"), href=link))
            heading = tag("h2", view.words("balance.today"))
            return tag("article", heading, _totals(view, told), more, class_="card meter")
    return None


def _totals(view: View, told: Mapping[str, Any]) -> Markup:
    words, whole = view.words, told["total"]
    shown = [key for key in _SHOWN if whole[key] is not None]
    unit = str(told["unit"])
    return figures([(words(f"balance.{key}"), words.measured(whole[key], unit), "") for key in shown])


def _chart(view: View, told: Mapping[str, Any]) -> Markup:
    words, period, unit = view.words, str(told["period"]), str(told["unit"])
    columns = tuple(ChartColumn(words(f"balance.{key}"), role) for key, role in _DRAWN.items())
    rows = []
    for each in told["bars"]:
        label, short = labels(words, period, each)
        # Two meters are read at two moments: what is less than nothing by that is nothing.
        values = tuple(None if each[key] is None else max(each[key], _NOTHING) for key in _DRAWN)
        rows.append(
            ChartRow(
                label,
                short,
                values,
                deeper(view, period, each["begin"]) if each["own_use"] is not None else None,
                words("bar.estimated") if each["estimated"] else "",
                bool(each["estimated"]),
                tuple(words.measured(each[key], unit) for key in ("produced", "used", "net")),
            )
        )
    further = tuple(words(f"balance.{key}") for key in ("produced", "used", "net"))
    chart = BarChart(
        "balance", words("balance"), words(f"period.{period}"), unit, columns, tuple(rows), further
    )
    return bar_chart(words, chart)
