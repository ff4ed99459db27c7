"""`record`: everything that passes the line of a meter, with its times, as a text file."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import click

from smart_meter_reader.cli.read.command import AT_A_PORT, METER, client_settings
from smart_meter_reader.cli.read.patience import patience_for
from smart_meter_reader.cli.record.comments import comment_for
from smart_meter_reader.cli.record.recorder import Recorded, record_client, record_line
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.client import ClientChoice, baud_option
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.console.interruption import interruptible
from smart_meter_reader.console.output_file import check_writable, write_output
from smart_meter_reader.console.port import require_port
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import RecordingEndedError
from smart_meter_reader.meters.registry import METERS, meter_driver
from smart_meter_reader.recordings.text import format_recording
from smart_meter_reader.transport import LineSettings, Parity

_FORMAT = re.compile(r"([78])([NEO])([12])")
_LISTEN_SECONDS = 30.0
_READ_SECONDS = 300.0
# A reading a second for eleven days; a recording is full long before.
_MOST_READINGS = 1_000_000


@click.command()
@click.argument("port")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--client",
    type=ClientChoice(AT_A_PORT, METERS),
    help="What kind of meter it is; without it, only listens.",
)
@click.option("--registers", metavar="LIST", help="Kamstrup: what to read, such as 60,68.")
@baud_option
@click.option("--format", "bits", default="8N1", help="Bits of the line without --client: 8N1, 7E1, ...")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="As for `read`.")
@click.option(
    "--count",
    type=click.IntRange(min=1, max=_MOST_READINGS),
    help="End after so many readings; by default one.",
)
@click.option("--duration", type=FiniteRange(min=0, min_open=True), help="End after so many seconds.")
@click.option("--force", is_flag=True, help="Replace FILE.")
def record(
    port: str,
    file: Path,
    client: str | None,
    registers: str | None,
    baud: int | None,
    bits: str,
    assignments: Sequence[str],
    count: int | None,
    duration: float | None,
    force: bool,
) -> int:
    """Record what passes between a client and the meter at PORT into FILE.

    FILE is text to read, edit and replay: with `smart-meter-reader read replay:FILE`, or with the client
    `replay` in the settings. It holds no keys, but all else that the meter tells, its serial number too:
    `diagnose` makes one to give away.

    Ctrl-C ends it, and what was recorded is kept. The exit code is 69 when fewer readings came than wanted.
    Without --client nothing is sent, and what the meter sends by itself is recorded for 30 seconds.
    """
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO)
    require_port(port)
    check_writable(file, replace=force, instead="choose another name, or --force")
    if client is None:
        if count is not None or registers is not None or assignments:
            raise click.UsageError("--count, --registers and --set need --client")
        line = _line(baud or 115_200, bits)
        print(f"listening at {port}, {line} ...", file=sys.stderr)
        session = asyncio.run(
            interruptible(lambda stop: record_line(port, line, duration or _LISTEN_SECONDS, stop))
        )
    else:
        settings = client_settings(client, port, registers, baud, assignments)
        driver = imported(meter_driver(client).client)(METER, settings)
        count = count if count is not None or duration is not None else 1
        print(f"recording {port} ...", file=sys.stderr)
        seconds = duration or _READ_SECONDS + ((count or 1) - 1) * patience_for(settings, None)
        recording = partial(record_client, client, driver, settings, count=count, seconds=seconds)
        session = asyncio.run(interruptible(lambda stop: recording(stop=stop)))
    if session.recording.bursts:
        write_output(file, format_recording(session.recording, comment_for(client or "")), replace=force)
    _tell(file, session, client is not None)
    return _judge(session, 0 if client is None else count or 1)


def _line(baud: int, bits: str) -> LineSettings:
    match = _FORMAT.fullmatch(bits.upper())
    if match is None:
        raise click.UsageError(f"--format {bits}: give it as 8N1, 7E1 or the like")
    return LineSettings(baud, int(match[1]), cast(Parity, match[2]), int(match[3]))


def _tell(file: Path, session: Recorded, wants_readings: bool) -> None:
    """Say what was recorded."""
    bursts = session.recording.bursts
    sent = sum(len(burst.payload) for burst in bursts if burst.direction == ">")
    received = sum(len(burst.payload) for burst in bursts if burst.direction == "<")
    readings = session.readings(METER)
    told = f", {readings} reading{'s' * (readings != 1)}" if wants_readings else ""
    if bursts:
        print(f"{file}: {sent} bytes to the meter, {received} from it{told}", file=sys.stderr)
    else:
        print(f"nothing passed the line, so {file} is not written", file=sys.stderr)
    if session.full:
        print("the recording became too long; its end is missing", file=sys.stderr)


def _judge(session: Recorded, wanted: int) -> int:
    """The exit code, and what is missing; ``wanted`` readings at least."""
    readings = session.readings(METER)
    if session.error is not None and not isinstance(session.error, RecordingEndedError):
        print(f"ended early ({session.error.reason}): {session.error.by_hand}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    if readings < wanted:
        few = f"only {readings} of {wanted} readings came before it ended"
        print(few if readings else f"no reading: {session.why_no_reading()}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    received = any(burst.direction == "<" for burst in session.recording.bursts)
    return EXIT_OK if received else EXIT_UNAVAILABLE
