"""`run --once` from cron: what was read stays available after the end, with sinks on a real broker."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import QUICKLY
from tests.peers.mosquitto import MakeBroker, Mosquitto
from tests.peers.mqtt_recorder import retained
from tests.peers.ports import free_port

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

[good.meters.heat]
client = "dummy"
[good.sinks.mqtt_json]
[good.sinks.home_assistant]
[good.sinks.homie]

[silent.meters.heat]
client = "dummy"
[silent.sinks.mqtt_json]
[silent.sinks.stdout]
"""
SINKS = ("mqtt_json", "home_assistant", "homie")


@pytest.fixture
def told(broker: Mosquitto, tmp_path: Path) -> dict[str, str]:
    """What the broker holds after `run --once`."""
    process = run_once(tmp_path, "cron", broker.port)
    assert process.returncode == 69, process.stderr  # one of the meters is not there
    assert "did not arrive" not in process.stderr
    return retained(broker.port)


def run_once(directory: Path, environment: str, port: int) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "config.py", directory)
    (directory / "settings.toml").write_text(SETTINGS.format(port=port))
    return subprocess.run(
        [*QUICKLY, "run", environment, "--once"],
        cwd=directory,
        env={**os.environ, "STATE_DIRECTORY": str(directory)},
        capture_output=True,
        text=True,
        timeout=30,
    )


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


def test_all_delivered_is_0(broker: Mosquitto, tmp_path: Path) -> None:
    process = run_once(tmp_path, "good", broker.port)
    assert process.returncode == 0, process.stderr
    assert "WARNING" not in process.stderr


def test_without_a_broker_it_is_69_and_said_for_every_sink(tmp_path: Path) -> None:
    process = run_once(tmp_path, "good", free_port())
    assert process.returncode == 69, process.stderr
    assert "nothing listens on" in process.stderr
    assert [
        name for name in SINKS if f"sink {name}: what was read did not arrive" not in process.stderr
    ] == []


def test_a_peer_that_never_answers_does_not_hold_it_for_ever(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as peer:
        process = run_once(tmp_path, "silent", peer.getsockname()[1])
    assert process.returncode == 69, process.stderr
    assert "sink mqtt_json: what was read did not arrive" in process.stderr
    assert "sink stdout" not in process.stderr
    assert "heat_energy" in process.stdout


def test_what_the_broker_refuses_is_not_delivered(make_broker: MakeBroker, tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite homie/#\n")
    process = run_once(tmp_path, "good", make_broker(f"acl_file {rules}").port)
    assert process.returncode == 69, process.stderr
    assert "sink mqtt_json: what was read did not arrive" in process.stderr
    assert "sink homie: what was" not in process.stderr
