"""The page Now: each meter with its value in large, what it is doing, how old that is, and the last hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.messages import METER_REPORTS
from smart_meter_reader.sinks.web.pages.charts import ChartCurve, CurveChart, CurveMark, curve_chart
from smart_meter_reader.sinks.web.pages.counted import today_chart
from smart_meter_reader.sinks.web.pages.frame import chips, instant, notice, page, paragraphs, told_reason
from smart_meter_reader.sinks.web.pages.marks import ShownMark, moment_and_text, recent_marks
from smart_meter_reader.sinks.web.pages.markup import Markup, joined, tag
from smart_meter_reader.sinks.web.pages.own_use import today
from smart_meter_reader.sinks.web.pages.view import View

_RANGES = {"hour": 60, "day": 1440}
_POINTS = 240
# What people look at first, the best first.
_HEADLINES = ("power", "active_power_import", "active_power_net", "volume_flow")
_EXPORT = "active_power_export"
_ONE_WAY = ("active_power_import", _EXPORT)
# What is worth a line below, as far as the meter tells it.
_MORE = (
    "heat_energy", "cooling_energy", "flow_temperature", "return_temperature", "temperature_difference",
    "volume_flow", "volume", "active_energy_import", "active_energy_import_tariff_1",
    "active_energy_import_tariff_2", "active_energy_export", "active_energy_export_tariff_1",
    "active_energy_export_tariff_2", "active_power_export", "gas_volume", "water_volume", "voltage_l1",
    "water_temperature",
)  # fmt: skip
_MOST_MORE = 8
# Each is a question of its own, and a page has two seconds: on a busy computer what is further down has none.
_MOST_CURVES = 12
_SURE_CURVES = 3
_CURVES_SECONDS = 1.0
# Of more meters than these, those that do not answer are named above all; so many of them.
_MOST_SEEN = 6
_MOST_NAMED = 12


def present(view: View) -> str:
    """The page."""
    words = view.words
    meters: list[dict[str, Any]] = view.now["meters"]
    span = view.query.get("range", "hour")
    span = span if span in _RANGES else "hour"
    if not meters:
        nothing = notice(words("now.none"), paragraphs(words("now.none.do")))
        return page(view, words("page.now"), nothing)
    links = [
        (words(f"range.{each}"), view.link(range=None if each == "hour" else each), each == span)
        for each in _RANGES
    ]
    happened = recent_marks(view, view.time - timedelta(minutes=_RANGES[span]))
    until = monotonic() + _CURVES_SECONDS
    cards = [
        _card(view, meter, span, number, happened.get(str(meter["meter"]), []), until)
        for number, meter in enumerate(meters)
    ]
    return page(
        view,
        words("page.now"),
        tag("p", words("now.stored"), class_="age") if view.environments else None,
        chips(words("range"), links),
        tag("div", _down(view, meters), *cards, today(view), class_="cards", data_live="api/v1/stream"),
    )


def _down(view: View, meters: Sequence[Mapping[str, Any]]) -> Markup | None:
    """Which meters do not answer, with a way to each, where there are more of them than one sees at once."""
    down = [
        (number, str(meter["meter"]))
        for number, meter in enumerate(meters)
        if meter["state"] == "offline" and meter["reason"] != "starting"
    ]
    if not down or len(meters) <= _MOST_SEEN:
        return None
    links = [tag("a", name, href=f"#meter-{number}") for number, name in down[:_MOST_NAMED]]
    more = [view.words("now.down.more", number=str(len(down) - _MOST_NAMED))] * (len(down) > _MOST_NAMED)
    told = view.words("now.down", number=str(len(down)), all=str(len(meters)))
    return tag("p", told, " ", joined(*links, *more, by=" · "), class_="down")


def title_of(view: View, meter: Mapping[str, Any]) -> Markup:
    """A meter's name as its owner wrote it, and what flows through it."""
    medium = str(meter.get("medium") or "")
    sort = tag("span", view.words(f"medium.{medium}"), class_="medium") if medium else None
    return tag("h2", str(meter["meter"]), " " if sort else None, sort)


def value_with_unit(view: View, meter: Mapping[str, Any], key: str) -> Markup:
    """One measurement with its unit, such that the script can renew it."""
    measurement = meter["measurements"][key]
    value, unit = measurement["value"], measurement["unit"]
    told = view.words.measured(value)
    decimals = max(0, told_exponent(value)) if isinstance(value, Decimal) else 0
    number = tag("span", told, data_quantity=key, data_decimals=decimals)
    return joined(number, tag("span", f"\u00a0{unit}", class_="unit")) if unit else number


def told_exponent(value: Decimal) -> int:
    """How many decimals a number has."""
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _card(
    view: View, meter: dict[str, Any], span: str, number: int, happened: Sequence[ShownMark], until: float
) -> Markup:
    """``until`` when, by the clock that does not jump, a curve is still asked for."""
    measurements: Mapping[str, Any] = meter["measurements"]
    state = str(meter["state"])
    head = headline(meter)
    feeding = head == _EXPORT
    drawn = number < _SURE_CURVES or (number < _MOST_CURVES and monotonic() < until)
    value = None
    if head is not None:
        name = _power_name(view, meter, head, str(measurements[head].get("name", head)))
        value = joined(
            tag("p", name, class_="what"),
            tag("p", value_with_unit(view, meter, head), class_="value"),
        )
    return tag(
        "article",
        title_of(view, meter),
        value,
        tag("p", _sentence(view, meter, head), class_="doing"),
        _reported(view, meter),
        _age(view, meter),
        _curve(view, meter, span, f"m{number}", happened) if drawn else None,
        _more(view, meter, head),
        tag("p", tag("a", view.words("now.history"), href=view.link("history", meter=str(meter["meter"])))),
        id=f"meter-{number}",
        class_=f"card meter {'waiting' if meter['reason'] == 'starting' else state}",
        data_meter=str(meter["meter"]),
        data_state=f"{state} {meter['reason']}",
        data_feeding="yes" if feeding else "no",
        data_value=head,
    )


def headline(meter: Mapping[str, Any]) -> str | None:
    """The quantity to show in large: what flows now, else what is counted, else any number."""
    told: Mapping[str, Any] = meter["measurements"]
    export = told.get(_EXPORT)
    if export is not None and isinstance(export["value"], Decimal | int) and export["value"] > 0:
        return _EXPORT
    candidates = (*_HEADLINES, str(meter.get("main") or ""), *_MORE, *told)
    return next((key for key in candidates if key in told), None)


def _sentence(view: View, meter: Mapping[str, Any], head: str | None) -> Markup:
    words, told = view.words, meter["measurements"]
    detail, since = str(meter.get("detail") or ""), meter.get("since")
    if meter["state"] != "online":
        if meter["reason"] == "starting":
            return joined(words("doing.starting"))
        when = instant(since, _when(view, view.local(since))) if since else words("doing.unknown")
        why = told_reason(view, str(meter["reason"]), detail)
        before = joined(" ", words("doing.before")) if told and meter["state"] == "offline" else None
        return joined(words.around(f"doing.{meter['state']}", since=when), before, " ", why)
    if detail and meter["reason"] not in ("", METER_REPORTS):
        return told_reason(view, str(meter["reason"]), detail)
    if head is None:
        return joined(words("doing.nothing"))
    now = value_with_unit(view, meter, head)
    if _produces(view, meter, head):
        return words.around("doing.production", now=now)
    if head == "power" and {"flow_temperature", "return_temperature"} <= set(told):
        flow, back = (value_with_unit(view, meter, key) for key in ("flow_temperature", "return_temperature"))
        return words.around("doing.heat", power=now, flow=flow, back=back)
    return words.around(f"doing.{_DOING.get(head, 'counter')}", now=now)


def _power_name(view: View, meter: Mapping[str, Any], key: str, name: str) -> str:
    return view.words("balance.produced") if _produces(view, meter, key) else view.words.named(key, name)


def _produces(view: View, meter: Mapping[str, Any], head: str) -> bool:
    """Whether it is the power of the home's own production, which some meters count as import."""
    return meter["meter"] == view.now.get("production") and head in _ONE_WAY


def _reported(view: View, meter: Mapping[str, Any]) -> Markup | None:
    """What the meter says is wrong with itself."""
    if meter["state"] != "online" or meter["reason"] != METER_REPORTS:
        return None
    return tag("p", told_reason(view, METER_REPORTS, str(meter.get("detail") or "")), class_="hint")


_DOING = {
    "power": "power",
    "active_power_import": "import",
    "active_power_export": "export",
    "active_power_net": "net",
    "volume_flow": "flow",
}


def _age(view: View, meter: Mapping[str, Any]) -> Markup | None:
    seconds = meter.get("age_seconds")
    if seconds is None:
        return None
    read = datetime.fromtimestamp(view.time.timestamp() - float(seconds), view.zone)
    told = tag("span", view.words.age(float(seconds)), data_time=round(read.timestamp()))
    time = instant(read, _when(view, read, seconds=True))
    return tag("p", view.words.around("now.read", age=told, time=time), class_="age")


def _when(view: View, time: datetime, *, seconds: bool = False) -> str:
    """The time alone for today, with its day else."""
    clock = view.words.clock(time, seconds=seconds)
    return clock if time.date() == view.today else f"{view.words.day(time.date())} {clock}"


def _more(view: View, meter: dict[str, Any], head: str | None) -> Markup | None:
    told = meter["measurements"]
    keys = [key for key in _MORE if key in told and key != head][:_MOST_MORE]
    if not keys:
        return None
    rows = [
        tag(
            "div",
            tag("dt", view.words.named(key, str(told[key].get("name", key)))),
            tag("dd", value_with_unit(view, meter, key)),
        )
        for key in keys
    ]
    return tag("dl", *rows)


def _curve(
    view: View, meter: Mapping[str, Any], span: str, number: str, happened: Sequence[ShownMark]
) -> Markup | None:
    """The readings of the last hour or day; for a meter that only counts, what it has counted today."""
    name = str(meter["meter"])
    try:
        told = view.ask("recent", {"meter": name, "minutes": str(_RANGES[span]), "points": str(_POINTS)})
    except ExplainedError:  # nothing is stored yet: the page Now is right without
        told = {"series": [], "times": [], "values": []}
    counters = _counters(view, name)
    pairs = zip(told["series"], told["values"], strict=True)
    drawn = [(series, values) for series, values in pairs if series["quantity"] not in counters]
    if not drawn or not told["times"]:
        return today_chart(view, name, number, happened)
    unit = drawn[0][0]["unit"]
    curves = tuple(
        ChartCurve(
            series["quantity"],
            _power_name(view, meter, series["quantity"], series["name"]),
            series["unit"],
            values,
            "export" if series["quantity"] == _EXPORT else "line",
        )
        for series, values in drawn
        if series["unit"] == unit
    )
    clocks = [
        view.words.clock(datetime.fromtimestamp(time, view.zone), seconds=span == "hour")
        for time in told["times"]
    ]
    title, first = view.words(f"range.{span}"), view.words("chart.time")
    marks = [CurveMark(mark.time.timestamp(), moment_and_text(view, mark)) for mark in happened]
    chart = CurveChart(number, title, first, told["times"], clocks, curves, _RANGES[span] * 60, marks)
    return curve_chart(view.words, chart)


def _counters(view: View, meter: str) -> set[str]:
    found = next((each for each in view.meters if each["meter"] == meter), None)
    return {each["quantity"] for each in found["quantities"] if each["kind"] == "counter"} if found else set()
