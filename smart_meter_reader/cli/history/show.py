"""`history show`: what the meters counted, as a table with a bar beside each line."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import click

from smart_meter_reader.cli.history.day import Day
from smart_meter_reader.cli.history.place import existing_of, history_settings, producing_meter
from smart_meter_reader.cli.history.show_gauge import gauge_lines
from smart_meter_reader.cli.history.show_table import Look, bar_lines, explanations, figure_lines, key_figures
from smart_meter_reader.cli.history.stored import listed, require_stored
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.console.charset import shows_unicode
from smart_meter_reader.console.environments import complete_environment, environments
from smart_meter_reader.console.wrapping import wrapped
from smart_meter_reader.history.media import main_counters
from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.bars import Bar
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.overview import (
    USUAL_STEP,
    EarlierStretch,
    PeriodShown,
    Stretch,
    comparisons,
    stretch,
)
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.questions.summed import summed_bars
from smart_meter_reader.quantities import QUANTITIES

# More lines than anybody reads; a file is the better place for them.
_MOST_LINES = 1000
_IMPORT = "active_energy_import"
_NAMES = {"today": PeriodShown.DAY, **{str(span): span for span in PeriodShown}}


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.argument("meter", required=False, metavar="[METER]")
@click.option("--quantity", help="Another quantity than the meter's main counter, such as volume or power.")
@click.option(
    "--period",
    type=click.Choice(["today", "day", "week", "month", "year", "all"]),
    default="today",
    show_default=True,
    help="The one in which --day lies.",
)
@click.option("--day", type=Day(), metavar="DATE", help="A day (YYYY-MM-DD); else today.")
@click.option(
    "--step", type=click.Choice([str(each) for each in Period]), help="How long a line lasts; else as fits."
)
def show(
    environment: str | None,
    meter: str | None,
    quantity: str | None,
    period: str,
    day: date | None,
    step: str | None,
) -> int:
    """Show what the meters counted, with a bar beside each line.

    Without METER: each meter's main counter of today. Days are those of the house. A line with ~ is an
    estimate, one with * only a part, one with = from the meter's own memory; below the table stands why.
    `history export` writes the same into a file.
    """
    from smart_meter_reader.cli.settings import load_settings

    if environment and not meter and environment not in environments(Path()):
        environment, meter = None, environment  # the only environment needs no name
    look = Look(shutil.get_terminal_size().columns if sys.stdout.isatty() else 80, shows_unicode(sys.stdout))
    span, now = _NAMES[period], int(time.time())
    settings = load_settings(environment=environment).settings
    path, producer = existing_of(history_settings(settings), settings.environment), producing_meter(settings)
    with History(path) as history, history.snapshot():
        house = history.house
        day = day or house.day_of(now)
        if meter is None:
            if quantity or step or span is not PeriodShown.DAY:
                raise click.UsageError(f"of which meter? there are: {listed(history.meters())}")
            lines = _all_meters(history, house, day, now, look, producer)
        else:
            keys = _quantities(history, meter, quantity)
            counters = _counters(history, meter, keys)
            size = USUAL_STEP[span] if step is None else Period(step)
            shown = stretch(house, span, day, *_days(house, history, counters, now))
            _bound(house, shown, size)
            heading = _heading(_title(meter, keys, producer), house, shown)
            if counters is None:
                lines = gauge_lines(history, meter, keys[0], heading, shown, size, now, look)
            else:
                lines = _one_meter(counters, heading, house, shown, size, now, look)
        for line in lines:
            print(line)
    return EXIT_OK


def _all_meters(
    history: History, house: LocalCalendar, day: date, now: int, look: Look, producer: str
) -> Iterator[str]:
    """A line for each meter: what its main counter has counted on a day, and on the day before."""
    shown = Stretch(PeriodShown.DAY, day, day + timedelta(days=1))
    begin, end = house.midnight(day), house.midnight(shown.until)
    rows = [("", "", f"{day}", "the day before")]
    notes: list[Bar] = []
    for meter in history.meters():
        found = main_counters([kept.quantity for kept in history.kept(meter) if kept.kind == "counter"])
        if not found:
            continue
        counters = [history.counter(meter, key) for key in found[0].quantities]
        (bar,) = summed_bars(counters, (begin, end))
        earlier = comparisons(counters, house, shown, now)
        before = next((each for each in earlier if each.until == day), None)
        name = _name(found[0].key, produced=meter == producer)
        rows.append((meter, name, _value(bar), _value(before.bar if before else None)))
        notes += [bar, before.bar] if before else [bar]
    yield _heading("all meters", house, shown)
    if len(rows) == 1:
        yield "  nothing is counted yet"
        return
    yield ""
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    for meter, name, today, before_ in rows:
        yield look.words(
            f"  {meter:<{wide[0]}}  {name:<{wide[1]}}  {today:>{wide[2]}}  {before_:>{wide[3]}}".rstrip()
        )
    if now < end:
        yield ""
        yield f"  Up to {house.local(now):%H:%M}, of the day before as well."
    for line in explanations([replace(bar, complete=True) for bar in notes], house, None):
        yield from wrapped(line, look.width, "    ").splitlines()


def _one_meter(
    counters: Sequence[CounterHistory],
    heading: str,
    house: LocalCalendar,
    shown: Stretch,
    step: Period,
    now: int,
    look: Look,
) -> Iterator[str]:
    boundaries = house.boundaries(step, shown.since, shown.until)
    made = [bar for bar in summed_bars(counters, boundaries) if bar.begin <= now]
    first = next((at for at, bar in enumerate(made) if bar.difference is not None), len(made))
    # Of all time there is nothing to say before the first reading; of a day one wants to see its hours.
    made = made[first:] if shown.span is PeriodShown.ALL else made
    yield heading
    yield ""
    if all(bar.difference is None for bar in made):
        yield "  nothing is known of it"
        return
    labels = [_label(house, step, shown.span, bar.begin) for bar in made]
    yield from bar_lines(made, labels, look)
    yield ""
    rows = [*key_figures(made, labels, step), *map(_compared, comparisons(counters, house, shown, now))]
    yield from figure_lines(rows, made[-1].unit, look)
    told = list(explanations(made, house, _known(counters)))
    yield from [""] if told else []
    for line in told:
        yield wrapped(line, look.width, "  ")


def _compared(each: EarlierStretch) -> tuple[str, str, str]:
    last = each.until - timedelta(days=1)
    days = f"{each.since}" if last == each.since else f"{each.since} to {last}"
    remarks = [days, "as far as today" if each.to_now else "", "" if each.bar.complete else "not all of it"]
    return each.what, f"{each.bar.difference:f}", ", ".join(filter(None, remarks))


def _quantities(history: History, meter: str, quantity: str | None) -> tuple[str, ...]:
    """What to show of a meter: one quantity, or several that add up. Raises click.UsageError."""
    require_stored("meter", [meter], history.meters())
    kept = [each.quantity for each in history.kept(meter)]
    if quantity is None:
        found = main_counters(kept)
        if not found:
            raise click.UsageError(f"which quantity of {meter}? stored is: {listed(kept)}")
        return found[0].quantities
    of_several = {each.key: each.quantities for each in main_counters(kept)}
    if quantity not in kept and quantity not in of_several:
        raise click.UsageError(f"there is no quantity {quantity} of {meter}; stored is: {listed(kept)}")
    return (quantity,) if quantity in kept else of_several[quantity]


def _counters(history: History, meter: str, keys: Sequence[str]) -> list[CounterHistory] | None:
    """The counters of these quantities; None where it is a gauge that is asked for."""
    if all(kept.kind == "gauge" for kept in history.kept(meter) if kept.quantity == keys[0]):
        return None
    return [history.counter(meter, key) for key in keys]


def _days(
    house: LocalCalendar, history: History, counters: Sequence[CounterHistory] | None, now: int
) -> tuple[date, date]:
    """The first day with readings, and today."""
    if counters is None:
        begins = [segment.since for meter in history.meters() for segment in history.segments(meter)]
    else:
        begins = [counter.parts[0].first.time for counter in counters if counter.parts]
    first = min(begins, default=now)
    return house.day_of(min(first, now)), house.day_of(now)


def _known(counters: Sequence[CounterHistory]) -> tuple[int, int] | None:
    parts = [part for counter in counters for part in counter.parts]
    return (min(part.first.time for part in parts), max(part.last.time for part in parts)) if parts else None


def _bound(house: LocalCalendar, shown: Stretch, step: Period) -> None:
    lines = len(house.boundaries(step, shown.since, shown.until))
    if lines > _MOST_LINES:
        raise click.UsageError(f"these are {lines} lines: choose a longer --step, or use `history export`")


def _label(house: LocalCalendar, step: Period, span: PeriodShown, begin: int) -> str:
    label = house.label(step, begin)
    if step in (Period.QUARTER, Period.HOUR):
        return label if span is PeriodShown.DAY else f"{house.day_of(begin)} {label}"
    return f"{label} {house.local(begin):%a}" if step is Period.DAY else label


def _heading(title: str, house: LocalCalendar, shown: Stretch) -> str:
    last = shown.until - timedelta(days=1)
    days = f"{shown.since:%a %Y-%m-%d}" if last == shown.since else f"{shown.since} to {last}"
    return f"{title}, {days}, {house.zone}"


def _title(meter: str, keys: tuple[str, ...], producer: str) -> str:
    key = keys[0].partition("_tariff_")[0] if len(keys) > 1 else keys[0]
    name = _name(key, produced=meter == producer)
    return f"{meter}, {name.lower()}" if len(keys) == 1 else f"{meter}, {name.lower()} of all tariffs"


def _name(key: str, *, produced: bool) -> str:
    """Of what is produced here some meters count as import what comes from the panels."""
    if produced and key.startswith(_IMPORT):
        return "Production"
    return QUANTITIES[key].name if key in QUANTITIES else key


def _value(bar: Bar | None) -> str:
    if bar is None or bar.difference is None:
        return "-"
    return f"{'~ ' if bar.estimated else ''}{bar.difference:f} {bar.unit}"
