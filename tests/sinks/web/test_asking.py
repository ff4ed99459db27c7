"""Questions: one at a time, each with a limit of time and size, and the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.places import HistoryPlace
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.sinks.web import asking, downloads
from smart_meter_reader.sinks.web.asking import MOST_WAITING, Asking, BusyError, TooMuchError, within_limit
from tests.history.homes import energy, keep
from tests.sinks.web.running import page, reading

T0 = 1_790_000_000
# Counts for minutes, and lets itself be interrupted as all of SQLite does.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def nothing() -> None:
    """There is nothing to interrupt."""


async def test_there_is_never_more_than_one() -> None:
    at_work: list[int] = []
    running = 0

    def work() -> int:
        nonlocal running
        running += 1
        at_work.append(running)
        time.sleep(0.02)
        running -= 1
        return threading.get_ident()

    questions = Asking()
    await asyncio.gather(*(questions.in_turn(work, nothing) for _ in range(MOST_WAITING)))
    assert set(at_work) == {1}


async def test_the_database_is_interrupted_and_the_next_question_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "QUESTION_SECONDS", 0.2)
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    questions, turns = Asking(), 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count_turns())
        with pytest.raises(TooMuchError, match="ask for a shorter time"):
            await questions.in_turn(lambda: connection.execute(ENDLESS).fetchone(), connection.interrupt)
        counting.cancel()
    # The event loop read on all the time.
    assert turns > 10
    assert await questions.in_turn(lambda: connection.execute("SELECT 7").fetchone()[0], nothing) == 7
    connection.close()


async def test_who_leaves_ends_his_question() -> None:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    questions = Asking()
    task = asyncio.create_task(
        questions.in_turn(lambda: connection.execute(ENDLESS).fetchone(), connection.interrupt)
    )
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await questions.in_turn(lambda: 7, nothing) == 7
    connection.close()


async def test_what_hangs_makes_the_others_wait_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "QUESTION_SECONDS", 0.1)
    monkeypatch.setattr(asking, "TURN_SECONDS", 0.1)
    questions, release = Asking(), threading.Event()
    with pytest.raises(TooMuchError):
        await questions.in_turn(lambda: release.wait(30), nothing)
    with pytest.raises(BusyError, match="takes long"):
        await questions.in_turn(lambda: True, nothing)
    release.set()
    async with asyncio.timeout(20):
        while True:
            try:
                assert await questions.in_turn(lambda: 7, nothing) == 7
                break
            except BusyError:
                pass


async def test_no_more_wait_than_that() -> None:
    questions, release = Asking(), threading.Event()
    async with asyncio.TaskGroup() as group:
        asked = [
            group.create_task(questions.in_turn(lambda: release.wait(30), nothing))
            for _ in range(MOST_WAITING + 1)
        ]
        await asyncio.sleep(0.1)
        with pytest.raises(BusyError, match="too many questions"):
            await questions.in_turn(lambda: True, nothing)
        release.set()
    assert all(task.result() for task in asked)


def test_an_answer_fits_or_is_refused() -> None:
    assert len(within_limit(b"x" * asking.LARGEST_ANSWER)) == asking.LARGEST_ANSWER
    with pytest.raises(TooMuchError, match="has 1025 KiB, and 1024 are the most"):
        within_limit(b"x" * (asking.LARGEST_ANSWER + 1))


@pytest.fixture
def kept(tmp_path: Path) -> HistoryPlace:
    """The history of a day."""
    path = tmp_path / "home.history.sqlite"
    keep(path, [energy(T0 + 900 * number, Decimal(number)) for number in range(96)])
    store = Store(path)
    store.open()
    store.keep_setting("time_zone", "Europe/Amsterdam")
    store.close()
    return HistoryPlace(path, None, "Europe/Amsterdam")


async def test_the_history_is_asked(kept: HistoryPlace) -> None:
    async with page(reading()) as running:
        running.sink.share_history(kept)
        answer = await running.get("/api/v1/bars?meter=heat&view=day&date=2026-09-21&period=hour")
        assert answer.status == 200
        assert answer.json["bars"][0]["begin"] == "2026-09-21T00:00:00+02:00"
        assert (await running.get("/api/v1/bars?meter=none")).status == 400
        assert (await running.get("/api/v1/bars?colour=red")).status == 400
        document = (await running.get("/api/v1/openapi.json")).json
        assert "/bars" in document["paths"]


async def test_a_history_that_is_not_there_yet(tmp_path: Path) -> None:
    async with page(reading()) as running:
        running.sink.share_history(HistoryPlace(tmp_path / "none.sqlite", None, "Europe/Amsterdam"))
        answer = await running.get("/api/v1/bars")
        assert (answer.status, "no history" in answer.json["error"]) == (404, True)
        assert (await running.get("/")).status == 200


async def test_a_file_is_sent(kept: HistoryPlace) -> None:
    async with page(reading()) as running:
        running.sink.share_history(kept)
        answer = await running.get("/api/v1/download?kind=csv&step=hour")
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="home')
        assert int(answer.headers["Content-Length"]) == len(answer.text.encode())
        assert answer.text.count("\n") > 20


async def test_a_file_that_takes_too_long_is_refused_and_the_next_one_sent(
    kept: HistoryPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with page(reading()) as running:
        running.sink.share_history(kept)
        monkeypatch.setattr(downloads, "MAKING_SECONDS", 0.0)
        answer = await running.get("/api/v1/download?kind=xlsx")
        assert (answer.status, "ask for a shorter time" in answer.json["error"]) == (413, True)
        monkeypatch.undo()
        async with asyncio.timeout(30):
            # The first one has to come to its end before.
            while (answer := await running.get("/api/v1/download?kind=csv")).status == 503:
                assert "another download is being made" in answer.json["error"]
        assert answer.status == 200


PAGES = ("/", "/history", "/heat", "/costs", "/meters", "/download")


@pytest.mark.parametrize("path", PAGES)
async def test_each_page_is_made(path: str, kept: HistoryPlace) -> None:
    for place in (kept, None):
        async with page(reading(heat_energy="5.1 GJ")) as running:
            if place is not None:
                running.sink.share_history(place)
            answer = await running.get(path, headers={"Accept-Language": "nl-NL,nl;q=0.9,en;q=0.5"})
            assert answer.status == 200
            assert 'lang="nl"' in answer.text
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_files_of_a_page_are_kept_by_the_browser() -> None:
    async with page() as running:
        text = (await running.get("/")).text
        names = [part.partition('"')[0] for part in text.split('"static/')[1:]]
        assert names
        for name in names:
            answer = await running.get(f"/static/{name}")
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]


async def test_a_language_that_was_chosen_is_remembered() -> None:
    async with page() as running:
        assert (await running.get("/?lang=da")).headers["Set-Cookie"].startswith("language=da;")
        assert 'lang="da"' in (await running.get("/history")).text
