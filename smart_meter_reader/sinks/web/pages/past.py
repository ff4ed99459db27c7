"""The page History: a meter by day, week, month, year or all; back and forth, and beside earlier periods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.charts import ChartColumn
from smart_meter_reader.sinks.web.pages.counted import counted_chart, labels, span_title, stacked
from smart_meter_reader.sinks.web.pages.devices import folded_list, happened
from smart_meter_reader.sinks.web.pages.figures import figures
from smart_meter_reader.sinks.web.pages.frame import chips, notice, page, paragraphs
from smart_meter_reader.sinks.web.pages.highest import peaks
from smart_meter_reader.sinks.web.pages.marks import marks
from smart_meter_reader.sinks.web.pages.markup import Markup, tag
from smart_meter_reader.sinks.web.pages.own_use import own_use
from smart_meter_reader.sinks.web.pages.refusals import error_sentence
from smart_meter_reader.sinks.web.pages.view import View

SPANS = ("day", "week", "month", "year", "all")
_COMPARED = {"before": "before", "year": "year_before"}
_CARRIED = ("meter", "quantity", "view", "date", "unit", "compare", "lang")
# A leap year.
_MOST_TOLD = timedelta(days=366)
_UNITS = {
    "kWh": ("kWh", "MWh", "GJ"),
    "MWh": ("MWh", "kWh", "GJ"),
    "GJ": ("GJ", "kWh", "MWh"),
    "m³": ("m³", "L"),
}


def past(view: View) -> str:
    """The page."""
    words = view.words
    if not view.meters:
        return page(view, words("page.history"), nothing_stored(view))
    meter = chosen_meter(view)
    pickers = [meter_chips(view, meter), span_chips(view, "day")]
    query = {key: view.query[key] for key in ("quantity", "unit", "date") if key in view.query}
    query |= {"meter": meter["meter"], "view": view.query.get("view", "day"), "tariffs": "yes"}
    compared = view.query.get("compare", "")
    try:
        told = view.ask("compare" if compared in _COMPARED else "bars", query)
    except ExplainedError as error:
        return page(view, words("page.history"), *pickers, refused_page(view, error))
    other = told[_COMPARED[compared]] if compared in _COMPARED else None
    this = told["this"] if compared in _COMPARED else told
    out = _export(view, meter, query, this) if other is None else None
    sections = [
        *pickers,
        back_and_forth(view, this),
        _chart(view, meter, this, out, other, compared),
        _compare_chips(view, compared),
        _figures(view, this, out, other, compared),
        own_use(view, str(meter["meter"]), query),
        peaks(view, meter, this),
        _happened(view, meter, this),
        _other_quantity(view, meter, this),
    ]
    return page(view, words("page.history"), *sections)


def nothing_stored(view: View) -> Markup:
    """Instead of what is stored: that there is nothing yet, and what to do."""
    return notice(view.words("stored.none"), paragraphs(view.words("stored.none.do")))


def refused_page(view: View, error: ExplainedError) -> Markup:
    """A question that could not be answered."""
    return notice(view.words("refused"), tag("p", error_sentence(view.words, error)), kind="problem")


def chosen_meter(view: View, *media: str) -> dict[str, Any]:
    """The stored meter that the address names, else the first; of those of the media, if any are named."""
    asked = view.query.get("meter")
    fitting = [each for each in view.meters if not media or each["medium"] in media]
    return next((each for each in fitting if each["meter"] == asked), fitting[0])


def meter_chips(view: View, meter: Mapping[str, Any], *media: str) -> Markup | None:
    """Links to each meter; None for a single one."""
    shown = [each for each in view.meters if not media or each["medium"] in media]
    if len(shown) < 2:
        return None
    links = [
        (each["meter"], view.link(meter=each["meter"], quantity=None, unit=None), each is meter)
        for each in shown
    ]
    return chips(view.words("meter"), links)


def span_chips(view: View, usual: str, spans: tuple[str, ...] = SPANS) -> Markup:
    """Links to the same day in a longer or shorter view."""
    words, now = view.words, view.query.get("view", usual)
    return chips(
        words("span"), [(words(f"span.{each}"), view.link(view=each), each == now) for each in spans]
    )


def back_and_forth(view: View, told: Mapping[str, Any]) -> Markup:
    """The name of the view between links to the one before and after; without those where nothing is."""
    words, where = view.words, told["view"]
    since: date = told["from"]
    until: date = told["to"] - timedelta(days=1)
    title = tag("h2", span_title(words, where["view"] if where else "", since, until))
    if not where or where["previous"] is None:
        return tag("div", title, class_="between")
    return tag(
        "div",
        _step(view, "‹", words("back"), where["previous"], there=where["earlier"], rel="prev"),
        title,
        _step(view, "›", words("forth"), where["next"], there=where["later"], rel="next"),
        class_="between",
    )


def _step(view: View, sign: str, title: str, day: date | None, *, there: bool, rel: str) -> Markup:
    if not there or day is None:
        return tag("span", sign, class_="step", aria_hidden="true")
    address = view.link(date=day.isoformat())
    return tag("a", sign, class_="step", href=address, rel=rel, aria_label=title, title=title)


def _compare_chips(view: View, compared: str) -> Markup | None:
    words = view.words
    span = view.query.get("view")
    if span == "all":
        return None
    links = [(words("compare.none"), view.link(compare=None), compared not in _COMPARED)]
    # Of a year the one before is the year before.
    shown = [each for each in _COMPARED if span != "year" or each == "year"]
    links += [(words(f"compare.{each}"), view.link(compare=each), each == compared) for each in shown]
    return chips(words("compare"), links, labelled=True)


def _figures(
    view: View,
    this: Mapping[str, Any],
    out: Mapping[str, Any] | None,
    other: Mapping[str, Any] | None,
    compared: str,
) -> Markup:
    """Total, mean, highest, and the total of what it is compared with."""
    words, unit = view.words, str(this["unit"])
    rows = [(words("total"), words.measured(this["total"], unit), "")]
    if out is not None:
        rows.append((words("fed_in"), words.measured(out["total"], unit), ""))
    if this["mean"] is not None and len(this["bars"]) > 1:
        rows.append((words(f"mean.{this['period']}"), words.measured(this["mean"], unit), ""))
    best = this["highest"]
    if best is not None and len(this["bars"]) > 1:
        label, _ = labels(words, this["period"], best)
        rows.append((words("highest"), words.measured(best["difference"], unit), label))
    if other is not None:
        rows.append((words(f"compare.{compared}"), *_earlier(view, this, other)))
    elif compared in _COMPARED:
        rows.append((words(f"compare.{compared}"), "–", words("compare.nothing")))
    return figures(rows)


def _earlier(view: View, this: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, str]:
    """What the other period counted, of a running one up to the same moment; and how this one differs."""
    until_now = other.get("total_to_now")
    told = other["total"] if until_now is None else until_now
    remark = _share(view, this["total"], told)
    if until_now is not None:
        remark = f"{remark} {view.words('compare.to_now')}".strip()
    return view.words.measured(told, str(this["unit"])), remark


def _share(view: View, this: Decimal | None, other: Decimal | None) -> str:
    """How much more or less than the other one, in per cent."""
    if not this or not other or other <= 0:
        return ""
    change = (this - other) * 100 / other
    told = view.words.number(change, 0)
    return f"+{told}\u00a0%" if round(change) > 0 else f"{told}\u00a0%"


def _chart(
    view: View,
    meter: Mapping[str, Any],
    this: Mapping[str, Any],
    out: Mapping[str, Any] | None,
    other: Mapping[str, Any] | None,
    compared: str,
) -> Markup:
    words = view.words
    if this["total"] is None:
        return notice(words("bars.none"), paragraphs(words("bars.none.do")))
    columns = stacked(this, words)
    if other is not None:
        earlier = [bar["difference"] for bar in other["bars"]]
        columns = stacked({**this, "tariffs": []}, words)
        columns.append((ChartColumn(words(f"compare.{compared}"), "before"), earlier))
    elif out is not None:
        columns = [*columns, *stacked(out, words, "export")]
    title = words.named(this["quantity"], this["name"]) if out is None else words("medium.electricity")
    return counted_chart(view, "history", title, this, columns, marks=marks(view, meter, this))


def _export(
    view: View, meter: Mapping[str, Any], query: Mapping[str, str], this: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """What went out meanwhile, where a meter counts that; None for none."""
    main = next((each for each in meter["mains"] if each["medium"] == "export"), None)
    if main is None or meter["medium"] != "electricity" or "quantity" in query:
        return None
    told = view.ask("bars", {**query, "quantity": main["quantity"], "unit": str(this["unit"])})
    return told if told["total"] else None


def _happened(view: View, meter: Mapping[str, Any], this: Mapping[str, Any]) -> Markup | None:
    """Swaps, outages and the like while that was counted; of all years it would be too much."""
    since, until = this["from"], min(this["to"], view.today + timedelta(days=1))
    if not timedelta(0) < until - since <= _MOST_TOLD:
        return None
    told = happened(view, str(meter["meter"]), since, until)
    found = folded_list(view, view.words("happened"), told, None)
    return tag("section", found, class_="card") if found else None


def _other_quantity(view: View, meter: Mapping[str, Any], this: Mapping[str, Any]) -> Markup:
    """A form for what few look at: another counter of the meter, or another unit."""
    words = view.words
    counters = [each for each in meter["quantities"] if each["kind"] == "counter"]
    options = [
        tag("option", words.named(each["quantity"], each["name"]), value=each["quantity"],
            selected=each["quantity"] == this["quantity"])
        for each in counters
    ]  # fmt: skip
    units = _UNITS.get(str(this["unit"]), ())
    unit_options = [tag("option", unit, selected=unit == this["unit"]) for unit in units]
    hidden = [
        tag("input", type_="hidden", name_=key, value=view.query[key])
        for key in _CARRIED
        if key in view.query and key not in ("quantity", "unit")
    ]
    chooser = tag("label", words("quantity"), tag("select", *options, name_="quantity"))
    unit = tag("label", words("unit"), tag("select", *unit_options, name_="unit")) if units else None
    button = tag("button", words("show"))
    form = tag("form", *hidden, chooser, unit, button, method="get", action="history", class_="row")
    return tag("details", tag("summary", words("quantity.other")), form, class_="card")
