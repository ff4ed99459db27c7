"""A question and a download can be ended by another thread, at any moment."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from smart_meter_reader.history.errors import DamagedHistoryError, HistoryError
from smart_meter_reader.sinks.web.questions import Questions
from tests.history.homes import energy
from tests.sinks.web.questions.asking import at, home

FIRST = at("2024-01-01T00:00")
ROWS = 38_000
# Interrupted is what runs: between two statements nothing does, and then it is tried again.
_TRIES = 200


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year by the quarter of an hour."""
    path = home(tmp_path_factory.mktemp("home") / "h", [energy(FIRST, "0")])
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO counter VALUES (1, ?, ?, 0)", ((FIRST + 900 * each, each) for each in range(1, ROWS))
        )
        connection.commit()
    return path


def test_a_question_ends_when_it_is_interrupted(house: Path) -> None:
    questions = Questions(house, clock=lambda: FIRST + 900 * ROWS)
    words = {"from": "2024-01-01", "to": "2025-01-01"}
    ended: list[HistoryError] = []

    def ask() -> None:
        for _ in range(_TRIES):
            try:
                questions.ask("gaps", words)
            except HistoryError as error:
                ended.append(error)
                return

    asking = threading.Thread(target=ask)
    asking.start()
    while asking.is_alive():
        questions.interrupt()
        asking.join(0.001)
    assert [error.reason for error in ended] == ["history_unusable"]
    assert questions.ask("gaps", words)["gaps"] == []
    questions.interrupt()  # nothing is asked


def test_a_download_ends_when_it_is_stopped(house: Path) -> None:
    questions = Questions(house, clock=lambda: FIRST + 900 * ROWS)
    ended: list[HistoryError] = []

    def download() -> None:
        for _ in range(_TRIES):
            try:
                questions.download({"step": "readings"}).file.close()
            except HistoryError as error:
                ended.append(error)
                return

    downloading = threading.Thread(target=download)
    downloading.start()
    while downloading.is_alive():
        questions.stop_download()
        downloading.join(0.001)
    assert len(ended) == 1
    found = questions.download({"step": "day"})
    with found.file:
        assert found.size > 10_000


def test_a_damaged_history_is_told_as_that(house: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    content = bytearray(house.read_bytes())
    # Nearly all pages are those of the counter's rows.
    for at_page in range(40 * 4096, len(content) - 4096, 4096):
        content[at_page : at_page + 8] = b"\xff" * 8
    damaged.write_bytes(content)
    with pytest.raises(DamagedHistoryError, match="is damaged"):
        Questions(damaged, clock=lambda: FIRST + 900 * ROWS).ask("bars", {"view": "all", "period": "day"})
    with pytest.raises(DamagedHistoryError, match="is damaged"):
        Questions(damaged, clock=lambda: FIRST + 900 * ROWS).download({})
