"""A history file made for a test, and questions to it at a given moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from smart_meter_reader.history.storage.schema import YEAR_BEGINS, ZONE
from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.questions import Questions
from tests.history.homes import keep

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def at(local: str) -> int:
    """A moment by the clock of Amsterdam, in seconds since 1970."""
    return int(datetime.fromisoformat(local).replace(tzinfo=AMSTERDAM).timestamp())


def home(path: Path, messages: Iterable[Message], year_begins: str = "01-01") -> Path:
    """A history of these messages, of a house in Amsterdam."""
    store = keep(path, messages)
    store.open()
    store.keep_setting(ZONE, AMSTERDAM.key)
    store.keep_setting(YEAR_BEGINS, year_begins)
    store.close()
    return path


def ask(path: Path, name: str, now: str, **words: str) -> dict[str, Any]:
    """One question at a local moment; ``from_`` stands for `from`."""
    return ask_entered(path, name, now, {}, **words)


def ask_entered(
    path: Path, name: str, now: str, entered: Mapping[str, ContractSettings | Decimal], **words: str
) -> dict[str, Any]:
    """The same of somebody who has entered contracts by name, or by flow temperature what is expected."""
    contracts = {key: each for key, each in entered.items() if isinstance(each, ContractSettings)}
    expected = {key: each for key, each in entered.items() if isinstance(each, Decimal)}
    query = {key.rstrip("_"): value for key, value in words.items()}
    questions = Questions(path, path.with_suffix(".recent"), contracts, expected, lambda: at(now))
    return questions.ask(name, query)
