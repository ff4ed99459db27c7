"""The page Meters of a meter with a bad line: what is not listed is counted, with the way to all of it."""

from __future__ import annotations

import html
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from smart_meter_reader.history.rows import EventRow
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.sinks.web.pages import render
from smart_meter_reader.sinks.web.pages.language import LANGUAGES, language
from smart_meter_reader.sinks.web.questions import Questions
from tests.history.homes import energy
from tests.sinks.web.questions.asking import AMSTERDAM, at, home

NOON = "2026-03-10T12:00"
GAPS = 34


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read for three hours of each six, thirty-five times; and more is told of it than one answer holds."""
    begin = at("2026-03-01T00:00")
    hours = [6 * turn + hour for turn in range(GAPS + 1) for hour in range(3)]
    path = home(
        tmp_path_factory.mktemp("gaps") / "h",
        [energy(begin + 3600 * hour, str(hour), "a b") for hour in hours],
    )
    store = Store(path)
    store.open()
    store.write([EventRow("a b", begin + each, "no_answer", "no answer") for each in range(520)])
    store.close()
    return path


def shown(house: Path, name: str, code: str = "en", **query: str) -> str:
    now = {
        "time": datetime.fromisoformat(NOON).replace(tzinfo=AMSTERDAM),
        "environment": "home",
        "zone": AMSTERDAM.key,
        "production": "",
        "meters": [],
    }
    return render(name, query, Questions(house, clock=lambda: at(NOON)).ask, now, code)


def ends(text: str) -> list[tuple[str, str, str]]:
    """The last line of each list: its words, and the address and words of the link in it."""
    lines = re.findall(r'<li>([^<]*): <a href="([^"]*)">([^<]*)</a></li></ul></details>', text)
    return [(more, html.unescape(address), link) for more, address, link in lines]


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_not_listed_is_counted_and_linked_to(house: Path, code: str) -> None:
    words, text = language(code), shown(house, "meters", code)
    (gaps, of_gaps, all_gaps), (events, of_events, newest) = ends(text)
    assert (gaps, all_gaps) == (words("lines.more", number="4"), words("lines.all"))
    # The answer itself leaves off twenty of the 520, so that the link must not promise all.
    assert (events, newest) == (words("lines.more", number="490"), words("lines.newest", number="500"))
    assert f"{words('meters.gaps')}: {GAPS}<" in text
    assert f"{words('meters.events')}: 520<" in text
    questions = Questions(house, clock=lambda: at(NOON))
    for address, name, count in ((of_gaps, "gaps", GAPS), (of_events, "events", 500)):
        parts = urlsplit(address)
        assert parts.path == f"api/v1/{name}"
        assert len(questions.ask(name, dict(parse_qsl(parts.query)))[name]) == count


def test_the_page_history_counts_what_it_does_not_list_too(house: Path) -> None:
    ((more, address, _),) = ends(shown(house, "history", meter="a b", view="day", date="2026-03-01"))
    assert more == "and 490 more"
    assert address == "api/v1/events?meter=a+b&from=2026-03-01&to=2026-03-02"


def test_a_list_that_is_whole_says_no_more(tmp_path: Path) -> None:
    """Of thirty nothing is left to be told of."""
    begin = at("2026-03-01T00:00")
    hours = [6 * turn + hour for turn in range(31) for hour in range(3)]
    path = home(tmp_path / "h", [energy(begin + 3600 * hour, str(hour)) for hour in hours])
    text = shown(path, "meters")
    assert "Not read, in the last month: 30<" in text
    assert ends(text) == []
