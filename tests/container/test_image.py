"""The container image, run as unprivileged as the pages tell: to a first reading, health, an ordered end."""

from __future__ import annotations

import grp
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.program import ROOT, emulated
from tests.container.podman import LIMITS, TIGHT, container, inspected, podman
from tests.peers.ports import free_port

IMAGE = os.environ.get("SMART_METER_READER_IMAGE", "")
pytestmark = [
    pytest.mark.skipif(not IMAGE, reason="scripts/test-image builds the image and runs these"),
    pytest.mark.xdist_group("container"),
]
USER = 65532


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The folder of the settings; /config in the container."""
    folder = tmp_path / "config"
    folder.mkdir()
    os.chown(folder, USER, USER)
    return folder


@pytest.fixture
def places(config: Path, tmp_path: Path) -> tuple[str, ...]:
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, USER, USER)
    return ("--volume", f"{config}:/config:ro", "--volume", f"{data}:/data", "--network", "host")


def settings(config: Path, port: str) -> None:
    shutil.copy(ROOT / "config.py", config)
    (config / "settings.toml").write_text(
        f'[home.meters.heat]\nclient = "kamstrup"\nport = "{port}"\ninterval = "2s"\nmains_powered = true\n'
        '[home.sinks.stdout]\nformat = "table"\n[home.sinks.history]\n'
    )


def test_it_says_what_it_is() -> None:
    (told,) = inspected("image", IMAGE)
    assert told["Config"]["User"] == f"{USER}:{USER}"
    assert set(told["Config"]["Volumes"]) == {"/config", "/data"}
    assert "smart-meter-reader health" in " ".join(told["Healthcheck"]["Test"])


def test_init_writes_the_settings(config: Path) -> None:
    tight = (*LIMITS, *TIGHT, "--network", "none", "--volume", f"{config}:/config")
    done = podman("run", "--rm", *tight, IMAGE, "init")
    assert done.returncode == 0, done.stdout
    done = podman("run", "--rm", *tight, IMAGE, "check")
    assert "no meter" in done.stdout or "meters" in done.stdout, done.stdout


def test_to_a_first_reading_and_an_ordered_end(config: Path, places: tuple[str, ...]) -> None:
    port = free_port()
    settings(config, f"socket://127.0.0.1:{port}")
    with ExitStack() as meter:
        meter.enter_context(emulated("kamstrup", "--listen", str(port)))
        with container(IMAGE, (*TIGHT, *places)) as running:
            running.until("Heat energy")
            running.until_health(0)
            status = running.run("cat", "/proc/1/status").stdout
            assert "CapEff:\t0000000000000000" in status
            assert "NoNewPrivs:\t1" in status
            assert f"Uid:\t{USER}\t" in status
            assert running.run("touch", "/usr/there").returncode != 0
            assert running.run("touch", "/config/there").returncode != 0
            meter.close()
            running.until_health(1)
            told = running.run("smart-meter-reader", "health").stdout
            assert told.startswith("heat: offline ("), told
            assert running.stop() == 0, running.log
            assert "Traceback" not in running.log


def test_without_the_group_of_a_port_it_says_what_to_give(config: Path, places: tuple[str, ...]) -> None:
    with emulated("kamstrup") as port:
        settings(config, "/dev/ttyMETER")
        group = grp.getgrnam("dialout").gr_gid
        os.chown(port, -1, group)
        device = ("--device", f"{port}:/dev/ttyMETER")
        Path(port).chmod(0o660)
        with container(IMAGE, (*TIGHT, *places, *device)) as running:
            running.until("meter heat is offline")
            assert f"start the container with --group-add {group} " in running.log
        with container(IMAGE, (*TIGHT, *places, *device, "--group-add", str(group))) as running:
            # As far as the driver: a pseudo-terminal answers only where it was made.
            running.until("meter heat is offline")
            assert "--group-add" not in running.log


def test_secrets_come_as_a_file_or_a_variable(config: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "config.py", config)
    (config / "settings.toml").write_text(
        '[home.meters.dummy]\nclient = "dummy"\n[home.sinks.mqtt_json]\n'
        '[home.mqtt]\nhost = "localhost"\nusername = "meters"\n'
    )
    secrets = tmp_path / "secrets.toml"
    secrets.write_text('[home.mqtt]\npassword = "hidden-by-a-file"\n')
    os.chown(secrets, USER, USER)
    secrets.chmod(0o400)
    tight = (*LIMITS, *TIGHT, "--network", "none", "--volume", f"{config}:/config:ro")
    by_file = podman(
        *("run", "--rm", *tight, "--volume", f"{secrets}:/run/secrets/secrets.toml:ro"),
        *(IMAGE, "check", "--all"),
    )
    by_variable = podman(
        "run", "--rm", *tight, "--env", "DYNACONF_MQTT__password=hidden-too", IMAGE, "check", "--all"
    )
    for done, source in ((by_file, "secrets.toml"), (by_variable, "variable DYNACONF_MQTT__password")):
        assert done.returncode == 0, done.stdout
        assert "warning" not in done.stdout
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("password")]
        assert '"<hidden>"' in line
        assert source in line
