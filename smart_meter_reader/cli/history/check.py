"""`history check`: whether a history is sound, how large it is, and where it has gaps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from smart_meter_reader.cli.history.place import existing_history
from smart_meter_reader.console import EXIT_DATA, EXIT_OK
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.progress import progress_line
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.history.errors import DamagedHistoryError
from smart_meter_reader.history.media import main_counters
from smart_meter_reader.history.places import backups
from smart_meter_reader.history.questions.gaps import gaps
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.checking import problems
from smart_meter_reader.history.storage.rules import SeriesSize, broken_rules, sizes

_MONTH = 31 * 86400
_MOST_GAPS = 20
_STAMP = "%Y-%m-%d %H:%M"


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
def check(environment: str | None) -> int:
    """Say whether the history is sound, how large, and where it has gaps.

    Every row is read. Beside what SQLite finds it tells of counters that fall without a reason, of values
    outside of the time of their device, and, for each meter, when it was not read in the last month, and why
    as far as anything was told. Nothing is changed. The exit code is 65 when something is wrong.
    """
    path = existing_history(environment)
    now = int(time.time())
    try:
        with progress_line(f"reading {path.name}") as progress:
            found = problems(path)
            progress(0.5)
            found = found or broken_rules(path, now)
            progress(1.0)
    except DamagedHistoryError as error:
        found = [error.detail]
    else:
        for line in _told(path, now):
            print(line)
    for each in found:
        tell(each)
    if found:
        kept = backups(path)
        if kept:
            tell(f"the newest backup is {kept[-1]}: `history restore` brings it back")
        return EXIT_DATA
    print("All is well.")
    return EXIT_OK


def _told(path: Path, now: int) -> Iterator[str]:
    """What is in the file."""
    kept = backups(path)
    yield f"{path}: {path.stat().st_size / 1e6:.1f} MB, {len(kept)} backup{'s' * (len(kept) != 1)} beside it"
    stored = sizes(path)
    with History(path) as history, history.snapshot():
        for meter in history.meters():
            yield from _meter(history, meter, [each for each in stored if each.meter == meter], now)


def _meter(history: History, meter: str, stored: list[SeriesSize], now: int) -> Iterator[str]:
    house, devices = history.house, len(history.segments(meter))
    there = [each for each in stored if each.rows]
    if not there:
        yield f"  {meter}: nothing yet"
        return
    first, last = min(each.first for each in there), max(each.last for each in there)
    quantities = len({(each.quantity, each.kind) for each in there})
    yield (
        f"  {meter}: {house.local(first):{_STAMP}} to {house.local(last):{_STAMP}}, {quantities} quantities, "
        f"{sum(each.rows for each in there)} values" + (f", {devices} devices" if devices > 1 else "")
    )
    main = main_counters([each.quantity for each in history.kept(meter) if each.kind == "counter"])
    if not main:
        return
    missing = gaps(history, meter, main[0].quantities[0], now - _MONTH, now)
    for gap in missing[-_MOST_GAPS:]:
        begin, end = f"{house.local(gap.begin):{_STAMP}}", f"{house.local(gap.end):{_STAMP}}"
        yield f"    not read from {begin} to {end}: {gap.text}"
    if len(missing) > _MOST_GAPS:
        yield f"    and {len(missing) - _MOST_GAPS} times before in the last month"
