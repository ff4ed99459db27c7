"""Whatever words are put with a question: an answer that is bounded, or a sentence; never a traceback."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.history.rows import RestartRow
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.json_text import dumps_local
from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.questions import Questions
from smart_meter_reader.sinks.web.questions.table import DOWNLOAD, QUESTIONS
from tests.history.homes import reading, status
from tests.sinks.web.questions.asking import at, home

LARGEST = 1024 * 1024
CONTRACTS = {
    "heat": ContractSettings(meter="heat", unit="GJ", price=Decimal(30), fixed_per_year=Decimal(100)),
    "power": ContractSettings(meter="power", slots=("mon-sun 00:00-12:00 0.3",), feed_in=Decimal("0.1")),
}
VALUES = {
    "meter": ["heat", "power", "gas", "production"],
    "meters": ["heat", "power,heat", "gas"],
    "production": ["power", "heat"],
    "quantity": ["heat_energy", "power", "volume", "active_energy_import", "active_energy_export"],
    "quantities": ["power", "active_power_import,power", "heat_energy"],
    "unit": ["kWh", "GJ", "m³", "L", "furlong"],
    "date": ["2026-03-01", "1970-01-01", "2199-12-31", "2024-02-29", "2026-10-25", "2026-W01"],
    "from": ["2026-03-01", "1970-01-01", "2199-12-31", "2026-03-29"],
    "to": ["2026-03-02", "1970-01-01", "2199-12-31", "2026-03-30"],
    "until": ["2026-03-01", "2026-03-01T12:00", "1970-01-01T00:00+14:00", "2199-12-31T23:59:59-12:00"],
    "minutes": ["1", "2880", "60"],
    "points": ["10", "5000", "77"],
    "medium": ["heat", "electricity", "gas"],
    "contract": ["heat", "power"],
    "kind": ["csv", "json"],
}
junk = st.text(max_size=12) | st.integers().map(str) | st.dates().map(str) | st.datetimes().map(str)


def messages() -> list[Message]:
    """Two meters with gaps, a swap, and a counter that began anew."""
    made: list[Message] = []
    first = at("2026-02-26T00:00")
    for quarter in range(96 * 40):
        time = first + 900 * quarter + quarter % 7
        if 500 < quarter < 700:
            continue
        if quarter == 1000:
            made.append(status(time, "meter_replaced"))
        heat = {
            "heat_energy": (Decimal(quarter % 2000).scaleb(-3), "GJ"),
            "volume": (Decimal(quarter % 2000).scaleb(-2), "m³"),
            "volume_times_flow_temperature": (Decimal(quarter % 2000), "m³·°C"),
            "volume_times_return_temperature": (Decimal(quarter % 2000 // 2), "m³·°C"),
            "power": (Decimal(quarter % 77), "kW"),
        }
        power = {
            "active_energy_import_tariff_1": (Decimal(quarter * 7).scaleb(-3), "kWh"),
            "active_energy_import_tariff_2": (Decimal(quarter * 5).scaleb(-3), "kWh"),
            "active_energy_export": (Decimal(quarter * 3).scaleb(-3), "kWh"),
        }
        made += [reading(time, {**heat}), reading(time, {**power}, "power")]
    return made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = home(tmp_path_factory.mktemp("home") / "h", messages())
    store = Store(path)
    store.open()
    store.write([RestartRow("power", "active_energy_export", "kWh", at("2026-03-10T00:00"), Decimal(10**6))])
    store.close()
    return path


@given(data=st.data(), name=st.sampled_from(sorted(QUESTIONS)), now=st.integers(0, 7 * 10**9))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_get_an_answer_or_a_sentence(house: Path, data: st.DataObject, name: str, now: int) -> None:
    words = {
        each.name: data.draw(
            st.sampled_from([*map(str, each.choices), *VALUES.get(each.name, [])] or [""]) | junk,
            label=each.name,
        )
        for each in QUESTIONS[name].parameters
        if data.draw(st.booleans())
    }
    likely = data.draw(st.sampled_from([now, at("2026-03-20T12:00")]))
    questions = Questions(house, None, CONTRACTS, {"60": Decimal(39), "70": Decimal(32)}, lambda: likely)
    try:
        answer = questions.ask(name, words)
    except ExplainedError:
        return
    assert len(dumps_local(answer, ZoneInfo("Europe/Amsterdam"))) <= LARGEST


@given(data=st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_get_a_file_or_a_sentence(house: Path, data: st.DataObject) -> None:
    words = {
        each.name: data.draw(st.sampled_from([*map(str, each.choices), *VALUES.get(each.name, [])]) | junk)
        for each in DOWNLOAD.parameters
        if data.draw(st.booleans())
    }
    try:
        found = Questions(house, clock=lambda: at("2026-03-20T12:00")).download(words)
    except ExplainedError:
        return
    with found.file:
        assert found.size == len(found.file.read())
