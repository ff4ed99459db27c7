"""`logs`: one look at what a meter keeps in its own loggers, without any settings file."""

from __future__ import annotations

import asyncio
import csv
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from smart_meter_reader.cli.house_zone import zone_option
from smart_meter_reader.cli.logs.looking import LoggerLook
from smart_meter_reader.cli.logs.table import CSV_HEADS, WIDTH, csv_rows, entry_lines, entry_object
from smart_meter_reader.cli.meter_at import ask_meter, client_option
from smart_meter_reader.console import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.charset import in_ascii, shows_unicode
from smart_meter_reader.console.client import baud_option, settings_option
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.exceptions import ExplainedError, ValueFormatError
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.typed_times import typed_day, typed_time
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.meters.by_hand import Excerpt
from smart_meter_reader.meters.registry import meter_drivers

_ABLE = tuple(client for client, driver in meter_drivers().items() if driver.loggers)
_LOGGERS = ("year", "month", "day", "hour", "minutes", "minutes2", "info", "config")


@click.command()
@click.argument("port")
@client_option(_ABLE)
@click.option(
    "--logger", type=click.Choice(_LOGGERS), help="Which one; without it: which there are, and the days."
)
@click.option("--since", metavar="DATE", help="From this day or time on, as 2026-10-25 or 2026-10-25T14:30.")
@click.option("--until", metavar="DATE", help="To the end of this day, or to this time.")
@click.option("--registers", metavar="LIST", help="What to read, such as 60,68 or heat_energy,volume.")
@zone_option
@baud_option
@settings_option()
@click.option("--json", "kind", flag_value="json", help="Print one JSON object for each entry.")
@click.option("--csv", "kind", flag_value="csv", help="Print a CSV row for each value.")
def logs(
    port: str,
    client: str | None,
    logger: str | None,
    since: str | None,
    until: str | None,
    registers: str | None,
    zone: ZoneInfo,
    baud: int | None,
    assignments: Sequence[str],
    kind: str | None,
) -> int:
    """Read what the meter at PORT has kept in its own loggers, and print it.

    MULTICAL 303, 403, 603 and 803 keep years, months, days and hours, a 601 with a logger module hours, a
    66-C/D/E what its tables have. Nothing in the meter is changed.

    PORT is a device such as /dev/serial/by-id/..., socket://host:port or rfc2217://host:port.

    What happens, and what it costs the meter's battery, is told on standard error; standard output gets the
    entries only, oldest first, with times in the house's zone (JSON: in UTC). Ctrl-C ends it and keeps what
    has come, with exit code 130. The exit code is 69 when there is nothing to show.
    """
    wanted = tuple(entry.strip() for entry in (registers or "").split(",") if entry.strip())
    look = LoggerLook(logger or "", _excerpt(since, until, LocalCalendar(zone)), wanted, zone)
    try:
        asyncio.run(ask_meter(port, client, baud, assignments, _ABLE, look.take))
    except KeyboardInterrupt:
        return _interrupted(look, kind)
    except ExplainedError as error:
        tell(error.by_hand)
        if look.entries:
            tell(f"the {len(look.entries)} newest entries, which came before that, are whole:")
            _show(look, kind)
        return EXIT_UNAVAILABLE
    except ValueError as error:
        raise click.UsageError(f"--registers: {error}") from None
    if not look.entries:
        tell("there are no entries to show")
        return EXIT_UNAVAILABLE
    _show(look, kind)
    return EXIT_OK


def _excerpt(since: str | None, until: str | None, house: LocalCalendar) -> Excerpt:
    """From the options. Raises click.UsageError."""
    times: list[datetime | None] = []
    for option, text in (("--since", since), ("--until", until)):
        if text is None:
            times.append(None)
            continue
        try:
            # The entry of the midnight that ends a day is the one that tells of it.
            end = option == "--until"
            seconds = typed_time(text, house, end=end) + (end and typed_day(text) is not None)
        except ValueFormatError as error:
            raise click.UsageError(f"{option}: {error}") from None
        times.append(datetime.fromtimestamp(seconds, UTC))
    begin, finish = times
    if begin is not None and finish is not None and finish < begin:
        raise click.UsageError("--until is before --since")
    return Excerpt(begin, finish)


def _interrupted(look: LoggerLook, kind: str | None) -> int:
    if look.entries:
        tell(
            f"interrupted: the {len(look.entries)} newest of {look.planned} entries have come, and are whole:"
        )
        _show(look, kind)
    else:
        tell("interrupted before an entry had come")
    return EXIT_INTERRUPTED


def _show(look: LoggerLook, kind: str | None) -> None:
    if kind == "json":
        for entry in look.entries:
            print(dumps_for(sys.stdout, entry_object(look.logger, entry)))
    elif kind == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(CSV_HEADS)
        writer.writerows(csv_rows(look.logger, look.entries, look.zone))
    else:
        width = min(WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDTH
        for line in entry_lines(look.entries, look.zone, width):
            print(line if shows_unicode(sys.stdout) else in_ascii(line))
    sys.stdout.flush()
