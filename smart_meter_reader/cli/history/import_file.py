"""`history import`: takes in what another program or a person has kept of the meters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

import click

from smart_meter_reader.cli.history.import_report import import_lines, listing
from smart_meter_reader.cli.history.place import history_settings, path_for_import
from smart_meter_reader.console import EXIT_DATA, EXIT_OK
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.history.imports import taking
from smart_meter_reader.history.imports.formats.csv_rows import ROLES
from smart_meter_reader.history.imports.formats.dsmr_reader import MAPPED
from smart_meter_reader.history.imports.formats.home_assistant import statistics
from smart_meter_reader.history.imports.formats.numbers import Numbers
from smart_meter_reader.history.imports.formats.sniffing import ImportProgram, program_of
from smart_meter_reader.history.imports.formats.times import read_time
from smart_meter_reader.history.imports.found import (
    Dates,
    Findings,
    ImportOptions,
    KnownPosition,
    RefusedFileError,
    RepeatedHour,
    UnfitRowError,
)
from smart_meter_reader.history.intake.kept import is_counter
from smart_meter_reader.history.zone import is_zone
from smart_meter_reader.text import printable

_Result = TypeVar("_Result")
_P1_PROGRAMS = frozenset({ImportProgram.DSMR_READER, ImportProgram.P1MONITOR})


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option(
    "--from-program",
    "program",
    type=click.Choice([str(each) for each in ImportProgram]),
    help="What wrote FILE; found out where that is clear.",
)
@click.option("--meter", default="", help="The meter, where FILE does not name it.")
@click.option("--quantity", default="", help="The quantity, where FILE does not name it: heat_energy.")
@click.option("--unit", default="", help="The unit, where FILE does not name it.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="A=B",
    help="CSV: time, meter, quantity, value, unit or a quantity = head of its column. home-assistant: "
    "statistic id = METER.QUANTITY. dsmr-reader and p1monitor: electricity or gas = METER.",
)
@click.option("--zone", default="", help="Whose clock times without an offset show; else the house's.")
@click.option("--dates", type=click.Choice(get_args(Dates)[1:]), help="What dates begin with.")
@click.option(
    "--repeated-hour",
    type=click.Choice(get_args(RepeatedHour)[1:]),
    help="What times without an offset mean that come twice in autumn.",
)
@click.option("--replaced-at", "replaced", multiple=True, metavar="TIME", help="When the meter was replaced.")
@click.option(
    "--known",
    "known",
    multiple=True,
    metavar="QUANTITY=VALUE@TIME",
    help="What a counter showed, where FILE has only sums.",
)
@click.option("--write", is_flag=True, help="Do it; else it is only said what would be done.")
@click.option("--no-backup", is_flag=True, help="Write without a copy of the history before it.")
def import_file(
    file: Path,
    environment: str | None,
    program: str | None,
    meter: str,
    quantity: str,
    unit: str,
    maps: tuple[str, ...],
    zone: str,
    dates: Dates | None,
    repeated_hour: RepeatedHour | None,
    replaced: tuple[str, ...],
    known: tuple[str, ...],
    write: bool,
    no_backup: bool,
) -> int:
    """Take in the readings of FILE, which another program or a person has kept.

    FILE is CSV with time, meter, quantity, value and unit, an export of dsmr-reader, the database or the zip
    of p1monitor, or the database of Home Assistant's recorder. Without --write nothing is changed: it says
    what is in FILE, what of it is new, and what is stored already. What was measured stays as it is. With
    --write a backup is made, and all is written or nothing.
    """
    from smart_meter_reader.cli.settings import load_settings

    settings = load_settings(environment=environment).settings
    if zone and not is_zone(zone):
        raise click.UsageError(f"this computer knows no zone {zone!r}; such as Europe/Amsterdam, or UTC")
    kept, meters = history_settings(settings), list(settings.meters)
    path = path_for_import(kept, settings.environment)
    house = taking.house_of(path, kept.zone)
    findings = Findings(printable(file.name))
    options = ImportOptions(
        zone=ZoneInfo(zone) if zone else house.zone,
        meter=meter,
        quantity=quantity,
        unit=unit,
        columns=_columns(maps),
        dates=dates or "",
        repeated_hour=repeated_hour or "",
    )
    options = _with_times(options, replaced, known, findings)
    try:
        written_by = _program(program, file, findings)
        if written_by is ImportProgram.HOME_ASSISTANT and not options.columns:
            print(listing(statistics(file, findings)))
            return EXIT_OK
        _require_fitting(written_by, options, meters)
        with closing(taking.Import(file, written_by, options, findings)) as taken, _progress() as progress:
            take = partial(taken.write, backup=not no_backup) if write else taken.look
            done = take(path, house, datetime.now(UTC), progress)
    except RefusedFileError as error:
        for problem in error.problems:
            tell(problem)
        tell(f"nothing of {findings.name} was taken in")
        return EXIT_DATA
    for line in import_lines(done, written_by, findings.remarks, house, meters, written=write):
        print(line)
    return EXIT_OK


def _program(named: str | None, file: Path, findings: Findings) -> ImportProgram:
    """What wrote the file, as it was named or is found out. Raises OSError and RefusedFileError."""
    if not file.is_file():
        raise findings.give_up("it is no file")
    return ImportProgram(named) if named else program_of(file, findings)


def _columns(maps: Sequence[str]) -> Mapping[str, str]:
    """What stands for what. Raises click.UsageError, also where one thing would stand for two."""
    columns: dict[str, str] = {}
    for text in maps:
        left, right = _pair(text)
        if left in columns:
            raise click.UsageError(f"--map {text}: {left} is {columns[left]} already; leave one of both out")
        columns[left] = right
    return MappingProxyType(columns)


def _with_times(
    options: ImportOptions, replaced: Sequence[str], known: Sequence[str], findings: Findings
) -> ImportOptions:
    """The options with the times in them, which are read as those of the file. Raises click.UsageError."""
    return replace(
        options,
        replaced_at=tuple(
            sorted(_typed(lambda text: read_time(text, options, findings), each) for each in replaced)
        ),
        known=tuple(_typed(lambda text: _known(text, options, findings), each) for each in known),
    )


def _pair(text: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not (left and equals and right):
        raise click.UsageError(f"--map {text}: it needs something on both sides of =")
    return left, right


def _known(text: str, options: ImportOptions, findings: Findings) -> KnownPosition:
    quantity, _, rest = text.partition("=")
    value, at, time = rest.partition("@")
    if not (at and is_counter(quantity)):
        raise UnfitRowError(f"{text}: write it as heat_energy=1234.5@2025-01-01T00:00:00+01:00")
    return KnownPosition(quantity, read_time(time, options, findings), Numbers(findings).read(value, 0))


def _typed(read: Callable[[str], _Result], text: str) -> _Result:
    try:
        return read(text)
    except UnfitRowError as error:
        raise click.UsageError(str(error)) from None


def _require_fitting(program: ImportProgram, options: ImportOptions, names: Sequence[str]) -> None:
    """Raise click.UsageError for a --map that says nothing to this program, and where the meter lacks."""
    if program in _P1_PROGRAMS:
        _require_left(options, lambda key: key in MAPPED, " or ".join(MAPPED))
        if not (options.meter or "electricity" in options.columns):
            raise click.UsageError(
                f"whose readings are these? say it by --meter; the settings have: {', '.join(names)}"
            )
    if program is ImportProgram.CSV:
        allowed = f"{', '.join(ROLES)}, or a quantity that counts"
        _require_left(options, lambda key: key in ROLES or is_counter(key), allowed)


def _require_left(options: ImportOptions, fits: Callable[[str], bool], allowed: str) -> None:
    for key in options.columns:
        if not fits(key):
            raise click.UsageError(f"--map {key}=...: left of = belongs {allowed}")


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """Tell a terminal how far it is, in one line that is gone at the end."""
    shows = sys.stderr.isatty()

    def told(what: str, count: int) -> None:
        if shows:
            print(f"\r{what}: {count} readings ... ", end="", file=sys.stderr, flush=True)

    try:
        yield told
    finally:
        if shows:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
