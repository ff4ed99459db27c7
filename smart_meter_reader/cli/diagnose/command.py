"""`diagnose`: one text file that belongs to a bug report, without anything that names the user."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click

from smart_meter_reader.cli.diagnose.report import RecordedMeter, Report
from smart_meter_reader.cli.patience import PATIENCE_HELP, patience_for
from smart_meter_reader.cli.record.recorder import record_client
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console import EXIT_INTERRUPTED, EXIT_OK, EXIT_SETTINGS, EXIT_UNAVAILABLE
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.console.interruption import interruptible
from smart_meter_reader.console.output_file import check_writable, write
from smart_meter_reader.drivers import load
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.pipeline.kept_faults import FaultFile, fault_paths
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; one that exists is not replaced.",
)
@click.option(
    "--timeout",
    type=FiniteRange(min=0, min_open=True),
    default=None,
    help=PATIENCE_HELP,
)
def diagnose(environment: str | None, output: Path, timeout: float | None) -> int:
    """Write what belongs to a bug report about ENV into a file.

    It holds versions, the settings without secrets, the line health, a recording of one reading of each
    meter, and what the service kept of faults of its own. Serial, customer and equipment numbers are
    replaced and checksums computed anew, so that the recording can be given away and still replays. Stop the
    service before: it holds the ports.

    The exit code is that of what was found: 78 for settings that cannot be used, 69 when a meter gave no
    reading. The file is written in any case; Ctrl-C leaves out the meters that are not yet read.
    """
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    check_writable(output)
    report = Report()
    report.add_versions()
    try:
        loaded = load_settings(environment=environment)
    except SettingsError as error:
        report.add_problems(error.problems)
        print("the settings cannot be used; `smart-meter-reader check` says why", file=sys.stderr)
        code = EXIT_SETTINGS
    else:
        report.add_settings(loaded)
        for path in fault_paths(loaded.settings.environment):
            report.add_faults(FaultFile(path), loaded.settings)
        code = asyncio.run(interruptible(lambda stop: _add_meters(report, loaded, timeout, stop)))
    write(output, report.text())
    print(f"{output} is written: look through it before you give it away", file=sys.stderr)
    return code


async def _add_meters(
    report: Report, loaded: LoadedSettings, wanted: float | None, stop: asyncio.Event
) -> int:
    """A capture of each meter; the exit code."""
    code = EXIT_OK
    for name, meter in loaded.settings.meters.items():
        capture = await _capture(name, meter, wanted, stop)
        report.add_capture(capture)
        if stop.is_set():
            report.add_interruption(name)
            return EXIT_INTERRUPTED
        session = capture.session
        if session is None:
            continue
        if session.readings(name):
            print(f"{name}: one reading is recorded", file=sys.stderr)
        else:
            print(f"{name}: no reading: {session.why_no_reading()}", file=sys.stderr)
            code = EXIT_UNAVAILABLE
    return code


async def _capture(
    name: str, meter: MeterSettings, wanted: float | None, stop: asyncio.Event
) -> RecordedMeter:
    if not meter.driver.reads_from:
        return RecordedMeter(name, meter.client, meter.driver, None, {})
    client: Client = load(meter_driver(meter.client).client)(name, meter.driver)
    print(f"reading {name} ...", file=sys.stderr)
    seconds = patience_for(meter.driver, wanted)
    session = await record_client(
        meter.client, client, meter.driver, count=1, seconds=seconds, stop=stop, at_alert=True
    )
    return RecordedMeter(name, meter.client, meter.driver, session, dict(client.health))
