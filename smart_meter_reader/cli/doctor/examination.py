"""All checks of one environment in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from smart_meter_reader.cli.doctor.clock_checks import check_clock, ntp_synchronised
from smart_meter_reader.cli.doctor.filling_checks import check_filling
from smart_meter_reader.cli.doctor.meter_checks import check_keys, check_reading
from smart_meter_reader.cli.doctor.port_checks import check_port
from smart_meter_reader.cli.doctor.service_checks import check_program, check_service
from smart_meter_reader.cli.read.patience import patience_for
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console.checks import Check, Level, ok, warning
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.fleet.leases import DRIVER as LEASES
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.service.program import program_place
from smart_meter_reader.service.state import ServiceState, service_state
from smart_meter_reader.service.steps import Machine
from smart_meter_reader.service.unit import UNIT
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings
from smart_meter_reader.sinks.registry import sink_driver
from smart_meter_reader.transport.ports import other_readers

_FILES = ("config.py", "settings.toml", ".secrets.toml")


async def examine(
    directory: Path,
    environment: str | None,
    *,
    read_meters: bool,
    tell: Callable[[str], None],
    patience: float | None = None,
) -> AsyncIterator[Check]:
    """Every check of an environment; ``tell`` gets what takes a while.

    ``patience``: seconds for one reading of each meter; None: what suits its client.
    What is wrong with the settings is a check too; nothing is raised for it.
    """
    machine = Machine()
    programs = check_program(program_place(), machine)
    loaded: LoadedSettings | None = None
    try:
        loaded = load_settings(directory, environment)
    except SettingsError as error:
        for problem in error.problems:
            yield Check(Level.SETTINGS, "settings", problem)
    for check in (*_understood(loaded), *programs):
        yield check
    yield check_clock(datetime.now(UTC), [directory / name for name in _FILES], ntp_synchronised())
    if loaded is None:
        return
    name = loaded.settings.environment
    service = service_state(name)
    for check in check_service(name, service, packaged=machine.packaged(UNIT)):
        yield check
    for meter in loaded.settings.meters.values():
        async for check in _examine_meter(meter, loaded, service, read_meters, tell, patience):
            yield check
    async for check in _examine_sinks(loaded):
        yield check


def _understood(loaded: LoadedSettings | None) -> Iterator[Check]:
    if loaded is None:
        return
    yield ok("settings", f"environment {loaded.settings.environment} is understood: {_contents(loaded)}")
    for text in loaded.warnings:
        yield warning("settings", text)


def _contents(loaded: LoadedSettings) -> str:
    meters, sinks = loaded.settings.meters, loaded.settings.sinks
    return f"meters {', '.join(meters)}; sinks {', '.join(sinks)}"


async def _examine_meter(
    meter: MeterSettings,
    loaded: LoadedSettings,
    service: ServiceState | None,
    read: bool,
    tell: Callable[[str], None],
    patience: float | None,
) -> AsyncIterator[Check]:
    subject = f"meter {meter.name}"
    usable = True
    port = meter.driver.reads_from if meter_driver(meter.client).reads_port else ""
    if port:
        for check in check_port(subject, port, service.pid if service else 0):
            usable = usable and check.level < Level.UNAVAILABLE
            yield check
        yield ok(
            subject, f"the settings read it as {meter.client} at {' or '.join(map(str, meter.driver.lines))}"
        )
    for check in check_keys(subject, meter, loaded):
        yield check
    for check in check_filling(subject, meter, loaded.settings.environment):
        yield check
    if not usable:
        return
    if not read:
        yield ok(subject, "not asked for a reading, as you wished")
    elif port and service is not None and service.runs:
        stop = f"sudo systemctl stop {service.instance}"
        yield ok(subject, f"not asked for a reading, since the service reads it; to have it asked: {stop}")
    elif port and other_readers(port):
        yield warning(subject, "not asked for a reading, since another process has the port")
    else:
        seconds = patience_for(meter.driver, patience)
        tell(f"{subject}: taking one reading (up to {seconds:g} s) ...")
        async for check in check_reading(subject, meter, seconds, tell):
            yield check


async def _examine_sinks(loaded: LoadedSettings) -> AsyncIterator[Check]:
    """What sinks and leases talk to: each broker and login once, however many sinks share it."""
    examined: list[tuple[object, ...]] = []
    said: set[str] = set()
    for sink in loaded.settings.sinks.values():
        path, target = sink_driver(sink.sink).examine, sink.driver
        subject = f"sink {sink.name}"
        if isinstance(target, BrokerSettings):
            subject = f"broker of {sink.name}"
            if target.login in examined:
                continue
            examined.append(target.login)
        if path:
            async for check in imported(path)(subject, target):
                said.add(check.text)
                yield check
    if loaded.settings.leases is not None:
        async for check in imported(LEASES.examine)("leases", loaded.settings.leases):
            # Of servers that a sink uses as well it has been said.
            if check.text not in said:
                yield check
