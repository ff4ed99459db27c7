"""`writer`: takes what a fleet's edges have published into the database, until it is stopped."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.exceptions import SettingsError

if TYPE_CHECKING:
    from smart_meter_reader.console.checks import Check
    from smart_meter_reader.writer.settings import WriterSettings


@click.command()
@click.option("--prepare", is_flag=True, help="Make streams and tables that are not there, and end.")
@click.option(
    "--check",
    is_flag=True,
    help="Look at the servers, the streams and the database, say what is wrong, and end.",
)
@click.option("--new-key", is_flag=True, help="Print a new key, of an edge or a writer, and end.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Another port than that of the settings, for a second writer on this computer.",
)
def writer(prepare: bool, check: bool, new_key: bool, port: int | None) -> int:
    """Write what a fleet's edges publish over NATS into PostgreSQL.

    Its settings stand in the table [writer] of settings.toml in the working directory. Any number of writers
    run side by side, on one computer or several. --prepare needs a key and a user that may make streams and
    tables; without it, a writer needs neither. --check sees most with that key, and on a server. `service
    install writer` makes it a service. See docs/fleet.md.
    """
    require_extras()
    from smart_meter_reader.writer.service import prepare as make
    from smart_meter_reader.writer.settings import load_writer

    if new_key:
        return _print_new_key()

    import logging

    from smart_meter_reader.log import set_up_logging

    loaded = load_writer(Path())
    settings = loaded.settings if port is None else replace(loaded.settings, port=port)
    if check:
        for warning in loaded.warnings:
            if warning != settings.sent_openly:  # which is a line of the database
                print(f"warning: {warning}", file=sys.stderr)
        return _check(settings)
    set_up_logging(settings.log_level)
    for warning in loaded.warnings:
        logging.getLogger(__name__).warning("%s", warning)
    if prepare:
        for sentence in asyncio.run(make(settings)):
            print(sentence)
        return EXIT_OK
    asyncio.run(_run(settings))
    return EXIT_OK


def require_extras() -> None:
    """Raises SettingsError where the packages are not there that the writer needs."""
    try:
        import smart_meter_reader.writer.service  # noqa: F401
    except ImportError as error:
        needed = (
            f"the writer needs a package that is not there ({error}): install the extras nats, postgresql"
        )
        raise SettingsError([needed]) from None


def _check(settings: WriterSettings) -> int:
    """A line for each thing that was looked at, as doctor's; the exit code is that of the worst."""
    from smart_meter_reader.cli.doctor.command import exit_code_of, print_checks
    from smart_meter_reader.fleet.examination import examine_hub, examine_servers
    from smart_meter_reader.writer.examination import examine_database

    subject = "servers"

    async def all_checks() -> AsyncIterator[Check]:
        async for each in examine_servers(subject, settings, partial(examine_hub, subject)):
            yield each
        async for each in examine_database(settings):
            yield each

    return exit_code_of(print_checks(all_checks()))


def _print_new_key() -> int:
    """Only the line that belongs into the secrets goes where it can be redirected to."""
    from smart_meter_reader.fleet.keys import new_key

    key = new_key()
    print(f"public key, for the servers' tenants.conf: {key.public}", file=sys.stderr)
    print(f'nkey = "{key.seed.reveal()}"')
    return EXIT_OK


async def _run(settings: WriterSettings) -> None:
    from smart_meter_reader.service.notify import Notifier
    from smart_meter_reader.writer import CONNECTS
    from smart_meter_reader.writer.service import WriterService

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    notifier = Notifier.from_environment()

    service = WriterService(settings, notifier.status)
    # It runs; servers and database may be away for as long as they like.
    notifier.ready(CONNECTS)
    await service.run(stop.wait())
    notifier.stopping()
