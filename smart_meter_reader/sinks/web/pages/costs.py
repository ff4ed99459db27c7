"""The page Costs: every bar in money, by the contracts of the settings, and what the year will cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.charts import BarChart, ChartColumn, ChartRow, bar_chart
from smart_meter_reader.sinks.web.pages.counted import deeper, labels
from smart_meter_reader.sinks.web.pages.figures import figures
from smart_meter_reader.sinks.web.pages.frame import notice, page, paragraphs
from smart_meter_reader.sinks.web.pages.markup import Markup, tag
from smart_meter_reader.sinks.web.pages.own_use import balance_of
from smart_meter_reader.sinks.web.pages.past import (
    back_and_forth,
    chosen_meter,
    meter_chips,
    nothing_stored,
    span_chips,
)
from smart_meter_reader.sinks.web.pages.refusals import error_sentence, problem
from smart_meter_reader.sinks.web.pages.view import View

_CENT, _FINER = Decimal("0.01"), Decimal("0.0001")
# How each part stands in the chart; what is fed in is paid back.
_PARTS = {"energy": "stack", "fixed": "stack", "feed_in": "export"}


def costs(view: View) -> str:
    """The page."""
    words = view.words
    title = words("page.costs")
    if not view.meters:
        return page(view, title, nothing_stored(view))
    query = {"view": view.query.get("view", "month")}
    query |= {key: view.query[key] for key in ("meter", "date", "medium") if key in view.query}
    try:
        told = view.ask("costs", query)
    except ExplainedError as error:
        # Whichever it is, to write a contract is what helps most.
        hint = notice(
            words("costs.none"), paragraphs(words("costs.none.do")), tag("p", error_sentence(words, error))
        )
        return page(view, title, meter_chips(view, chosen_meter(view)), hint)
    problems = [tag("p", problem(words, each), class_="problem") for each in told["problems"]]
    # Without a meter in the address it is the first one with a contract.
    meter = next((each for each in view.meters if each["meter"] == told["meter"]), view.meters[0])
    sections = [
        meter_chips(view, meter),
        span_chips(view, "month"),
        back_and_forth(view, told),
        _chart(view, told),
        *problems,
        _figures(view, told),
    ]
    return page(view, title, *sections, tag("p", words("costs.as_entered"), class_="age"))


def _rounded(amount: Decimal | None, period: str = "") -> Decimal | None:
    """As money is written, of hours finer; the sum was made with all digits."""
    fine = period in ("hour", "quarter")
    return None if amount is None else amount.quantize(_FINER if fine else _CENT)


def _figures(view: View, told: Mapping[str, Any]) -> Markup:
    words, currency = view.words, str(told["currency"])
    rows = [(words("total"), words.measured(_rounded(told["total"]), currency), "")]
    if told["year_expected"] is not None:
        expected = words.measured(_rounded(told["year_expected"]), currency)
        rows.append((words("costs.year"), expected, words("costs.year.how")))
    balance = balance_of(view, str(told["meter"]), {"view": "month", **view.query})
    if balance is not None and told["medium"] == "electricity":
        used = words.measured(balance["total"]["own_use"], str(balance["unit"]))
        rows.append((words("balance.own_use"), used, words("balance.unpaid")))
    return figures(rows)


def _chart(view: View, told: Mapping[str, Any]) -> Markup:
    words, period, unit = view.words, str(told["period"]), str(told["unit"])
    parts = [key for key in _PARTS if any(each[key] for each in told["bars"])] or ["energy"]
    columns = tuple(ChartColumn(words(f"costs.{key}"), _PARTS[key]) for key in parts)
    rows = []
    for each in told["bars"]:
        label, short = labels(words, period, each)
        values = tuple(_rounded(each[key], period) for key in parts)
        rows.append(
            ChartRow(
                label,
                short,
                values,
                deeper(view, period, each["begin"]),
                words("costs.unpriced") if each["unpriced"] else "",
                bool(each["unpriced"]),
                (words.measured(_rounded(each["total"], period)), words.measured(each["used"], unit)),
            )
        )
    title, further = words("page.costs"), (words("total"), words("costs.used"))
    first = words(f"period.{period}")
    chart = BarChart(
        "costs",
        title,
        first,
        str(told["currency"]),
        columns,
        tuple(rows),
        further,
        words("costs.hatched"),
    )
    return bar_chart(words, chart)
