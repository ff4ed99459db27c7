"""`history show` of what is no counter: temperatures, power and flow, as lowest, mean and highest."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import click

from smart_meter_reader.cli.history.show_table import Look
from smart_meter_reader.history.periods import Period
from smart_meter_reader.history.questions.overview import PeriodShown, Stretch
from smart_meter_reader.history.questions.record import History, Spread


def gauge_lines(
    history: History,
    meter: str,
    quantity: str,
    heading: str,
    shown: Stretch,
    step: Period,
    now: int,
    look: Look,
) -> Iterator[str]:
    """A line for each step, with a bar of its mean. Raises click.UsageError for less than an hour."""
    if step is Period.QUARTER:
        raise click.UsageError("of what is no counter the hours are kept: --step hour")
    house = history.house
    boundaries = [each for each in house.boundaries(step, shown.since, shown.until) if each <= now + 86400]
    made = [each for each in history.spreads(meter, quantity, boundaries) if each.begin <= now]
    yield heading
    yield ""
    if all(each.mean is None for each in made):
        yield "  nothing is known of it"
        return
    labels = [
        f"{house.day_of(each.begin)} {label}"
        if step is Period.HOUR and shown.span is not PeriodShown.DAY
        else label
        for each in made
        for label in [house.label(step, each.begin)]
    ]
    yield from _table(made, labels, look)


def _table(made: list[Spread], labels: list[str], look: Look) -> Iterator[str]:
    rows = [["", "lowest", "mean", "highest"]]
    rows += [
        [label, *("-" if value is None else f"{value:f}" for value in (each.low, each.mean, each.high))]
        for each, label in zip(made, labels, strict=True)
    ]
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    unit = look.words(made[-1].unit)
    room = max(look.width - sum(wide) - len(unit) - 11, 8)
    highest = max((each.mean for each in made if each.mean is not None), default=Decimal(0))
    for row, spread in zip(rows, [None, *made], strict=True):
        share = Decimal(0)
        if spread is not None and spread.mean is not None and highest > 0:
            share = max(spread.mean / highest, Decimal(0))
        numbers = "  ".join(f"{cell:>{size}}" for cell, size in zip(row[1:], wide[1:], strict=True))
        yield f"  {row[0]:<{wide[0]}}  {numbers} {unit} {look.bar(share, room, sure=True)}".rstrip()
