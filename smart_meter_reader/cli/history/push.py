"""`history push`: the hours of a history to Home Assistant's statistics, or all of it to a database."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from urllib.parse import urlsplit

import click

from smart_meter_reader.cli.history.day import Day, require_order
from smart_meter_reader.cli.history.place import existing_of, history_settings
from smart_meter_reader.cli.history.stored import require_stored
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.progress import progress_line
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.history.exports.lines import counters
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.settings.loading import ServiceSettings
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.history.settings import HistorySettings
from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings
from smart_meter_reader.sinks.home_assistant.statistics import (
    HOUR,
    ExternalStatistic,
    HourOfCounter,
    hours,
    statistic_of,
)

# A message of so many hours has some 100 kB; Home Assistant takes 4 MiB.
AT_ONCE = 1000
# Home Assistant's recorder writes behind its answer.
_SHOWN_SECONDS = 60.0
_LOOK_AGAIN = 0.5
_STAMP = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Pushed:
    """One statistic with its hours, never empty."""

    statistic: ExternalStatistic
    rows: Sequence[HourOfCounter]


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--to", "sink", metavar="SINK", help="Into the database of this sink (influxdb or postgresql).")
@click.option(
    "--url", default="", help="Where Home Assistant is, as in the browser; else as in the settings."
)
@click.option("--meter", "meters", multiple=True, help="Only this meter; may be given several times.")
@click.option("--since", type=Day(), metavar="DATE", help="The first day (YYYY-MM-DD).")
@click.option("--until", type=Day(), metavar="DATE", help="The last day, included.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent; nobody is asked.")
def push(
    environment: str | None,
    sink: str | None,
    url: str,
    meters: tuple[str, ...],
    since: date | None,
    until: date | None,
    dry_run: bool,
) -> int:
    """Send the hours to Home Assistant's statistics, or with --to all of it to a database.

    The hours become statistics of their own (smart_meter_reader:METER_QUANTITY), beside those of the sensors,
    for the Energy dashboard and the statistics card. An hour that is sent again takes the place of itself.
    Hours of whose end nothing sure is known are left out. The token is `home_assistant_token` of the sink
    `history` (in .secrets.toml), that of a sink home_assistant_rest, or asked for.

    With --to the counters go into the tables of that sink as they were read, up to the first reading that it
    has stored itself, or to --until. What is sent again takes the place of itself.
    """
    from smart_meter_reader.cli.settings import load_settings

    require_order(("--since", since), ("--until", until))
    settings = load_settings(environment=environment).settings
    if sink is not None:
        from smart_meter_reader.cli.history.push_rows import push_to

        if url:
            raise click.UsageError("--url is for Home Assistant; the address of a database is in its sink")
        return push_to(settings, sink, meters, since, until, dry_run=dry_run)
    kept = history_settings(settings)
    with closing(History(existing_of(kept, settings.environment))) as history:
        found = list(_found(history, meters, since, until))
        if not found:
            tell("there is no whole hour of a counter to send")
            return EXIT_OK
        for each in found:
            print(_line(each, lambda instant: f"{history.house.local(instant):{_STAMP}}"))
    if dry_run:
        print("Nothing is sent: without --dry-run it is.")
        return EXIT_OK
    return _sent(_server(settings, kept, url), found)


def _sent(server: HomeAssistantRestSettings, found: Sequence[Pushed]) -> int:
    """Send it, and say what is there afterwards; the exit code. Raises SinkError."""
    if server.sent_openly:
        tell(server.sent_openly)
    missing = asyncio.run(_push(server, found))
    for statistic in missing:
        tell(
            f"Home Assistant has taken {statistic.id}, and does not show it yet: look in its log, and under "
            "Developer tools, Statistics"
        )
    if missing:
        return EXIT_UNAVAILABLE
    print(f"Home Assistant has all {sum(len(each.rows) for each in found)} hours.")
    return EXIT_OK


def _found(
    history: History, meters: Sequence[str], since: date | None, until: date | None
) -> Iterator[Pushed]:
    """What is to be sent. Raises click.UsageError for a meter that nothing is stored of."""
    house, now = history.house, int(time.time())
    begin = house.midnight(since) if since else -(2**62)
    end = house.midnight(until + timedelta(days=1)) if until else now
    known = counters(history)
    require_stored("meter", meters, [meter for meter, _ in known])
    taken: dict[str, str] = {}
    with history.snapshot():
        for meter, quantity in known:
            counter = history.counter(meter, quantity)
            unit = counter.parts[-1].unit if counter.parts else ""
            statistic = statistic_of(meter, quantity, unit)
            if statistic is None or (meters and meter not in meters):
                continue
            if taken.setdefault(statistic.id, meter) != meter:
                raise click.UsageError(
                    f"{meter} and {taken[statistic.id]} would have the same id {statistic.id} in Home "
                    "Assistant: choose one by --meter"
                )
            rows = list(hours(counter, begin, min(end, now)))
            if rows:
                yield Pushed(statistic, rows)


def _line(each: Pushed, shown: Callable[[int], str]) -> str:
    first, last, unit = each.rows[0], each.rows[-1], each.statistic.unit
    return (
        f"{each.statistic.id} ({each.statistic.name}): {len(each.rows)} hours from {shown(first.start)} "
        f"({first.state} {unit}) to {shown(last.start + HOUR)} ({last.state} {unit})"
    )


def _server(settings: ServiceSettings, kept: HistorySettings, url: str) -> HomeAssistantRestSettings:
    """Where Home Assistant is, and the token. Raises click.UsageError and click.Abort."""
    sinks = (sink.driver for sink in settings.sinks.values())
    rest = next((each for each in sinks if isinstance(each, HomeAssistantRestSettings)), None)
    address = url or kept.home_assistant_url or (rest.url if rest else "")
    if not address:
        raise click.UsageError(
            "where is Home Assistant? Say it by --url http://homeassistant.local:8123, or set "
            "`home_assistant_url` of the sink `history`"
        )
    if not _is_address(address):
        raise click.UsageError(f"{address} is no address: http://HOST:PORT or https://HOST:PORT")
    if rest is not None and rest.url == address and kept.home_assistant_token is None:
        return rest
    # A token is for one Home Assistant: another address gets none of the settings'.
    own = kept.home_assistant_token if not url or url == kept.home_assistant_url else None
    token = own or Secret(_asked())
    ca = kept.home_assistant_ca if address.startswith("https:") else None
    try:
        return HomeAssistantRestSettings(url=address, token=token, ca=ca)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:  # a bracket that is not closed, or a port that cannot be
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _asked() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Long-lived access token of Home Assistant", hide_input=True))
    return sys.stdin.readline().strip()


async def _push(server: HomeAssistantRestSettings, found: Sequence[Pushed]) -> list[ExternalStatistic]:
    """Send it all; which statistics Home Assistant does not show in the end."""
    from smart_meter_reader.sinks.home_assistant.websocket import WebSocketApi, logged_in

    async def shown(api: WebSocketApi, each: Pushed) -> bool:
        last = each.rows[-1]
        told = await api.command(
            "recorder/statistics_during_period",
            start_time=datetime.fromtimestamp(last.start, UTC),
            statistic_ids=[each.statistic.id],
            period="hour",
        )
        rows = told.get(each.statistic.id) if isinstance(told, dict) else None
        return isinstance(rows, list) and any(_tells(row, last) for row in rows)

    whole, sent = sum(len(each.rows) for each in found), 0
    missing = list(found)
    async with logged_in(server) as api:
        with progress_line(f"sending to {server.url}") as progress:
            for each in found:
                metadata = each.statistic.metadata(api.version)
                for batch in _batches(each.rows):
                    await api.import_statistics(metadata, [row.encode() for row in batch])
                    sent += len(batch)
                    progress(sent / whole)
        until = asyncio.get_running_loop().time() + _SHOWN_SECONDS
        while missing and asyncio.get_running_loop().time() < until:
            missing = [each for each in missing if not await shown(api, each)]
            if missing:
                await asyncio.sleep(_LOOK_AGAIN)
    return [each.statistic for each in missing]


def _tells(row: object, last: HourOfCounter) -> bool:
    """Whether a row is that of the last hour, as we told it: Home Assistant calculates in floats."""
    total = row.get("sum") if isinstance(row, dict) else None
    return isinstance(total, float | int) and abs(total - float(last.sum)) <= 1e-6 * max(
        1.0, abs(float(last.sum))
    )


def _batches(rows: Sequence[HourOfCounter]) -> Iterator[list[HourOfCounter]]:
    left = iter(rows)
    while batch := list(islice(left, AT_ONCE)):
        yield batch
