"""The command `writer`: its errors, what it makes, its metrics, its page, and its unit."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from smart_meter_reader.fleet.keys import new_key
from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.service.unit import unit_template
from tests.cli import program
from tests.fleet.fleet import PATIENCE, ROOT, Fleet, all_there
from tests.peers.ports import free_port
from tests.peers.postgresql import PostgresServer


def run(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return program.run("writer", *options, cwd=place)


def test_a_new_key_is_two_halves(tmp_path: Path) -> None:
    done = run(tmp_path, "--new-key")
    assert done.returncode == 0
    assert done.stdout.startswith('nkey = "SU')
    assert len(done.stdout.strip()) == len('nkey = ""') + 58
    assert ": U" in done.stderr
    assert run(tmp_path, "--new-key").stdout != done.stdout


def test_without_its_table_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 78
    assert "there is no table [writer]" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('database = "postgresql://u:p@h/d"', "without a password"),
        ('database = "postgresql://u@h/d"\nservers = ["nats://h:1"]', "without nats://"),
        ('database = "postgresql://u@h/d"\nservers = []', "name at least one"),
        ('database = "postgresql://u@h/d"\nservers = ["h:42222x"]', "HOST or HOST:PORT"),
        ('database = "postgresql://u@h/d"\nservers = ["h:99999"]', 'found "h:99999"; allowed: HOST or'),
        ('database = "postgresql://u@h/d"\nca = "x.pem"', "set `tls` to true"),
        ('server = ["h"]', 'did you mean "servers"?'),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    shutil.copy(ROOT / "config.py", tmp_path)
    (tmp_path / "settings.toml").write_text(f"[writer]\n{text}\n")
    done = run(tmp_path)
    assert done.returncode == 78
    assert said in done.stderr


async def test_prepare_makes_what_is_missing_and_no_more(fleet: Fleet, postgres: PostgresServer) -> None:
    again = await asyncio.to_thread(fleet.prepare)
    assert again.count("it is there") == 8
    assert "made" not in again
    fleet.database = await postgres.create(f"{fleet.name}_other")
    other = await asyncio.to_thread(fleet.prepare)
    assert other.count(": made") == 4


async def test_a_writer_that_may_not_make_streams_says_what_is_missing(
    fleet: Fleet, postgres: PostgresServer
) -> None:
    admin = await fleet.connect(fleet.keys.admin)
    await admin.jetstream().delete_stream("HISTORY")
    await admin.close()
    writer = fleet.writer("w1")
    await until_it_says(writer.place / "log", "no stream HISTORY")
    assert writer.runs


async def test_without_tables_it_says_what_makes_them(fleet: Fleet, postgres: PostgresServer) -> None:
    fleet.database = await postgres.create(f"{fleet.name}_empty")
    writer = fleet.writer("w1")
    await until_it_says(writer.place / "log", "writer --prepare` makes them")


async def test_a_key_that_nobody_knows_is_told_and_not_shown(fleet: Fleet) -> None:
    stranger = new_key()
    place = fleet.writer_settings("admin", stranger)
    done = await asyncio.to_thread(run, place, "--prepare")
    assert done.returncode == 69
    assert "do not let us in" in done.stderr
    assert stranger.seed.reveal() not in done.stderr


async def test_metrics_and_page_tell_of_every_meter(fleet: Fleet, postgres: PostgresServer) -> None:
    port = free_port()
    writer = fleet.writer("w1", port=port)
    edge = fleet.edge("e1", meters=3, count=5)
    await all_there(postgres, fleet.name, [edge], 15)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout) as session:
        until = time.monotonic() + PATIENCE
        while True:
            text = await (await session.get("/metrics")).text()
            if text.count("smart_meter_fleet_reading_age_seconds{") == 3:
                break
            assert time.monotonic() < until, text
            await asyncio.sleep(0.5)
        assert 'smart_meter_fleet_rows_written_total{stream="READINGS"}' in text
        assert 'smart_meter_fleet_stream_lag{stream="READINGS"}' in text
        assert (await session.get("/health")).status == 200
        shown = await (await session.get("/")).text()
        assert all(f'<td class="meter">m{number}</td>' in shown for number in range(3))
    second = fleet.writer_settings("w2", fleet.keys.writer, port=port)
    done = await asyncio.to_thread(run, second)
    assert done.returncode == 69
    assert "--port" in done.stderr
    assert writer.runs


async def test_a_server_without_tls_is_told_nothing(fleet: Fleet) -> None:
    place = fleet.writer_settings("admin", fleet.keys.admin, tls=True)
    done = await asyncio.to_thread(run, place, "--prepare")
    assert done.returncode == 69
    assert "does not encrypt" in done.stderr


def test_a_home_imports_nothing_of_it() -> None:
    code = "import sys, smart_meter_reader.cli.start, smart_meter_reader.app; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert not loaded & {"nats", "nkeys", "nacl", "asyncpg", "prometheus_client"}
    assert not {
        each
        for each in loaded
        if each.startswith(("smart_meter_reader.writer", "smart_meter_reader.sinks.nats"))
    }


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_its_unit_is_sound(tmp_path: Path) -> None:
    name = "smart_meter_reader_writer.service"
    path = tmp_path / name
    path.write_text(unit_template(name).replace("/opt/smart_meter_reader/bin/python", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


async def until_it_says(log: Path, words: str) -> None:
    until = time.monotonic() + PATIENCE
    while words not in log.read_text():
        assert time.monotonic() < until, log.read_text()
        await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("servers", "tls", "said"),
    [
        (("hub.example.org:4222", "localhost:4222"), False, "hub.example.org:4222 unencrypted"),
        (("hub.example.org",), False, "hub.example.org unencrypted"),
        (("hub.example.org",), True, ""),
        (("127.0.0.1:4222", "[::1]:4222", "localhost"), False, ""),
    ],
)
def test_check_remarks_on_readings_that_anybody_could_read(
    servers: tuple[str, ...], tls: bool, said: str
) -> None:
    remarks = NatsSettings(servers=servers, tls=tls).remarks
    assert said in "".join(remarks)
    assert bool(said) == bool(remarks)
