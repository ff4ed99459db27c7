"""`history export`: what the meters counted as a file for another program, or for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click

from smart_meter_reader.cli.history.day import Day, require_order
from smart_meter_reader.cli.history.place import existing_history
from smart_meter_reader.cli.history.stored import require_stored
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.output_file import check_writable
from smart_meter_reader.files import whole_file
from smart_meter_reader.history.exports.csv_text import write_for_machines, write_for_people
from smart_meter_reader.history.exports.json_lines import write_json
from smart_meter_reader.history.exports.lines import ExportLine, Selection, counters, lines
from smart_meter_reader.history.exports.words import LANGUAGES, Language
from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.record import History

_READINGS = "readings"
_TOLD_EVERY = 5000


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--meter", "meters", multiple=True, help="Only this meter; may be given several times.")
@click.option("--quantity", "quantities", multiple=True, help="Only this quantity, such as heat_energy.")
@click.option("--from", "since", type=Day(), metavar="DATE", help="The first day (YYYY-MM-DD).")
@click.option("--to", "until", type=Day(), metavar="DATE", help="The last day, included.")
@click.option(
    "--step",
    type=click.Choice([*(str(each) for each in Period), _READINGS]),
    default="day",
    show_default=True,
    help="How long a line lasts; readings: from one stored reading to the next.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "csv-people", "xlsx", "json"]),
    default="csv",
    show_default=True,
    help="csv is for machines, csv-people and xlsx are for spreadsheets.",
)
@click.option(
    "--language",
    type=click.Choice(list(LANGUAGES)),
    default="en",
    show_default=True,
    help="Of csv-people and xlsx.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file; else standard output."
)
@click.option("--replace", is_flag=True, help="Write the file even where it exists.")
def export(
    environment: str | None,
    meters: tuple[str, ...],
    quantities: tuple[str, ...],
    since: date | None,
    until: date | None,
    step: str,
    kind: str,
    language: str,
    output: Path | None,
    replace: bool,
) -> int:
    """Write what the meters counted as CSV, XLSX or JSON.

    A line has start, end, meter, quantity, the counter at both, their difference and unit, whether it is
    estimated, and where it comes from. The differences of any lines that join add up to what the counter
    shows. Days are those of the house. A file is written whole or not at all.
    """
    if output is not None:
        check_writable(output, replace=replace, instead="choose another name, or --replace it")
    elif kind == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("a spreadsheet is nothing for a terminal: name a file with -o")
    require_order(("--from", since), ("--to", until))
    selection = Selection(
        None if step == _READINGS else Period(step),
        meters,
        quantities,
        since,
        until + timedelta(days=1) if until else None,
    )
    with closing(History(existing_history(environment))) as history:
        _check(history, selection)
        with closing(lines(history, selection)) as found:
            told = found if output is None else _told(found)
            write = _writer(kind, told, history.house, LANGUAGES[language])
            if output is None:
                write(sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                with whole_file(output) as file:
                    write(file)
    return EXIT_OK


def _check(history: History, selection: Selection) -> None:
    """Raise click.UsageError for a name that nothing is stored of."""
    kept = counters(history)
    require_stored("meter", selection.meters, [meter for meter, _ in kept])
    chosen = [quantity for meter, quantity in kept if not selection.meters or meter in selection.meters]
    require_stored("quantity", selection.quantities, chosen)


def _told(found: Iterator[ExportLine]) -> Iterator[ExportLine]:
    """The same, and on a terminal how many there are so far, in a line that is gone at the end."""
    if not sys.stderr.isatty():
        yield from found
        return
    try:
        for count, line in enumerate(found, 1):
            if count % _TOLD_EVERY == 0:
                print(f"\r{count} lines ... ", end="", file=sys.stderr, flush=True)
            yield line
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _writer(
    kind: str, found: Iterator[ExportLine], house: LocalCalendar, language: Language
) -> Callable[[BinaryIO], None]:
    """What writes ``found`` into a file."""
    match kind:
        case "csv-people":
            return partial(write_for_people, lines=found, house=house, language=language)
        case "json":
            return partial(write_json, lines=found, house=house)
        case "xlsx":
            from smart_meter_reader.history.exports.xlsx import write_xlsx

            return partial(write_xlsx, lines=found, house=house, language=language)
        case _:
            return partial(write_for_machines, lines=found, house=house)
