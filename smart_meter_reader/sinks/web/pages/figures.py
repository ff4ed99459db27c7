"""Numbers in large, each with what it is and a remark."""

from __future__ import annotations

from smart_meter_reader.sinks.web.pages.markup import Markup, joined, tag


def figures(rows: list[tuple[str, str, str]]) -> Markup:
    """Numbers in large: what, how much, and a remark."""
    cells = [
        tag("div", tag("dt", what), tag("dd", _with_unit(told), tag("small", remark) if remark else None))
        for what, told, remark in rows
    ]
    return tag("dl", *cells, class_="figures")


def _with_unit(told: str) -> Markup:
    number, _, unit = told.rpartition("\u00a0")
    return joined(number, " ", tag("span", unit, class_="unit")) if number else joined(told)
