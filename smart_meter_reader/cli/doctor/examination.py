"""All checks of one environment in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from smart_meter_reader.cli.doctor.clock_checks import check_clock, ntp_synchronised
from smart_meter_reader.cli.doctor.meter_checks import check_keys, check_reading
from smart_meter_reader.cli.doctor.port_checks import check_port
from smart_meter_reader.cli.patience import patience_for
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console.checks import Check, Level, ok, warning
from smart_meter_reader.drivers import load
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.mqtt.settings import BrokerSettings
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
    loaded: LoadedSettings | None = None
    try:
        loaded = load_settings(directory, environment)
    except SettingsError as error:
        for problem in error.problems:
            yield Check(Level.SETTINGS, "settings", problem)
    if loaded is not None:
        settings = loaded.settings
        yield ok("settings", f"environment {settings.environment} is understood: {_contents(loaded)}")
        for text in loaded.warnings:
            yield warning("settings", text)
    yield check_clock(datetime.now(UTC), [directory / name for name in _FILES], ntp_synchronised())
    if loaded is None:
        return
    for meter in loaded.settings.meters.values():
        async for check in _examine_meter(meter, loaded, read_meters, tell, patience):
            yield check
    async for check in _examine_sinks(loaded):
        yield check


def _contents(loaded: LoadedSettings) -> str:
    meters, sinks = loaded.settings.meters, loaded.settings.sinks
    return f"meters {', '.join(meters)}; sinks {', '.join(sinks)}"


async def _examine_meter(
    meter: MeterSettings,
    loaded: LoadedSettings,
    read: bool,
    tell: Callable[[str], None],
    patience: float | None,
) -> AsyncIterator[Check]:
    subject = f"meter {meter.name}"
    usable = True
    port = meter.driver.reads_from if meter_driver(meter.client).reads_port else ""
    if port:
        for check in check_port(subject, port):
            usable = usable and check.level < Level.UNAVAILABLE
            yield check
        yield ok(subject, f"read as {meter.client} at {' or '.join(map(str, meter.driver.lines))}")
    for check in check_keys(subject, meter, loaded):
        yield check
    if not usable:
        return
    if not read:
        yield ok(subject, "not asked for a reading, as you wished")
    elif port and other_readers(port):
        yield warning(subject, "not asked for a reading, since another process has the port")
    else:
        seconds = patience_for(meter.driver, patience)
        tell(f"{subject}: taking one reading (up to {seconds:g} s) ...")
        async for check in check_reading(subject, meter, seconds):
            yield check


async def _examine_sinks(loaded: LoadedSettings) -> AsyncIterator[Check]:
    """What the sinks talk to: each broker and login once, however many sinks share it."""
    examined: list[tuple[object, ...]] = []
    for sink in loaded.settings.sinks.values():
        path, target = sink_driver(sink.sink).examine, sink.driver
        subject = f"sink {sink.name}"
        if isinstance(target, BrokerSettings):
            subject = f"broker of {sink.name}"
            if target.login in examined:
                continue
            examined.append(target.login)
        if path:
            async for check in load(path)(subject, target):
                yield check
