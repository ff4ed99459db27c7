"""One process runs an environment: a second `run` says who the first is, and publishes nothing."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from smart_meter_reader.pipeline import environment_lock
from smart_meter_reader.pipeline.environment_lock import AlreadyRunError, held
from tests.cli.program import run
from tests.peers.mosquitto import MakeBroker, Watcher
from tests.peers.service_process import ROOT, service_process

TABLE = """
[default.mqtt]
host = "127.0.0.1"
port = {port}
[house.meters.heat]
client = "dummy"
interval = "1h"
[house.sinks.mqtt_json]
[house.sinks.home_assistant]
[house.sinks.homie]
[house.sinks.stdout]
[shed.meters.water]
client = "dummy"
[shed.sinks.stdout]
"""

ONLINE = {f"{base}/availability/house online" for base in ("smart-meter-reader", "smart_meter_reader_ha")}


@pytest.mark.parametrize("arguments", [("run", "house"), ("run", "--once", "house")])
async def test_a_run_by_hand_beside_the_service_publishes_nothing(
    make_broker: MakeBroker, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """dingo35/SmartEVSE-3.5#154: a second run took the availability of the first with it when it ended."""
    broker = make_broker()
    settings = TABLE.format(port=broker.port)
    async with service_process(tmp_path, settings, "house") as service:
        watcher = Watcher(broker.port)
        await asyncio.to_thread(
            watcher.wait_for,
            lambda told: {"homie/heat/$state ready", *ONLINE} <= {f"{m.topic} {m.text}" for m in told},
        )
        connections = broker.log().count("New client connected")
        done = run(*arguments, cwd=tmp_path, environment={"STATE_DIRECTORY": str(tmp_path)})
        assert done.returncode == 69
        assert f"the environment house is run by process {service.process_id}" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert done.stdout == ""
        assert broker.log().count("New client connected") == connections
        watcher.close()
        # Another environment is nobody else's business, and neither is it afterwards.
        other = run("run", "--once", "shed", cwd=tmp_path, environment={"STATE_DIRECTORY": str(tmp_path)})
        assert other.returncode == 0, other.stderr
        await service.stop()
    again = run("run", "--once", "house", cwd=tmp_path, environment={"STATE_DIRECTORY": str(tmp_path)})
    assert again.returncode == 0, again.stderr


ONE_SPOOL = """
[house.meters.heat]
client = "dummy"
interval = "1s"
[house.sinks.stdout]
[house.sinks.influxdb]
url = "http://127.0.0.1:1"
api = "v1"
database = "meters"
spool_name = "one"
[shed.meters.water]
client = "dummy"
[shed.sinks.stdout]
[shed.sinks.influxdb]
url = "http://127.0.0.1:1"
api = "v1"
database = "meters"
spool_name = "one"
"""


async def test_two_environments_have_no_spool_together(tmp_path: Path) -> None:
    """The sink of the second says why it does not run; all else of it does."""
    async with service_process(tmp_path, ONE_SPOOL, "house") as house:
        await house.more_readings(2)
        once = ("run", "--once", "shed")
        done = await asyncio.to_thread(
            run, *once, cwd=tmp_path, environment={"STATE_DIRECTORY": str(tmp_path)}
        )
        assert f"one.influxdb.spool.sqlite is the spool of process {house.process_id}: each" in done.stderr
        assert "Traceback" not in done.stderr
        assert '"type":"reading"' in done.stdout
        await house.stop()


async def test_what_was_killed_holds_nothing(tmp_path: Path) -> None:
    async with service_process(tmp_path, TABLE.format(port=1), "shed") as service:
        await service.more_readings(1)
        await service.kill()
    done = run("run", "--once", "shed", cwd=tmp_path, environment={"STATE_DIRECTORY": str(tmp_path)})
    assert done.returncode == 0, done.stderr


def test_the_installed_service_is_asked_for(tmp_path: Path) -> None:
    """Its memory, and with it the lock, is where no other user can look."""
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text('#!/bin/sh\n[ "$4" = smart_meter_reader@house.service ] && echo 4711\nexit 0\n')
    systemctl.chmod(systemctl.stat().st_mode | stat.S_IXUSR)
    variables = {"XDG_STATE_HOME": str(tmp_path), "PATH": str(systemctl.parent)}
    named = pytest.raises(AlreadyRunError, match=r"process 4711 \(smart_meter_reader@house\.service\)")
    with named, held("house", variables):
        raise AssertionError("both run")
    with held("shed", variables):
        assert (tmp_path / "smart_meter_reader" / "shed.lock").read_text() == f"{os.getpid()}\n"
    with held("house", {**variables, "STATE_DIRECTORY": str(tmp_path)}):
        pass  # the service itself


def test_a_place_that_cannot_be_written_is_told_and_no_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with held("house", {"STATE_DIRECTORY": str(tmp_path / "file"), "PATH": ""}):
        assert "a second run of the environment house would not be noticed" in caplog.text


def test_a_number_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    lock = tmp_path / "house.lock"
    holds = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); f.write('\\x1b'); f.flush()"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{holds}; print(flush=True); sys.stdin.read()", str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        unnamed = pytest.raises(AlreadyRunError, match="is run by another process: both")
        with unnamed, held("house", {"STATE_DIRECTORY": str(tmp_path), "PATH": ""}):
            raise AssertionError("both run")
    finally:
        process.communicate()


def test_a_place_that_cannot_be_locked_is_told_and_no_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    open_files = Path("/proc/self/fd")
    before = len(list(open_files.iterdir()))
    with held("house", {"STATE_DIRECTORY": str(tmp_path), "PATH": ""}):
        (told,) = caplog.messages
        assert told.startswith(f"{tmp_path / 'house.lock'} cannot be locked (No locks available): a second")
        assert len(list(open_files.iterdir())) == before


@pytest.mark.parametrize("program", ["exec sleep 60", "exit 1", "echo 0", "echo none"])
def test_a_systemctl_that_knows_nothing_is_no_hindrance(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment_lock, "SYSTEMCTL_SECONDS", 0.3)
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\n{program}\n")
    systemctl.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    with held("house", {"XDG_STATE_HOME": str(tmp_path), "PATH": path}):
        assert (tmp_path / "smart_meter_reader" / "house.lock").read_text() == f"{os.getpid()}\n"
