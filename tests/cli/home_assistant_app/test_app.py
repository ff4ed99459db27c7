"""From the options of the form to the first reading on the broker, with a stand-in for the Supervisor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.console import EXIT_SETTINGS
from tests.cli.program import ROOT, emulated
from tests.peers.imported import STARTED
from tests.peers.mosquitto import PASSWORD, USER, MakeBroker, Watcher, login_lines
from tests.peers.ports import free_port
from tests.peers.supervisor_http import TOKEN, SupervisorHttp

ENTRY = (*STARTED, "smart_meter_reader.cli.home_assistant_app")
PATIENCE = 60.0
HEAT = {"name": "heat", "client": "kamstrup", "interval": "2s", "mains_powered": True}


def variables(folder: Path, supervisor: str) -> dict[str, str]:
    """Surroundings as in the container, below ``folder``."""
    for name in ("data", "config"):
        (folder / name).mkdir(exist_ok=True)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("DYNACONF")},
        "PYTHONPATH": str(ROOT),
        "APP_DATA": str(folder / "data"),
        "APP_CONFIG": str(folder / "config"),
        "APP_SETTINGS": str(folder / "settings"),
        "APP_SUPERVISOR": supervisor,
        "APP_USER": "root",  # another user may not be able to read this Python
        "APP_PAGE_PORT": str(free_port()),
        "SUPERVISOR_TOKEN": TOKEN,
    }


def options(folder: Path, content: dict[str, Any]) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "options.json").write_text(json.dumps(content))


def refused(folder: Path, supervisor: str) -> str:
    """What the log says of options that cannot be used."""
    done = subprocess.run(
        ENTRY, env=variables(folder, supervisor), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (EXIT_SETTINGS, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith("put right in the app's configuration; then start it again\n")
    return done.stderr


@contextmanager
def running(surroundings: dict[str, str], log: Path) -> Iterator[None]:
    """The app from its first reading until the end of the block, and an ordered end of it."""
    with log.open("wb") as file:
        process = subprocess.Popen(ENTRY, env=surroundings, stdout=file, stderr=file)
    try:
        until = time.monotonic() + PATIENCE
        while "is online" not in log.read_text():
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_from_options_to_the_first_reading(tmp_path: Path, make_broker: MakeBroker) -> None:
    broker = make_broker(*login_lines(tmp_path / "login"), anonymous=False)
    offered = {"host": "127.0.0.1", "port": broker.port, "ssl": False, "username": USER, "password": PASSWORD}
    log = tmp_path / "log"
    port = free_port()
    with (
        SupervisorHttp({**offered, "protocol": "3.1.1", "addon": "core_mosquitto"}) as supervisor,
        emulated("kamstrup", "--listen", str(port)),
    ):
        address = f"socket://127.0.0.1:{port}"
        options(
            tmp_path,
            {"meters": [{**HEAT, "network_address": address}], "home_assistant": True, "mqtt_json": True},
        )
        watcher = Watcher(broker.port, USER, PASSWORD)
        surroundings = variables(tmp_path, supervisor.url)
        with running(surroundings, log):
            states = {"smart_meter_reader_ha/heat/state", "smart-meter-reader/heat/state"}
            seen = watcher.wait_for(lambda all_: states <= {each.topic for each in all_})
            page = f"http://127.0.0.1:{surroundings['APP_PAGE_PORT']}/"
            with pytest.raises(urllib.error.HTTPError) as refusal:
                urllib.request.urlopen(page, timeout=10)
            refusal.value.close()
        watcher.close()
    assert refusal.value.code in (401, 403)  # the Supervisor alone is let in
    assert any(each.topic.startswith("homeassistant/") for each in seen)
    assert supervisor.asked == ["/services/mqtt"]
    assert (tmp_path / "data" / "home.history.sqlite").exists()
    told = log.read_text()
    assert PASSWORD not in told
    assert TOKEN not in told


def test_an_own_settings_toml_takes_the_place_of_the_options(tmp_path: Path, make_broker: MakeBroker) -> None:
    broker = make_broker()
    log = tmp_path / "log"
    with SupervisorHttp({"host": "127.0.0.1", "port": broker.port}) as supervisor:
        surroundings = variables(tmp_path, supervisor.url)
        (tmp_path / "config" / "settings.toml").write_text(
            '[house.meters.dummy]\nclient = "dummy"\ninterval = "1s"\n[house.sinks.mqtt_json]\n'
            # Neither is an environment.
            "[page]\nport = 8081\n[writer]\nport = 8082\n"
        )
        watcher = Watcher(broker.port)
        with running(surroundings, log):
            watcher.wait_for(lambda all_: any("dummy" in each.topic for each in all_))
        watcher.close()
    assert "is used, and nothing of the options" in log.read_text()
    assert "-> mqtt_json, web" in log.read_text()


def test_errors_name_the_option(tmp_path: Path) -> None:
    with SupervisorHttp() as supervisor:
        wrong = {**HEAT, "interval": "often", "port": "/dev/ttyUSB0", "model": ""}
        options(tmp_path, {"meters": [wrong], "home_assistant": True, "mqtt_host": "mqtt://broker"})
        told = refused(tmp_path, supervisor.url).splitlines()
        assert any(line.startswith('option meters, heat, interval: found "often"') for line in told), told
        assert any(line.startswith('option mqtt_host: found "mqtt://broker"') for line in told), told
        assert not any("settings.toml" in line for line in told)

        options(tmp_path, {"meters": []})
        assert "option meters: add a meter. " in refused(tmp_path, supervisor.url)
    assert "cannot be reached" in refused(tmp_path, f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    "content",
    ["{", "[" * 60_000, '{"meters": [{"name": "a\\ud800"}]}', "[]"],
    ids=["cut", "brackets", "half a character", "list"],
)
def test_options_that_are_none_name_their_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "options.json").write_text(content)
    with SupervisorHttp() as supervisor:
        told = refused(tmp_path, supervisor.url)
    assert told.startswith(f"{tmp_path / 'data' / 'options.json'}: it ")
    assert "; save the options of the app once more\n" in told


def test_a_client_that_is_no_name_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    options(tmp_path, {"meters": [{"name": "heat", "client": ["dummy"], "address": "5"}]})
    with SupervisorHttp() as supervisor:
        assert "option meters, heat, client: found a list; allowed: " in refused(tmp_path, supervisor.url)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[house\n", "settings.toml, line 1: "),
        (b'[house]\ntitle = "\xe4"\n', "settings.toml, line 2: not UTF-8 text"),
        (b"a = " + b"[" * 6_000, "settings.toml: brackets in brackets, nested too deeply"),
    ],
    ids=["slip", "letter", "brackets"],
)
def test_an_own_file_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with SupervisorHttp() as supervisor:
        variables(tmp_path, supervisor.url)
        (tmp_path / "config" / "settings.toml").write_bytes(content)
        assert f"\n{said}" in refused(tmp_path, supervisor.url)
