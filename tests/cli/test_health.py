"""`health`: what the running service answers, and what is said where none does."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from tests.cli.program import ROOT, run
from tests.peers.service_process import service_process

SINK = '[home.sinks.stdout]\nformat = "json"\n'
DUMMY = '[home.meters.dummy]\nclient = "dummy"\ninterval = "1s"\n'
GONE = '[home.meters.heat]\nclient = "kamstrup"\nport = "/dev/not-a-port"\n'


async def test_it_is_well_while_readings_are_fresh(tmp_path: Path) -> None:
    place = {"STATE_DIRECTORY": str(tmp_path)}
    async with service_process(tmp_path, DUMMY + SINK, "home") as service:
        await service.more_readings(1)
        done = run("health", cwd=tmp_path, environment=place)
        assert (done.returncode, done.stderr) == (EXIT_OK, "")
        assert done.stdout.startswith("dummy: online, last reading ")
        rights = (tmp_path / "home.health").stat().st_mode
        assert stat.S_ISSOCK(rights)
        assert stat.S_IMODE(rights) == 0o600
        await service.stop()
    assert not (tmp_path / "home.health").exists()


async def test_it_names_the_meter_that_is_not_and_knows_that_a_restart_would_not_help(tmp_path: Path) -> None:
    place = {"STATE_DIRECTORY": str(tmp_path)}
    async with service_process(tmp_path, DUMMY + GONE + SINK, "home") as service:
        await service.until(lambda: "offline port_missing" in service.states, "trouble")
        await service.more_readings(1)
        done = run("health", cwd=tmp_path, environment=place)
        assert (done.returncode, done.stdout) == (
            EXIT_UNAVAILABLE,
            "heat: offline (port_missing), no reading yet\n",
        )
        told = json.loads(run("health", "--json", cwd=tmp_path, environment=place).stdout)
        assert (told["not_fresh"], told["hanging"], told["meters"]["dummy"]["fresh"]) == (["heat"], [], True)
        assert run("health", "--alive", cwd=tmp_path, environment=place).returncode == EXIT_OK


async def test_a_service_that_was_killed_leaves_nothing_that_answers(tmp_path: Path) -> None:
    place = {"STATE_DIRECTORY": str(tmp_path)}
    async with service_process(tmp_path, DUMMY + SINK, "home") as service:
        await service.more_readings(1)
        await service.kill()
    assert (tmp_path / "home.health").exists()
    done = run("health", cwd=tmp_path, environment=place)
    assert done.returncode == EXIT_UNAVAILABLE
    assert done.stderr == "the service of the environment home does not answer: it does not run\n"
    async with service_process(tmp_path, DUMMY + SINK, "home") as service:
        await service.more_readings(1)
        assert run("health", cwd=tmp_path, environment=place).returncode == EXIT_OK


async def test_a_state_directory_with_a_long_name_is_no_trouble(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    async with service_process(folder, DUMMY + SINK, "home") as service:
        await service.more_readings(1)
        place = {"STATE_DIRECTORY": str(folder)}
        assert run("health", cwd=folder, environment=place).returncode == EXIT_OK


async def test_where_the_socket_cannot_be_the_service_says_so_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "home.health").mkdir()
    async with service_process(tmp_path, DUMMY + SINK, "home") as service:
        await service.more_readings(2)
        await service.stop()
    assert "home.health cannot be made" in service.log
    assert "`smart-meter-reader health` has no answer" in service.log


def test_without_a_service_it_says_that_none_runs(tmp_path: Path) -> None:
    shutil.copy(ROOT / "config.py", tmp_path)
    (tmp_path / "settings.toml").write_text(DUMMY + SINK)
    done = run("health", cwd=tmp_path, environment={"STATE_DIRECTORY": str(tmp_path / "none")})
    assert (done.returncode, done.stdout) == (EXIT_UNAVAILABLE, "")
    assert done.stderr == "the service of the environment home does not answer: it does not run\n"
