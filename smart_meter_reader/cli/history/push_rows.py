"""`history push --to`: the counters of a history into the database of a sink, as they were read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice

import click

from smart_meter_reader.cli.history.place import existing_of, history_settings
from smart_meter_reader.cli.history.stored import require_stored
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.progress import progress_line
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.history.exports.lines import ExportLine, Selection, counters, lines
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.pipeline.sink_memory import remembered
from smart_meter_reader.settings.loading import ServiceSettings, SinkSettings
from smart_meter_reader.sinks.registry import sink_driver
from smart_meter_reader.sinks.spooled.destination import Destination, SlowError, TooLargeError
from smart_meter_reader.sinks.spooled.rows import MessageRows, ValueRow
from smart_meter_reader.sinks.spooled.settings import StoringSettings
from smart_meter_reader.sinks.spooled.sink import SpooledSink, since_of

# Rows that are refused or stored together, and how many go in one batch.
_TOGETHER = 50
_BATCH = 2000
_STAMP = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be sent: lines of the history, of each meter those before a time."""

    selection: Selection
    before: Mapping[str, int]  # by meter, seconds since 1970

    def rows(self, history: History) -> Iterator[ExportLine]:
        with closing(lines(history, self.selection)) as found:
            for line in found:
                if line.counter_end is not None and line.end < self.before.get(line.meter, line.end + 1):
                    yield line


def push_to(
    settings: ServiceSettings,
    name: str,
    meters: Sequence[str],
    since: date | None,
    until: date | None,
    *,
    dry_run: bool,
) -> int:
    """Send it, and say what was sent; the exit code. Raises click.UsageError, SinkError and HistoryError."""
    chosen_sink = _sink(settings, name)
    kept = history_settings(settings)
    selection = Selection(None, tuple(meters), (), since, until and until + timedelta(days=1))
    stored = {} if until else _stored_since(settings.environment, name)
    chosen = _Wanted(selection, {meter: int(time.timestamp()) for meter, time in stored.items()})
    with closing(History(existing_of(kept, settings.environment))) as history:
        require_stored("meter", meters, [meter for meter, _ in counters(history)])
        whole = _show(history, chosen)
        if not whole:
            tell(f"the history has no counter that {name} has not stored itself")
            return EXIT_OK
        if dry_run:
            print("Nothing is sent: without --dry-run it is.")
            return EXIT_OK
        sink: SpooledSink = imported(sink_driver(chosen_sink.sink).sink)(name, chosen_sink.driver)
        batches = _Batches()
        try:
            refused = asyncio.run(_push(sink, chosen.rows(history), whole, batches))
        except SinkError as error:
            tell(f"{error.detail}; whoever pushes again sends nothing twice")
            return EXIT_UNAVAILABLE
        if batches.too_many:
            tell(f"{name} takes no batch of {batches.too_many} values: {batches.most} were sent at once")
    for words in refused[:10]:
        tell(f"refused: {words}")
    if refused:
        tell(f"{len(refused)} times something was refused; all the rest is stored")
        return EXIT_UNAVAILABLE
    print(f"{name} has all {whole} values.")
    return EXIT_OK


def _sink(settings: ServiceSettings, name: str) -> SinkSettings:
    """The sink of this name, if it stores in a database. Raises click.UsageError."""
    fitting = [each for each in settings.sinks.values() if isinstance(each.driver, StoringSettings)]
    for each in fitting:
        if each.name == name:
            return each
    there = ", ".join(each.name for each in fitting)
    raise click.UsageError(
        f"{name} is no sink of [{settings.environment}] that stores in a database; "
        + (f"there is: {there}" if there else "add [sinks.influxdb] or [sinks.postgresql]")
    )


def _stored_since(environment: str, name: str) -> Mapping[str, datetime]:
    memory = remembered(environment, os.environ).get(name, {})
    try:
        return since_of(memory if isinstance(memory, dict) else {})
    except ValueError:
        return {}


def _show(history: History, chosen: _Wanted) -> int:
    """Say of each counter what is to be sent; how many values that are."""
    whole = 0
    for (meter, quantity), found in groupby(chosen.rows(history), lambda line: (line.meter, line.quantity)):
        first = last = next(found)
        count = 1
        for count, last in enumerate(found, start=2):  # noqa: B007 - what the last turn has left
            pass
        whole += count
        begin, end = (f"{history.house.local(each.end):{_STAMP}}" for each in (first, last))
        print(
            f"{meter} {quantity}: {count} values from {begin} ({first.counter_end} {first.unit}) to {end} "
            f"({last.counter_end} {last.unit})"
        )
    return whole


async def _push(sink: SpooledSink, found: Iterator[ExportLine], whole: int, batches: _Batches) -> list[str]:
    """Send all of it; what was refused of it. Raises SinkError."""
    refused: list[str] = []
    sent = 0
    async with sink.connected() as destination:
        with progress_line(f"sending to {sink.name}") as progress:
            rows = map(_row, found)
            while batch := tuple(islice(rows, batches.most)):
                refused += await batches.store(destination, batch)
                sent += len(batch)
                progress(min(1.0, sent / whole))
    return refused


class _Batches:
    """How many rows the database takes at once: as many as it has not refused, or been too slow for."""

    def __init__(self) -> None:
        self.most = _BATCH
        self.too_many = 0  # the fewest that it has refused; 0: none

    async def store(self, destination: Destination, rows: Sequence[ValueRow]) -> list[str]:
        """Store them, in halves where they are too many; what was refused. Raises SinkError."""
        refused: list[str] = []
        left = rows
        while left:
            batch = left[: self.most]
            together = [MessageRows(tuple(batch[begin : begin + _TOGETHER])) for begin in _begins(batch)]
            try:
                refused += (await destination.store(together)).values()
            except TooLargeError as error:
                if len(batch) == 1:
                    raise TooLargeError(error.reason, f"{error.detail}, not even one value") from None
                self._halve(len(batch))
                continue
            except SlowError:
                if len(batch) <= _TOGETHER:
                    raise  # it hangs, whatever it gets
                self._halve(len(batch))
                continue
            left = left[len(batch) :]
        return refused

    def _halve(self, refused: int) -> None:
        self.too_many, self.most = refused, refused // 2


def _begins(batch: Sequence[ValueRow]) -> range:
    return range(0, len(batch), _TOGETHER)


def _row(line: ExportLine) -> ValueRow:
    return ValueRow(
        line.meter, line.quantity, line.unit, datetime.fromtimestamp(line.end, UTC), line.counter_end
    )
