"""Several environments on one page: from their stores, each of another user's, and from nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from smart_meter_reader.history.intake.intake import Intake
from smart_meter_reader.history.places import HistoryPlace, history_file, recent_file
from smart_meter_reader.history.rows import STOPPED, EventRow
from smart_meter_reader.history.storage.store import Store as Writer
from smart_meter_reader.sinks.web import live
from smart_meter_reader.sinks.web.together import page as pages
from smart_meter_reader.sinks.web.together.page import TogetherPage
from smart_meter_reader.sinks.web.together.settings import PageSettings, load_page
from smart_meter_reader.sinks.web.together.stores import EnvironmentStore, store_of, told
from tests.cli.program import QUICKLY, run
from tests.history.homes import energy, info, keep, status
from tests.peers.ports import free_port
from tests.sinks.web.running import Page, listening

ROOT = Path(__file__).parents[4]
WRITER, READER, GROUP = 60001, 60002, 60003


def store(folder: Path, environment: str) -> EnvironmentStore:
    directory = folder / environment
    directory.mkdir(exist_ok=True)
    file, recent = history_file(directory, environment), recent_file(directory, environment)
    return EnvironmentStore(environment, HistoryPlace(file, recent, "Europe/Amsterdam"))


def filled(folder: Path, environment: str, value: str, seconds_ago: int = 60) -> EnvironmentStore:
    made = store(folder, environment)
    now = int(time.time())
    messages = [info(now - 7200, f"of-{environment}")]
    keep(
        made.place.file,
        [*messages, energy(now - 7200, "1.0"), energy(now - seconds_ago, value)],
    )
    return made


@asynccontextmanager
async def shown(*stores: EnvironmentStore, **more: Any) -> AsyncIterator[Page]:
    port = free_port()
    settings = replace(PageSettings(port=port), **more)
    sink = TogetherPage("page", settings, stores)
    stop = asyncio.Event()
    task = asyncio.create_task(sink.run(sink.looks(stop)))
    async with aiohttp.ClientSession() as browser:
        try:
            await listening(port, task)
            yield Page(sink, port, "http", browser)
            stop.set()
            async with asyncio.timeout(20):
                await task
        finally:
            task.cancel()


async def now(running: Page, count: int) -> dict[str, Any]:
    """What is known when so many meters are."""
    async with asyncio.timeout(20):
        while True:
            found = {each["meter"]: each for each in (await running.get("/api/v1/now")).json["meters"]}
            if len(found) == count:
                return found
            await asyncio.sleep(0.05)


async def test_meters_of_all_are_shown_as_old_as_they_were_stored(tmp_path: Path) -> None:
    async with shown(filled(tmp_path, "home", "5.0"), filled(tmp_path, "shed", "7.5", 900)) as running:
        found = await now(running, 2)
        assert found["home/heat"]["measurements"]["heat_energy"]["value"] == 5
        assert str(found["shed/heat"]["measurements"]["heat_energy"]["value"]) == "7.5"
        assert 60 <= found["home/heat"]["age_seconds"] < 120
        assert 900 <= found["shed/heat"]["age_seconds"] < 960
        assert found["home/heat"]["serial_number"] == "of-home"
        assert {each["state"] for each in found.values()} == {"online"}
        body = (await running.get("/")).text
        assert "written every quarter of an hour" in body
        assert "home/heat" in body
        assert "shed/heat" in body


async def test_a_meter_that_finds_no_place_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "MOST_METERS", 1)
    async with shown(filled(tmp_path, "home", "5.0"), filled(tmp_path, "shed", "7.5")) as running:
        assert list(await now(running, 1)) == ["home/heat"]
        async with asyncio.timeout(20):
            while "a message of shed/heat is not shown" not in caplog.text:
                await asyncio.sleep(0.05)


async def test_questions_go_to_the_store_of_the_meter(tmp_path: Path) -> None:
    async with shown(filled(tmp_path, "home", "5.0"), filled(tmp_path, "shed", "7.5")) as running:
        meters = (await running.get("/api/v1/meters")).json["meters"]
        assert [each["meter"] for each in meters] == ["home/heat", "shed/heat"]
        for meter, total in (("home/heat", "4.0"), ("shed/heat", "6.5")):
            told = (await running.get(f"/api/v1/bars?meter={meter}&view=all")).json
            assert (told["meter"], str(told["total"])) == (meter, total)
        assert (await running.get("/api/v1/bars?view=all")).json["meter"] == "home/heat"
        assert (await running.get("/api/v1/bars?meter=barn/heat")).status == 400
        assert (await running.get("/api/v1/bars?meter=home/none")).status == 400
        for page in ("history?meter=shed/heat&view=year", "heat", "costs", "meters", "download"):
            answer = await running.get(f"/{page}")
            assert (answer.status, "fault" in answer.text) == (200, False), page


async def test_a_file_is_of_one_environment(tmp_path: Path) -> None:
    async with shown(filled(tmp_path, "home", "5.0"), filled(tmp_path, "shed", "7.5")) as running:
        answer = await running.get("/api/v1/download")
        assert (answer.status, "say which: home, shed" in answer.text) == (400, True)
        for query in ("environment=shed", "meters=shed/heat", "meters=shed/"):
            answer = await running.get(f"/api/v1/download?step=year&{query}")
            assert (answer.status, "heat,heat_energy" in answer.text) == (200, True)
        url = f"{running.address}/api/v1/download?kind=backup&environment=home"
        async with running.browser.get(url) as copy:
            assert (copy.status, (await copy.read())[:6]) == (200, b"SQLite")


async def test_what_is_new_or_has_stopped_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LOOK_SECONDS", 0.1)
    home, shed = filled(tmp_path, "home", "5.0"), store(tmp_path, "shed")
    async with shown(home, shed) as running:
        found = await now(running, 2)
        assert found["shed"]["state"] == "offline"
        assert "there is no history" in found["shed"]["detail"]
        filled(tmp_path, "shed", "7.5")
        writer = Writer(home.place.file)
        writer.open()
        writer.write([EventRow("", int(time.time()), STOPPED, "")])
        writer.close()
        async with asyncio.timeout(20):
            while set(found) != {"home/heat", "shed/heat"} or found["home/heat"]["state"] == "online":
                found = await now(running, 2)
        assert found["home/heat"]["reason"] == STOPPED


async def test_contracts_are_for_meters_of_an_environment(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_bytes((ROOT / "config.py").read_bytes())
    (tmp_path / "settings.toml").write_text(
        '[home.meters.heat]\nclient = "dummy"\n[home.sinks.stdout]\n'
        '[page.contracts.heat]\nmeter = "shed/heat"\nprice = 2\n'
    )
    loaded = load_page(tmp_path)
    stores = (filled(tmp_path, "home", "5.0"), filled(tmp_path, "shed", "7.5"))
    async with shown(*stores, contracts=loaded.settings.contracts) as running:
        told = (await running.get("/api/v1/costs?view=all")).json
        assert (told["meter"], str(told["energy"])) == ("shed/heat", "13.0")


def test_the_command_shows_what_is_there_and_ends_when_asked(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "config.py").write_bytes((ROOT / "config.py").read_bytes())
    (wrong / "settings.toml").write_text('[page]\nhost = "0.0.0.0"\nports = 1\n')
    done = run("web", "home", cwd=wrong)
    assert done.returncode == 78
    assert "settings.toml [page] ports: unknown key" in done.stderr
    filled(tmp_path, "home", "5.0")
    port = free_port()
    (tmp_path / "config.py").write_bytes((ROOT / "config.py").read_bytes())
    (tmp_path / "settings.toml").write_text(
        f'[page]\nport = {port}\n[page.histories]\nhome = "{tmp_path / "home"}"\n'
    )
    with subprocess.Popen(
        [*QUICKLY, "web", "home"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert f"the page is at http://127.0.0.1:{port}/" in process.stderr.readline()
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes other users")
def test_another_user_of_the_group_reads_histories_and_nothing_else(tmp_path: Path) -> None:
    """As two services of systemd are: a user for each, and one group."""
    home = store(tmp_path, "home")
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(directory.stat().st_mode | 0o011)
    (home.place.file.parent / "home.json").touch(0o600)
    for path in (home.place.file.parent, home.place.file.parent / "home.json"):
        os.chown(path, WRITER, GROUP)
    home.place.file.parent.chmod(0o750)
    moment = int(time.time())
    writer = Writer(home.place.file)
    intake = Intake(writer.open())
    rows = [
        row for message in (energy(moment - 60, "1.0"), status(moment, "")) for row in intake.take(message)
    ]
    writer.write(rows)
    for path in home.place.file.parent.iterdir():
        os.chown(path, WRITER, GROUP)
    refused = ["home.json", "home.history.sqlite"]
    assert read_as_another(home, moment) == [["1.0"], refused]
    writer.close()
    assert [
        path.name for path in home.place.file.parent.iterdir() if path.name.endswith(("-wal", "-shm"))
    ] == []
    assert read_as_another(home, moment) == [["1.0"], refused]


def read_as_another(home: EnvironmentStore, moment: int) -> Any:
    """What a process of another user's is told and refused."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setresgid(GROUP, GROUP, GROUP)
            os.setresuid(READER, READER, READER)
            answer = [
                values_of(home, moment),
                [
                    name
                    for name in ("home.json", "home.history.sqlite")
                    if not may_open(home.place.file.with_name(name))
                ],
            ]
            os.write(writing, json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told_by:
        text = told_by.read()
    os.waitpid(child, 0)
    return json.loads(text)


def values_of(home: EnvironmentStore, moment: int) -> list[str]:
    return [
        str(message["measurements"]["heat_energy"]["value"])
        for message in told(home, moment)
        if message["type"] == "reading"
    ]


def may_open(path: Path) -> bool:
    """To read what is not the history, and to write to that."""
    try:
        path.open("rb" if path.suffix == ".json" else "r+b").close()
    except PermissionError:
        return False
    return True


def test_a_store_is_looked_for_where_the_service_has_it(tmp_path: Path) -> None:
    nowhere = store_of("no-such-service", {}, {"HOME": str(tmp_path)})
    assert nowhere.place.file == Path(
        "/var/lib/smart_meter_reader/no-such-service/no-such-service.history.sqlite"
    )
    own = tmp_path / ".local/state/smart_meter_reader"
    own.mkdir(parents=True)
    keep(history_file(own, "mine"), [energy(int(time.time()), "1.0")])
    assert store_of("mine", {}, {"HOME": str(tmp_path)}).place.file == history_file(own, "mine")
    assert store_of("mine", {"mine": str(tmp_path)}, {}).place.file == history_file(tmp_path, "mine")
