"""The page Heat: flow and return temperature weighted by volume, beside what the works expects; hints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.charts import BarChart, ChartColumn, ChartRow, bar_chart
from smart_meter_reader.sinks.web.pages.counted import deeper, labels
from smart_meter_reader.sinks.web.pages.figures import figures
from smart_meter_reader.sinks.web.pages.frame import notice, page, paragraphs
from smart_meter_reader.sinks.web.pages.markup import Markup, joined, tag
from smart_meter_reader.sinks.web.pages.past import (
    back_and_forth,
    chosen_meter,
    meter_chips,
    refused_page,
    span_chips,
)
from smart_meter_reader.sinks.web.pages.view import View

_SPANS = ("week", "month", "year", "all")
_MEDIA = ("heat", "cooling")
# What the numbers of hints are in.
_FACT_UNITS = {"volume": "m³", "cooling": "K", "now": "K", "before": "K"}


def heat(view: View) -> str:
    """The page."""
    words = view.words
    title = words("page.heat")
    if not any(each["medium"] in _MEDIA for each in view.meters):
        return page(view, title, notice(words("heat.none"), paragraphs(words("heat.none.do"))))
    meter = chosen_meter(view, *_MEDIA)
    pickers = [meter_chips(view, meter, *_MEDIA), span_chips(view, "year", _SPANS)]
    query = {"meter": str(meter["meter"]), "view": view.query.get("view", "year")}
    query |= {key: view.query[key] for key in ("date", "unit") if key in view.query}
    try:
        told = view.ask("heat", query)
    except ExplainedError as error:
        return page(view, title, *pickers, refused_page(view, error))
    sections = [
        *pickers,
        back_and_forth(view, told),
        _hints(view, told),
        _temperatures(view, told),
        _figures(view, told),
        _energies(view, told),
        tag("p", words("heat.weighted"), class_="age"),
    ]
    return page(view, title, *sections)


def _hints(view: View, told: Mapping[str, Any]) -> Markup | None:
    if not told["hints"]:
        return None
    words = view.words
    hints = [
        tag("p", tag("b", words(f"hint.{hint['kind']}")), " ", _hint(view, hint), class_="hint")
        for hint in told["hints"]
    ]
    return tag("section", tag("h2", words("heat.hints")), *hints, class_="card")


def _hint(view: View, hint: Mapping[str, Any]) -> Markup:
    """A hint's sentence, its numbers and dates as its language writes them; the meter's words are English."""
    words, facts = view.words, hint["facts"]
    if "meaning" in facts:
        return words.around("hint.info_code.meaning", meaning=tag("span", facts["meaning"], lang="en"))
    values = {key: words.measured(facts[key], _FACT_UNITS.get(key, "")) for key in facts if key != "time"}
    if "time" in facts:
        values["time"] = words.moment(view.local(facts["time"]))
    return joined(words(f"hint.{hint['kind']}.told", **values))


def _figures(view: View, told: Mapping[str, Any]) -> Markup | None:
    words, rows = view.words, []
    whole = told.get("total")
    if whole:
        for key in ("flow", "return", "cooling"):
            if whole[key] is not None:
                unit = "K" if key == "cooling" else "°C"
                rows.append((words(f"heat.{key}"), words.measured(whole[key], unit), words("heat.whole")))
        if whole.get("expected_return") is not None:
            expected = words.measured(whole["expected_return"], "°C")
            rows.append((words("heat.expected_return"), expected, ""))
    night = told["night"]
    if night is not None:
        time = words.moment(view.local(night["begin"]))
        rows.append((words("heat.night"), words.measured(night["volume"], "m³"), time))
    return figures(rows) if rows else None


def _temperatures(view: View, told: Mapping[str, Any]) -> Markup:
    """Flow, return and what is expected as marks: a temperature has no zero to stand on."""
    words = view.words
    if all(each["flow"] is None for each in told["periods"]):
        return notice(words("heat.unweighted"), paragraphs(words("heat.unweighted.do")))
    keys = ["flow", "return"]
    if any(each.get("expected_return") is not None for each in told["periods"]):
        keys.append("expected_return")
    columns = tuple(ChartColumn(words(f"heat.{key}"), "mark") for key in keys)
    rows = []
    for each in told["periods"]:
        label, short = labels(words, told["period"], each)
        rows.append(
            ChartRow(
                label,
                short,
                tuple(each.get(key) for key in keys),
                _deeper(view, told, each),
                words("bar.estimated") if each["estimated"] else "",
                bool(each["estimated"]),
                (words.measured(each["cooling"], "K"), words.measured(each["volume"], "m³")),
            )
        )
    first = words(f"period.{told['period']}")
    further = (words("heat.cooling"), words("quantity.volume"))
    chart = BarChart("warmth", words("heat.temperatures"), first, "°C", columns, tuple(rows), further)
    return bar_chart(words, chart)


def _energies(view: View, told: Mapping[str, Any]) -> Markup | None:
    words = view.words
    if all(each["energy"] is None for each in told["periods"]):
        return None
    rows = []
    for each in told["periods"]:
        label, short = labels(words, told["period"], each)
        energy = (each["energy"],)
        rows.append(ChartRow(label, short, energy, None, "", bool(each["estimated"])))
    title, unit = words("quantity.heat_energy"), str(told.get("unit", ""))
    first = words(f"period.{told['period']}")
    return bar_chart(words, BarChart("energy", title, first, unit, (ChartColumn(title),), tuple(rows)))


def _deeper(view: View, told: Mapping[str, Any], each: Mapping[str, Any]) -> str | None:
    if told["period"] not in ("month", "year") or each["volume"] is None:
        return None
    return deeper(view, told["period"], each["begin"])
