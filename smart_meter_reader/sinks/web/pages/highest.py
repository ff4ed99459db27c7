"""The highest quarters of an hour of a year by month, as capacity tariffs bill them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.charts import BarChart, ChartColumn, ChartRow, bar_chart
from smart_meter_reader.sinks.web.pages.counted import labels
from smart_meter_reader.sinks.web.pages.markup import Markup, tag
from smart_meter_reader.sinks.web.pages.view import View


def peaks(view: View, meter: Mapping[str, Any], this: Mapping[str, Any]) -> Markup | None:
    """A chart of twelve months; None for other views than a year, and where no quarter was measured."""
    if meter["medium"] != "electricity" or view.query.get("view") != "year":
        return None
    words = view.words
    last = min(this["to"] - timedelta(days=1), view.today)
    try:
        told = view.ask("peaks", {"meter": str(meter["meter"]), "date": last.isoformat()})
    except ExplainedError:  # without it the page is whole
        return None
    if all(each["power"] is None for each in told["months"]):
        return None
    rows = []
    for each in told["months"]:
        label, short = labels(words, "month", each)
        when = words.moment(view.local(each["peak"])) if each["peak"] else "–"
        address = None
        if each["peak"]:
            address = view.link(view="day", date=view.local(each["peak"]).date().isoformat())
        rows.append(ChartRow(label, short, (each["power"],), address, texts=(when,)))
    title = words("peaks")
    columns, further = (ChartColumn(words("peaks.highest")),), (words("chart.time"),)
    unit = str(told["unit"])
    chart = BarChart("peaks", title, words("period.month"), unit, columns, tuple(rows), further)
    billed = None
    if told["billed"] is not None:
        billed = tag("p", words("peaks.billed", power=words.measured(told["billed"], unit)), class_="age")
    return tag("section", tag("h2", title), billed, bar_chart(words, chart))
