"""A reading as JSON text, beside the standard library's encoder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from benchmarks.measure import Row, beside, cpu, in_turns
from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.json_text import message_text
from smart_meter_reader.messages import Reading
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES

NOW = datetime(2026, 11, 21, 1, 32, 36, tzinfo=UTC)
HEAT: Reading = {
    "type": "reading",
    "meter": "heat",
    "time": NOW,
    "measurements": {
        "heat_energy": {"value": Decimal("227.445"), "unit": "GJ"},
        "volume": {"value": Decimal("3520.81"), "unit": "m³"},
        "operating_hours": {"value": Decimal("38205"), "unit": "h"},
        "volume_flow": {"value": Decimal("131"), "unit": "L/h"},
        "power": {"value": Decimal("4.2"), "unit": "kW"},
        "flow_temperature": {"value": Decimal("67.31"), "unit": "°C"},
        "return_temperature": {"value": Decimal("39.60"), "unit": "°C"},
        "temperature_difference": {"value": Decimal("27.71"), "unit": "K"},
    },
}


def rows(*, quick: bool) -> Iterator[Row]:
    """A heat meter's eight values, and a whole DSMR 5 telegram with every line by its OBIS code."""
    repeats, rounds = (20, 2) if quick else (2000, 9)
    telegram = p1_reading()
    for what, reading, most in (
        ("JSON: a reading of 8 registers", HEAT, 10.0),
        (f"JSON: a DSMR 5 telegram, {len(message_text(telegram)) / 1000:.1f} kB", telegram, None),
    ):
        ours, theirs = in_turns(
            rounds,
            cpu(partial(message_text, reading), repeats),
            cpu(partial(json.dumps, reading, default=plain), repeats),
        )
        row = beside(what, "µs", ours, "json.dumps, as float", theirs)
        yield row if most is None else row.with_goal(most)


def plain(value: object) -> Any:
    """What the standard encoder needs; the digits of the meter are lost on the way."""
    return float(value) if isinstance(value, Decimal) else str(value)


def p1_reading() -> Reading:
    """A telegram as a reading: what is known by quantity, and every line by its OBIS code."""
    reader = P1Reader(None)
    reader.receive_data(encode_telegram(TEMPLATES["dsmr-5"]))
    telegram = reader.next_telegram()
    assert telegram
    return {
        "type": "reading",
        "meter": "p1",
        "time": NOW,
        "measurements": {**telegram.measurements},
        "objects": {**telegram.objects},
        "authentication": telegram.authentication,
    }
