"""Which meters may share a port: those of one bus, each with an address of its own and all at one speed."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.exceptions import SettingsError

BEGIN = '[home.meters.heat]\nclient = "mbus"\nport = "/dev/bus"\naddress = 7\n'
SINK = "[home.sinks.stdout]\n"


def problems(folder: Path, other: str) -> str:
    """What is said of another meter beside the one at address 7; "" when all is well."""
    (folder / "config.py").write_text((Path(__file__).parents[3] / "config.py").read_text())
    (folder / "settings.toml").write_text(f"{BEGIN}[home.meters.other]\n{other}\n{SINK}")
    try:
        load_settings(folder, "home")
    except SettingsError as error:
        return str(error)
    return ""


BUS = 'client = "mbus"\nport = "/dev/bus"\n'


@pytest.mark.parametrize(
    "other",
    [
        f"{BUS}address = 8",
        f"{BUS}secondary_address = '12345678'",
        'client = "mbus"\nport = "/dev/other"',
        'client = "mbus"\nport = "/dev/other"\naddress = 7',
    ],
)
def test_who_can_be_told_apart_shares_a_line(tmp_path: Path, other: str) -> None:
    assert problems(tmp_path, other) == ""


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (f"{BUS}address = 7", "an address of its own"),
        (BUS, "a port of its own"),
        (f"{BUS}address = 254", "a port of its own"),
        (f"{BUS}address = 8\nbaud = 9600", "the same speed"),
        (f'{BUS}wake_up = "0x55"', "a port of its own"),
        ('client = "kamstrup"\nport = "/dev/bus"', "a port of its own"),
    ],
)
def test_who_cannot_be_told_apart_is_told_so(tmp_path: Path, other: str, what: str) -> None:
    told = problems(tmp_path, other)
    assert what in told
    assert "meters.other.port" in told
    assert "heat" in told


def test_a_mistake_in_one_of_them_is_told_and_not_that_they_share(tmp_path: Path) -> None:
    told = problems(tmp_path, f"{BUS}address = 999")
    assert "address" in told
    assert "port of its own" not in told
