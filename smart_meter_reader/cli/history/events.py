"""`history events`: what happened to meters and service, and what the meters reported of themselves."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from smart_meter_reader.cli.history.place import existing_history
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.console.charset import in_ascii, shows_unicode
from smart_meter_reader.console.environments import complete_environment, environments
from smart_meter_reader.console.wrapping import tell, wrapped
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.questions.record import Event, History
from smart_meter_reader.history.typed_times import typed_time
from smart_meter_reader.json_text import dumps_for

_MONTH = 31 * 86_400
_WIDTH = 80


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.argument("meter", required=False, metavar="[METER]")
@click.option("--since", metavar="DATE", help="From this day or time on, as 2026-10-25; else a month.")
@click.option("--until", metavar="DATE", help="To the end of this day, or to this time.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each event, with times in UTC.")
def events(
    environment: str | None, meter: str | None, since: str | None, until: str | None, as_json: bool
) -> int:
    """Show what happened, oldest first, each with its time by the clock of the house.

    The service began or stopped, a meter was silent or replaced, its numbers were doubted, or it reported
    something of itself (its info code): of a MULTICAL that keeps these itself, with the second at which it
    was raised and cleared.
    """
    if environment and not meter and environment not in environments(Path()):
        environment, meter = None, environment  # the only environment needs no name
    with History(existing_history(environment)) as history, history.snapshot():
        house = history.house
        last = int(time.time()) if until is None else _typed("--until", until, house)
        first = last - _MONTH if since is None else _typed("--since", since, house)
        if first > last:
            raise click.UsageError("--until is before --since")
        if meter and meter not in (there := history.meters()):
            raise click.UsageError(f"there is no meter {meter}; there are: {', '.join(there) or 'none'}")
        found = history.events(first, last, meter or "")
    if not found:
        tell(
            f"nothing is told from {house.local(first):%Y-%m-%d %H:%M} to {house.local(last):%Y-%m-%d %H:%M}"
        )
        return EXIT_OK
    for line in _objects(found) if as_json else _lines(found, house):
        print(line)
    return EXIT_OK


def _typed(option: str, text: str, house: LocalCalendar) -> int:
    try:
        return typed_time(text, house, end=option == "--until")
    except ValueFormatError as error:
        raise click.UsageError(f"{option}: {error}") from None


def _objects(found: Iterable[Event]) -> Iterator[str]:
    for event in found:
        told = {"time": datetime.fromtimestamp(event.time, UTC), "meter": event.meter or None}
        yield dumps_for(sys.stdout, told | {"kind": event.kind, "text": event.text})


def _lines(found: Iterable[Event], house: LocalCalendar) -> Iterator[str]:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
    for event in found:
        who = f"{event.meter}: " if event.meter else ""
        line = f"{house.local(event.time):%Y-%m-%d %H:%M:%S}  {who}{event.text or event.kind}"
        told = wrapped(line, width, " " * 21)
        yield told if shows_unicode(sys.stdout) else in_ascii(told)
