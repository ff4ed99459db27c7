"""Every family's record: what it names is there, and is what the commands take it for."""

from __future__ import annotations

import dataclasses

import click
import pytest

from smart_meter_reader.drivers import Likeness, MeterDriver, imported
from smart_meter_reader.meters.base import Client, ClientSettings
from smart_meter_reader.meters.found import Listening, Question
from smart_meter_reader.meters.registry import METERS, meter_driver, meter_drivers
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.settings.schema import DriverSettings
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.registry import SINKS, sink_driver

FAMILIES = pytest.mark.parametrize("client", METERS)


@FAMILIES
def test_a_family_has_a_client_and_its_settings(client: str) -> None:
    driver = meter_driver(client)
    assert Client in imported(driver.client).__mro__
    settings = imported(driver.settings)
    assert issubclass(settings, ClientSettings)
    assert dataclasses.is_dataclass(settings)


@FAMILIES
def test_what_a_record_names_is_what_commands_take_it_for(client: str) -> None:
    driver = meter_driver(client)
    assert not driver.listens or isinstance(imported(driver.listens), Listening)
    assert all(isinstance(imported(path), Question) for path in driver.asks)
    assert all(isinstance(imported(path), click.Command) for path in driver.emulators.values())
    assert not driver.decode or isinstance(imported(driver.decode), click.Command)
    assert not driver.sniff or imported(driver.sniff)(b"") is Likeness.NONE
    for path in (driver.head, driver.comment, driver.redact):
        assert not path or callable(imported(path))
    assert set(driver.typical) <= set(QUANTITIES)


@FAMILIES
def test_a_family_at_a_port_can_be_found_decoded_emulated_and_shared(client: str) -> None:
    driver = meter_driver(client)
    if not driver.reads_port:
        return  # the dummy meter and recordings have no line
    assert driver.listens or driver.asks
    assert driver.emulators
    assert driver.protocol
    assert driver.decode
    assert driver.sniff
    assert driver.redact
    assert driver.typical


def test_no_two_families_share_a_name() -> None:
    drivers = list(meter_drivers().values())
    for names in (
        [driver.protocol for driver in drivers if driver.protocol],
        [name for driver in drivers for name in driver.emulators],
    ):
        assert len(set(names)) == len(names)


def test_a_record_says_everything() -> None:
    """Only what the guard must know has a default: a family that forgets the rest cannot be written."""
    with_default = {
        field.name for field in dataclasses.fields(MeterDriver) if field.default is not dataclasses.MISSING
    }
    assert with_default == {"checksummed", "counter_digits", "simulated"}


@pytest.mark.parametrize("kind", SINKS)
def test_a_sink_has_its_settings(kind: str) -> None:
    driver = sink_driver(kind)
    assert Sink in imported(driver.sink).__mro__
    assert issubclass(imported(driver.settings), DriverSettings)
    assert not driver.examine or callable(imported(driver.examine))
