"""Lines of text with a bar beside each: what `history show` prints. Pure.

No library for charts: a bar beside a line is one character repeated, and the libraries that draw in a
terminal draw an area with axes, which leaves the exact figures out and needs a terminal of some height. What
a person compares here are lines of a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from smart_meter_reader.console.charset import in_ascii
from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.bars import Bar
from smart_meter_reader.history.rows import RowOrigin

_LEAST_BAR = 8
_MOST_PAUSES = 5
_STAMP = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Look:
    """What the terminal can do: its columns, and whether it has blocks."""

    width: int
    unicode: bool

    def words(self, text: str) -> str:
        """A text as this terminal can show it."""
        return text if self.unicode else in_ascii(text)

    def bar(self, share: Decimal, room: int, *, sure: bool) -> str:
        """A bar of a share of ``room``; what is more than nothing has one character."""
        length = max(round(share * room), 1) if share > 0 else 0
        full, doubtful = ("█", "░") if self.unicode else ("#", ":")
        return (full if sure else doubtful) * min(length, room)


def bar_lines(made: Sequence[Bar], labels: Sequence[str], look: Look) -> Iterator[str]:
    """A line for each bar: label, value, a mark where something is to be known of it, and the bar."""
    values = [_number(bar.difference) for bar in made]
    highest = max((bar.difference for bar in made if bar.difference is not None), default=Decimal(0))
    wide, long = max(map(len, labels), default=0), max(map(len, values), default=0)
    unit = look.words(made[-1].unit) if made else ""
    room = max(look.width - wide - long - len(unit) - 7, _LEAST_BAR)
    for bar, label, value in zip(made, labels, values, strict=True):
        share = bar.difference / highest if bar.difference and highest > 0 else Decimal(0)
        drawn = look.bar(share, room, sure=not bar.estimated)
        yield f"  {label:<{wide}}  {value:>{long}} {unit} {_mark(bar)}{drawn}".rstrip()


def _mark(bar: Bar) -> str:
    if bar.estimated:
        return "~"
    if bar.difference is not None and not bar.complete:
        return "*"
    return "=" if bar.origin is RowOrigin.LOGGER else " "


def explanations(made: Sequence[Bar], house: LocalCalendar, known: tuple[int, int] | None) -> Iterator[str]:
    """What the marks beside the lines mean; ``known``: the first and the last reading that there are."""
    pauses = sorted({pause for bar in made for pause in bar.unread})
    for begin, end in pauses[:_MOST_PAUSES]:
        since, until = f"{house.local(begin):{_STAMP}}", f"{house.local(end):{_STAMP}}"
        yield (
            f"~ estimated: nothing was read from {since} to {until}; what was counted meanwhile is spread "
            "evenly"
        )
    if len(pauses) > _MOST_PAUSES:
        yield f"~ and {len(pauses) - _MOST_PAUSES} such pauses more"
    parts = [bar for bar in made if bar.difference is not None and not bar.complete and not bar.estimated]
    if parts and known:
        yield (
            f"* only a part of it: readings are there from {house.local(known[0]):{_STAMP}} "
            f"to {house.local(known[1]):{_STAMP}}"
            + (", with a break between" if _breaks(parts, known) else "")
        )
    logged = [bar for bar in made if _mark(bar) == "="]
    if logged:
        # Side by side with the day before, they are in no order.
        begin, end = min(bar.begin for bar in logged), max(bar.end for bar in logged)
        yield (
            "= not read at the time: the meter's own memory has told it, from "
            f"{house.local(begin):{_STAMP}} to {house.local(end):{_STAMP}}"
        )


def _breaks(parts: Sequence[Bar], known: tuple[int, int]) -> bool:
    """Whether one that is not whole lies between the first reading and the last."""
    return any(known[0] <= bar.begin and bar.end <= known[1] for bar in parts)


def key_figures(made: Sequence[Bar], labels: Sequence[str], step: Period) -> Iterator[tuple[str, str, str]]:
    """Sum, mean and highest of the bars, as (what, number, remark); nothing where nothing is known."""
    known = [bar.difference for bar in made if bar.difference is not None]
    if not known:
        return
    yield "sum", _number(sum(known, Decimal(0))), ""
    whole = [
        (bar.difference, label)
        for bar, label in zip(made, labels, strict=True)
        if bar.complete and bar.difference is not None
    ]
    if len(whole) > 1:
        mean = sum((value for value, _ in whole), Decimal(0)) / len(whole)
        yield "mean", _number(_as_fine(mean, known[0])), f"each {step}, of {len(whole)} that are whole"
        value, label = max(whole, key=lambda each: each[0])
        yield "highest", _number(value), label.strip()


def figure_lines(rows: Sequence[tuple[str, str, str]], unit: str, look: Look) -> Iterator[str]:
    """Rows of what, number and remark in columns."""
    wide, long = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    for what, number, remark in rows:
        yield look.words(f"  {what:<{wide}}  {number:>{long}} {unit}  {remark}".rstrip())


def _number(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:f}"


def _as_fine(value: Decimal, like: Decimal) -> Decimal:
    exponent = like.as_tuple().exponent
    assert isinstance(exponent, int)
    return value.quantize(Decimal(1).scaleb(exponent))
