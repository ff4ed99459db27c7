"""`diagnose`: one text file that belongs to a bug report, without anything that names the user."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from smart_meter_reader.cli.diagnose.report import RecordedMeter, Report
from smart_meter_reader.cli.read.patience import PATIENCE_HELP, patience_for
from smart_meter_reader.cli.record.recorder import record_client
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console import EXIT_INTERRUPTED, EXIT_OK, EXIT_SETTINGS, EXIT_UNAVAILABLE
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.console.interruption import interruptible
from smart_meter_reader.console.output_file import check_writable, write_output
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.pipeline.kept_faults import FaultFile, fault_paths
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings
from smart_meter_reader.sinks.history.settings import HistorySettings

# A name, and no number of a device: those have more digits.
_MODEL = re.compile(r"(?!.*[0-9]{5})[^\x00-\x1f]{1,60}")


def _models(context: click.Context, option: click.Parameter, value: Sequence[str]) -> dict[str, str]:
    """What people say that their meters are called, by meter."""
    named: dict[str, str] = {}
    for entry in value:
        meter, _, model = entry.partition("=")
        if not (meter and _MODEL.fullmatch(model)):
            raise click.BadParameter(f"{entry!r}: write METER=MODEL, such as heat='MULTICAL 403'")
        named[meter] = model
    return named


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; one that exists is not replaced.",
)
@click.option(
    "--model",
    "named",
    multiple=True,
    metavar="METER=MODEL",
    callback=_models,
    help="What is printed on a meter whose type code is not known yet: heat='MULTICAL 403'.",
)
@click.option(
    "--timeout",
    type=FiniteRange(min=0, min_open=True),
    default=None,
    help=PATIENCE_HELP,
)
def diagnose(environment: str | None, output: Path, named: Mapping[str, str], timeout: float | None) -> int:
    """Write what belongs to a bug report about ENV into a file.

    It holds versions, the settings without secrets, how large the history is, the line health, a recording
    of one reading of each meter, and what the service kept of faults of its own. Serial, customer and
    equipment numbers are replaced and checksums computed anew, so that the recording can be given away and
    still replays. Stop the service before: it holds the ports.

    Of a meter that tells its type by a code, the report has one line with that code and what the meter is
    called, by the settings or by --model, so that the code can become a name.

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
        _add_history(report, loaded)
        report.add_names(named)
        for name in named.keys() - loaded.settings.meters.keys():
            raise click.BadParameter(f"{name!r} is no meter of the settings", param_hint="'--model'")
        code = asyncio.run(interruptible(lambda stop: _add_meters(report, loaded, timeout, stop)))
    write_output(output, report.text())
    print(f"{output} is written: look through it before you give it away", file=sys.stderr)
    return code


def _add_history(report: Report, loaded: LoadedSettings) -> None:
    for sink in loaded.settings.sinks.values():
        if isinstance(sink.driver, HistorySettings):
            # Only where there is such a sink: SQLite is nothing that others need.
            from smart_meter_reader.cli.diagnose.history_section import history_lines
            from smart_meter_reader.cli.history.place import existing_of

            try:
                path = existing_of(sink.driver, loaded.settings.environment)
            except (HistoryError, SettingsError):
                report.add_section("history", ["it is another user's, or has no place"])
                continue
            report.add_section("history", history_lines(sink.driver, path))


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
    client: Client = imported(meter_driver(meter.client).client)(name, meter.driver)
    print(f"reading {name} ...", file=sys.stderr)
    seconds = patience_for(meter.driver, wanted)
    session = await record_client(
        meter.client, client, meter.driver, count=1, seconds=seconds, stop=stop, at_alert=True
    )
    return RecordedMeter(name, meter.client, meter.driver, session, dict(client.health))
