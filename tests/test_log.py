"""Log lines: one for each message, whatever somebody put into it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from smart_meter_reader.log import set_up_logging
from tests.fuzz.hostile import BEYOND_LATIN, ESCAPES


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("journal", [False, True])
@pytest.mark.parametrize(
    "text", [*ESCAPES, *BEYOND_LATIN, "a\n<3>forged", "x" * 100_000], ids=lambda text: ascii(text)[:20]
)
def test_nothing_hides_or_forges_a_line(
    text: str, journal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if journal:
        monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    else:
        monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    set_up_logging("INFO")
    logging.getLogger("test").warning("the broker says %s", text)
    (line,) = capsys.readouterr().err.split("\n")[:-1]
    assert "the broker says" in line
    assert line.isprintable()
    assert len(line) < 5000


def test_a_traceback_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("INFO")
    try:
        raise RuntimeError("\x1b[31m of a meter")
    except RuntimeError:
        logging.getLogger("test").exception("unexpected")
    lines = capsys.readouterr().err.split("\n")
    assert len(lines) > 3
    assert all(map(str.isprintable, lines))
