"""What the page asks of ten years of five meters: CPU of each question, and how large the answers are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.measure import Row, alone, cpu, in_turns
from benchmarks.old_home import BEGIN, END, make
from smart_meter_reader.json_text import dumps_local
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.questions import Questions

_MILLISECONDS = 1e-3
_ZONE = ZoneInfo("Europe/Amsterdam")
_POWER = {"meter": "power-1"}
_MOST, _MOST_BY_DAY = 50, 150  # ms
_LARGEST = 1.048576  # MB
# What each page asks, and how much CPU it may take.
_ASKED: tuple[tuple[str, dict[str, str], int], ...] = (
    ("meters", {}, _MOST),
    ("bars", {**_POWER, "view": "day"}, _MOST),
    ("bars", {**_POWER, "view": "month", "tariffs": "yes"}, _MOST),
    ("compare", {**_POWER, "view": "day"}, _MOST),
    ("compare", {**_POWER, "view": "year"}, _MOST),
    ("bars", {**_POWER, "view": "all"}, _MOST),
    ("bars", {**_POWER, "view": "all", "period": "day"}, _MOST_BY_DAY),
    ("spreads", {"meter": "heat-1", "view": "all"}, _MOST),
    ("peaks", _POWER, _MOST),
    ("balance", {**_POWER, "production": "power-2", "view": "day"}, _MOST),
    ("heat", {"meter": "heat-1", "view": "year"}, _MOST),
    ("gaps", _POWER, _MOST),
    ("costs", {**_POWER, "contract": "flat", "view": "all"}, _MOST),
    ("costs", {**_POWER, "contract": "slots", "view": "year"}, _MOST),
    ("costs", {**_POWER, "contract": "quarters", "view": "day"}, _MOST),
    ("costs", {**_POWER, "contract": "quarters", "view": "year"}, _MOST),
)


def rows(*, quick: bool) -> Iterator[Row]:
    """The CPU of each question, with the text of its answer, and the size of the largest."""
    years, rounds = (0.2, 1) if quick else (10.0, 5)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "home.history.sqlite"
        make(path, years)
        end = BEGIN + int((END - BEGIN) * years / 10)
        questions = Questions(path, None, _contracts(Path(directory), end), clock=lambda: end - 30 * 3600)
        largest = 0
        for name, query, most in _ASKED:
            answer = partial(_answered, questions, name, query)
            largest = max(largest, len(answer()))
            (measured,) = in_turns(rounds, cpu(answer, unit=_MILLISECONDS))
            words = ", ".join(word for key, word in query.items() if key not in ("meter", "production"))
            yield alone(f"page: {name}{f' ({words})' if words else ''}", "ms CPU", measured, most)
        yield alone("page: the largest of these answers", "MB", [largest / 1e6], _LARGEST)


def _answered(questions: Questions, name: str, query: dict[str, str]) -> bytes:
    return dumps_local(questions.ask(name, query), _ZONE)


def _contracts(directory: Path, end: int) -> dict[str, ContractSettings]:
    """One price, prices by the clock, and a price for each quarter of an hour of two years."""
    file = directory / "prices.csv"
    begin = datetime.fromtimestamp(end, UTC) - timedelta(days=731)
    file.write_text(
        "".join(
            f"{(begin + timedelta(minutes=15 * number)).isoformat()},{20 + number % 97}.5\n"
            for number in range(731 * 96)
        )
    )
    price, meter = Decimal("0.2834"), "power-1"
    return {
        "flat": ContractSettings(meter=meter, price=price, fixed_per_month=Decimal("6.50")),
        "slots": ContractSettings(meter=meter, price=price, slots=("mon-fri 07:00-23:00 0.3211",)),
        "quarters": ContractSettings(
            meter=meter, price_file=file, source_unit="MWh", surcharge=Decimal("0.1228")
        ),
    }
