"""Log lines: one for each message, whatever somebody put into it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from smart_meter_reader.log import Seldom, set_up_logging
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


def test_the_same_is_said_so_often_in_its_time_and_then_with_how_often_it_came() -> None:
    seldom = Seldom(2, 60.0)
    assert [seldom.more("a", now) for now in (0.0, 1.0, 2.0, 59.0)] == ["", "", None, None]
    assert seldom.more("b", 3.0) == ""
    assert seldom.more("a", 60.0) == "; 2 more since it was last said"
    assert seldom.more("a", 60.5, times=5) is None
    assert seldom.more("a", 61.0) == "; 5 more since it was last said"


def test_what_did_not_come_is_not_said() -> None:
    seldom = Seldom()
    assert seldom.more("a", 0.0) == ""
    assert seldom.more("a", 9999.0, times=0) is None
    assert seldom.more("a", 9999.0) == ""


def test_a_clock_that_was_put_back_keeps_nothing_silent() -> None:
    seldom = Seldom()
    assert seldom.again("a", 100_000.0)
    assert not seldom.again("a", 99_000.0)
    assert seldom.again("a", 5.0)


def test_what_is_said_once_is_news_when_it_was_over() -> None:
    seldom = Seldom()
    assert not seldom.forget()
    assert [seldom.first("a"), seldom.first("a", 99_999.0), seldom.first("b")] == [True, False, True]
    assert seldom.forget()
    assert seldom.first("a")
    assert seldom.more("c", 0.0) == ""
    assert seldom.more("c", 1.0) is None
    seldom.forget()
    assert seldom.more("c", 2.0) == ""


def test_ever_new_things_are_bounded_and_go_on() -> None:
    seldom = Seldom(different=100)
    assert sum(seldom.first(str(number), 5000.0 + number) for number in range(1000)) == 100
    assert not seldom.first("another", 8599.0)
    assert seldom.more("a third", 8599.0) is None
    assert seldom.first("another", 8600.0)
    assert not seldom.first("another", 8600.0)
