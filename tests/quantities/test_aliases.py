"""Names that people bring along lead to the right register, and the canonical one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from smart_meter_reader.cli.registers import registers
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.aliases import ALIASES, folded, meant_by
from smart_meter_reader.settings.schema import Origin, Place, parse
from smart_meter_reader.settings.warnings import DriverTable, warnings_about

# The parameters of kamstrup-402-mqtt, as its documentation writes them, and the registers that it reads.
KAMSTRUP_402_MQTT = {
    "energy": 60, "power": 80, "temp1": 86, "temp2": 87, "tempdiff": 89, "flow": 74, "volume": 68,
    "minflow_m": 141, "maxflow_m": 139, "minflowDate_m": 140, "maxflowDate_m": 138, "minpower_m": 145,
    "maxpower_m": 143, "avgtemp1_m": 149, "avgtemp2_m": 150, "minpowerdate_m": 144, "maxpowerdate_m": 142,
    "minflow_y": 126, "maxflow_y": 124, "minflowdate_y": 125, "maxflowdate_y": 123, "minpower_y": 130,
    "maxpower_y": 128, "avgtemp1_y": 146, "avgtemp2_y": 147, "minpowerdate_y": 129, "maxpowerdate_y": 127,
    "temp1xm3": 97, "temp2xm3": 110, "infoevent": 113, "hourcounter": 1004,
}  # fmt: skip
MANUALS = {"E1": 60, "E3": 63, "V1": 68, "V2": 69, "T1": 86, "T2": 87, "T1-T2": 89, "E8": 97, "E9": 110}
MC66C = {
    "Temperature_in": "flow_temperature",
    "Temperature_out": "return_temperature",
    "Energy": "heat_energy",
}


@pytest.mark.parametrize(("name", "register"), [*KAMSTRUP_402_MQTT.items(), *MANUALS.items()])
def test_a_name_leads_to_its_register(name: str, register: int) -> None:
    assert resolve_register(name).id == register
    assert resolve_register(name.upper()).id == register


def test_every_alias_means_a_quantity_and_hides_none() -> None:
    assert set(ALIASES.values()) <= QUANTITIES.keys()
    assert not ALIASES.keys() & QUANTITIES.keys()
    assert all(folded(name) == name for name in ALIASES)
    assert meant_by("volume") == meant_by("nonsense") == ""


def test_the_settings_of_older_meters_take_them_too() -> None:
    place = Place({(): Origin("settings.toml", "home", ())})
    table = {"port": "/dev/ttyS0", "registers": [*MC66C, "Volume", "POWER"]}
    settings, problems = parse(Iec62056_21Settings, table, place)
    assert settings is not None, problems
    assert settings.registers == (*MC66C.values(), "volume", "power")


def test_the_canonical_name_is_told_once() -> None:
    place = Place({(): Origin("settings.toml", "home", ())}, ("meters", "heat"))
    table = {"port": "socket://h:1", "registers": ["temp1", "heat_energy", 60]}
    (warning,) = warnings_about([DriverTable(KamstrupSettings, table, place)], list[Path]())
    assert "temp1 is called flow_temperature" in warning
    settings = KamstrupSettings(port="socket://h:1", registers=("temp1", 60))
    assert settings.named_quantities == ("flow_temperature",)


def test_registers_shows_them() -> None:
    result = CliRunner().invoke(registers, ["tempdiff"])
    assert "temperature_difference" in result.stdout
    assert "t1_t2" in result.stdout


def test_55h_is_a_choice_on_the_command_line() -> None:
    from smart_meter_reader.cli.read.command import client_settings

    settings = client_settings("iec62056_21", "/dev/ttyS0", None, None, ["wake_up=0x55"])
    assert settings.wake_up == "0x55"
