"""Own use where a meter counts the production, and what happened as marks on bars: as the pages say it."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.history.rows import EventRow
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.pages import render
from smart_meter_reader.sinks.web.pages.language import LANGUAGES, language
from smart_meter_reader.sinks.web.questions import Questions
from tests.history.homes import info, reading, status
from tests.sinks.web.questions.asking import AMSTERDAM, at, home
from tests.sinks.web.running import page

NOON = "2026-03-10T12:00"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days, every hour: 2 kWh in, 3 out, and 5 produced; one other meter of the grid on 8 March."""
    begin, messages = at("2026-03-01T00:00"), list[Message]([info(at("2026-03-01T00:00"), "old", "grid")])
    swap = at("2026-03-08T06:00")
    for hour in range((at(NOON) - begin) // 3600 + 1):
        time = begin + 3600 * hour
        if time == swap:
            messages += [status(time, "meter_replaced", "grid"), info(time, "new", "grid")]
        values = {
            "active_energy_import": (str(2 * hour), "kWh"),
            "active_energy_export": (str(3 * hour), "kWh"),
        }
        messages.append(reading(time, values, "grid"))
        messages.append(reading(time, {"active_energy_export": (str(5 * hour), "kWh")}, "solar"))
    path = home(tmp_path_factory.mktemp("solar") / "h", messages)
    store = Store(path)
    store.open()
    store.write([EventRow("grid", at("2026-03-05T08:00"), "no_answer", "the meter did not answer at /dev/x")])
    store.close()
    return path


def shown(
    house: Path,
    name: str,
    code: str = "en",
    production: str = "solar",
    contracts: dict[str, ContractSettings] | None = None,
    **query: str,
) -> str:
    contracts = contracts or {"grid": ContractSettings(meter="grid", price=Decimal("0.3"))}
    questions = Questions(house, None, contracts, clock=lambda: at(NOON))
    meter: dict[str, Any] = {
        "meter": "grid", "medium": "electricity", "state": "online", "reason": "", "detail": "",
        "since": None, "age_seconds": 5, "main": None, "measurements": {}, "can_be_asked": False,
    }  # fmt: skip
    now = {
        "time": datetime.fromisoformat(NOON).replace(tzinfo=AMSTERDAM),
        "environment": "home",
        "zone": AMSTERDAM.key,
        "production": production,
        "meters": [meter],
    }
    return render(name, query, questions.ask, now, code)


def told(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).replace("\u00a0", " ")


def test_the_history_shows_what_was_used_of_the_own_production(house: Path) -> None:
    text = told(shown(house, "history", meter="grid", view="day", date="2026-03-09"))
    for what in (
        "Produced 120 kWh", "Own use 48 kWh", "From the grid 48 kWh", "Into the grid 72 kWh",
        "Used in all 96 kWh", "net: from the grid less into it −24 kWh",
    ):  # fmt: skip
        assert what.lower() in text.lower(), what
    assert "Own use" not in told(shown(house, "history", meter="solar", view="day"))
    assert "Own use" not in told(shown(house, "history", production="", meter="grid", view="day"))
    assert "Own use" not in told(shown(house, "history", production="none", meter="grid", view="day"))


def test_a_meter_of_the_production_that_counts_it_as_import_is_understood(tmp_path: Path) -> None:
    """Which way the meter of an inverter counts depends on how it is wired; the other one stands still."""
    begin = at("2026-03-01T00:00")
    messages = list[Message]()
    for hour in range((at(NOON) - begin) // 3600 + 1):
        time = begin + 3600 * hour
        grid = {
            "active_energy_import": (str(2 * hour), "kWh"),
            "active_energy_export": (str(3 * hour), "kWh"),
        }
        solar = {"active_energy_import": (str(5 * hour), "kWh"), "active_energy_export": ("0.0", "kWh")}
        messages += [reading(time, grid, "grid"), reading(time, solar, "solar")]
    house = home(tmp_path / "h", messages)
    text = told(shown(house, "history", meter="grid", view="day", date="2026-03-09"))
    assert "produced 120 kwh own use 48 kwh" in text.lower()


def test_today_is_shown_now_and_own_use_beside_the_costs(house: Path) -> None:
    text = told(shown(house, "now"))
    assert "Own production today Produced 60 kWh Own use 24 kWh" in text
    assert "Own use 48 kWh produced here, on no bill" in told(
        shown(house, "costs", view="day", date="2026-03-09")
    )


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_happened_is_marked_and_told(house: Path, code: str) -> None:
    html = shown(house, "history", code, meter="grid", view="month")
    rows = re.findall(r"<tr[^>]* data-marked>.*?</tr>", html)
    assert len(rows) == 2
    words = language(code)
    silent = "The meter did not answer at /dev/x." if code == "en" else words.reason("no_answer")
    assert silent in told(rows[0])
    assert words("mark.device", serial="new") in told(rows[1])
    assert words("chart.marks") in told(html)
    # The remark is a column of the table, which needs neither script nor eyes.
    assert words("chart.note") in told(html)


def test_a_refusal_is_told_in_the_language_of_the_page(house: Path) -> None:
    text = told(shown(house, "history", "nl", meter="grid", view="jaar"))
    assert "view: hier staat “jaar”; mogelijk is: day, week, month, year, all." in text
    text = told(shown(house, "costs", "de", meter="nobody"))
    assert "meter: Von „nobody“ ist nichts gespeichert; gespeichert ist: grid, solar." in text
    assert "nothing is stored" not in text
    assert "View: found 'jaar'; allowed: day" in told(shown(house, "history", meter="grid", view="jaar"))


def test_what_is_wrong_with_prices_is_told_in_the_language_of_the_page(house: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("2026-03-09,0.30\n")
    contracts = {
        "grid": ContractSettings(meter="grid", price_file=prices),
        "odd": ContractSettings(meter="grid", currency="SEK", price=Decimal(3)),
    }
    text = told(shown(house, "costs", "fr", contracts=contracts))
    assert f"Contrat grid : {prices}, ligne 1 : « 2026-03-09 » ne dit pas" in text
    assert "Contrat odd" in text
    assert "SEK par kWh" in text
    assert "left out" not in text


async def test_a_browser_that_is_refused_gets_a_page() -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "nl"}
    async with page() as running:
        for path, back in (("/api/v1/download", "../../download"), ("/none", ".")):
            answer = await running.get(path, headers=browser)
            assert answer.status == 404
            assert answer.headers["Content-Type"].startswith("text/html")
            assert '<html lang="nl">' in answer.text
            assert ("geen geschiedenis" if "download" in path else "Op dit adres is niets.") in answer.text
            assert f'href="{back}"' in answer.text
            assert "style-src" in answer.headers["Content-Security-Policy"]
        assert (await running.get("/api/v1/download")).json["error"]


def test_the_limits_of_a_file_are_said_before(house: Path) -> None:
    assert "An Excel file holds 20,000 lines at most, other files 100,000." in told(shown(house, "download"))
