"""`run --once` from cron: what was read stays available after the end, with sinks on a real broker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mosquitto import Mosquitto
from tests.mqtt_recorder import retained

ROOT = Path(__file__).parents[2]
SETTINGS = """
[default.mqtt]
host = "127.0.0.1"
port = {port}
service = "test"

[cron.meters.heat]
client = "dummy"
interval = "1h"
[cron.meters.dead]
client = "kamstrup"
port = "/nowhere/at/all"
[cron.sinks.mqtt_json]
[cron.sinks.home_assistant]
[cron.sinks.homie]
"""


@pytest.fixture
def told(broker: Mosquitto, tmp_path: Path) -> dict[str, str]:
    """What the broker holds after `run --once`."""
    shutil.copy(ROOT / "config.py", tmp_path)
    (tmp_path / "settings.toml").write_text(SETTINGS.format(port=broker.port))
    process = subprocess.run(
        [sys.executable, "-m", "smart_meter_reader", "run", "cron", "--once"],
        cwd=tmp_path,
        env={**os.environ, "STATE_DIRECTORY": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert process.returncode == 69, process.stderr  # one of the meters is not there
    return retained(broker.port)


def test_a_meter_that_was_read_stays_online(told: dict[str, str]) -> None:
    assert told["smart-meter-reader/heat/availability"] == "online"
    assert json.loads(told["smart-meter-reader/heat/status"])["state"] == "online"
    assert told["smart-meter-reader/availability/test"] == "online"
    assert told["smart_meter_reader_ha/heat/availability"] == "online"
    assert told["smart_meter_reader_ha/availability/test"] == "online"


def test_a_meter_that_was_not_is_offline(told: dict[str, str]) -> None:
    assert told["smart-meter-reader/dead/availability"] == "offline"
    assert json.loads(told["smart-meter-reader/dead/status"])["reason"] == "port_missing"
    assert told["smart_meter_reader_ha/dead/availability"] == "offline"


def test_values_expire_by_the_interval_of_the_settings(told: dict[str, str]) -> None:
    config = json.loads(told["homeassistant/device/smart_meter_reader_heat/config"])
    expiries = {entity["exp_aft"] for entity in config["cmps"].values() if "exp_aft" in entity}
    assert expiries
    assert min(expiries) > 3600


def test_a_homie_device_disconnects_as_its_convention_wants(told: dict[str, str]) -> None:
    assert told["homie/heat/$state"] == "disconnected"
