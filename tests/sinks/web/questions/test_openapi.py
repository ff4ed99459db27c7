"""The document for programs: it names every question and every word, and answers have the shapes it tells."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.questions.openapi import document
from smart_meter_reader.sinks.web.questions.table import QUESTIONS
from tests.history.homes import reading
from tests.sinks.web.questions.asking import ask_entered, at, home


def everything(time: int, step: int) -> list[Message]:
    """A heat meter and an electricity meter."""
    heat = {
        "heat_energy": (Decimal(100 + step), "kWh"),
        "volume": (Decimal(10 + step), "m³"),
        "volume_times_flow_temperature": (Decimal(700 + 70 * step), "m³·°C"),
        "volume_times_return_temperature": (Decimal(400 + 40 * step), "m³·°C"),
        "flow_temperature": (Decimal(70), "°C"),
        "return_temperature": (Decimal(40), "°C"),
        "power": (Decimal(4), "kW"),
        "active_energy_import": (Decimal(step), "kWh"),
    }
    return [reading(time, heat)]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_answer_has_its_shape(tmp_path: Path, name: str) -> None:
    first = at("2026-03-01T00:00")
    path = home(
        tmp_path / "h", [message for each in range(300) for message in everything(first + 900 * each, each)]
    )
    words = {"meter": "heat"} if any(each.name == "meter" for each in QUESTIONS[name].parameters) else {}
    entered: dict[str, ContractSettings | Decimal] = {
        "heat": ContractSettings(meter="heat", price=Decimal("0.3")),
        "60": Decimal(39),
    }
    answer = ask_entered(path, name, "2026-03-03T12:00", entered, **words)
    text = msgspec.json.encode(answer)
    # As strictly as msgspec reads a shape: every key that it names is there, and of its type.
    msgspec.json.decode(text, type=QUESTIONS[name].shape)
    assert answer.keys() == QUESTIONS[name].shape.__annotations__.keys()


def test_the_document_names_every_question() -> None:
    made = document()
    assert made["openapi"] == "3.1.0"
    assert made["paths"].keys() == {f"/{name}" for name in [*QUESTIONS, "download"]}
    for name, kind in QUESTIONS.items():
        told = made["paths"][f"/{name}"]["get"]
        assert [each["name"] for each in told["parameters"]] == [each.name for each in kind.parameters]
        assert set(told["responses"]) == {"200", "400", "404", "413", "503"}
        reference = told["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        assert reference.rpartition("/")[2] in made["components"]["schemas"]
    view = next(each for each in made["paths"]["/bars"]["get"]["parameters"] if each["name"] == "view")
    assert view["schema"] == {"type": "string", "enum": ["day", "week", "month", "year", "all"]}


def test_decimals_are_numbers_in_it() -> None:
    text = msgspec.json.encode(document()).decode()
    assert '"decimal"' not in text
    bar = document()["components"]["schemas"]["BarAnswer"]["properties"]
    assert bar["difference"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}
    assert bar["begin"] == {"type": "string", "format": "date-time"}
