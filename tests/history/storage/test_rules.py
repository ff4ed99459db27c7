"""Our own rules find what was written as it should not be, and nothing in a history that was."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

from smart_meter_reader.history.storage.rules import broken_rules, sizes
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message
from tests.history.homes import energy, info, keep, reading

T0 = 1_767_222_000
NOW = T0 + 400 * 86400


def keep_lives(path: Path) -> None:
    """A counter that rises, rolls over, begins anew, and is replaced while the service is stopped."""
    values = ["9998.5", "9999.5", "0.5", "700", "3", "4"]
    messages: list[Message] = [info(T0, "123")]
    messages += [energy(T0 + 3600 * at, value) for at, value in enumerate(values)]
    keep(path, messages)
    messages = [info(T0 + 90_000, "456"), energy(T0 + 90_000, "1"), energy(T0 + 93_600, "2")]
    messages += [reading(T0 + 90_000 + at * 900, {"power": (Decimal(at), "kW")}) for at in range(8)]
    keep(path, messages)


def change(path: Path, sentence: str, *values: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sentence, values)
    connection.commit()
    connection.close()


def test_a_history_that_was_written_as_it_should_be_breaks_none(tmp_path: Path) -> None:
    path = tmp_path / "h"
    keep_lives(path)
    assert broken_rules(path, NOW) == []
    found = {(each.quantity, each.kind): each.rows for each in sizes(path) if each.first > T0 + 80_000}
    assert found == {("heat_energy", "counter"): 2, ("power", "gauge"): 2}


def test_a_fall_without_a_word_is_told_until_a_note_explains_it(tmp_path: Path) -> None:
    path = tmp_path / "h"
    keep(path, [energy(T0 + 900 * at, Decimal(at)) for at in range(20)])
    change(path, "UPDATE counter SET value = 500 WHERE time = ?", T0 + 900 * 7)
    (told,) = broken_rules(path, NOW)
    assert told.startswith("heat, heat_energy: falls from 500 to 8 kWh at 2026-01-01T01:00Z")
    store = Store(path)
    store.open()
    number = store.note("heat", "", "wrong", T0 + 900 * 7, T0 + 900 * 7, "")
    assert broken_rules(path, NOW) == []
    store.take_back(number)
    assert len(broken_rules(path, NOW)) == 1
    store.note("heat", "", "replaced", T0 + 900 * 8, T0 + 900 * 8, "")
    assert broken_rules(path, NOW) == []
    store.close()


def test_a_fall_behind_a_wrong_value_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "h"
    keep(path, [energy(T0 + 900 * at, Decimal(100 + at)) for at in range(20)])
    change(path, "UPDATE counter SET value = 3 WHERE time = ?", T0 + 900 * 7)
    change(path, "UPDATE counter SET value = value - 50 WHERE time > ?", T0 + 900 * 7)
    store = Store(path)
    store.open()
    store.note("heat", "heat_energy", "wrong", T0 + 900 * 7, T0 + 900 * 7, "")
    store.close()
    (told,) = broken_rules(path, NOW)
    assert "falls from 106 to" in told


def test_values_outside_of_their_device_and_time_are_told(tmp_path: Path) -> None:
    path = tmp_path / "h"
    keep_lives(path)
    change(path, "UPDATE segment SET since = ? WHERE serial_number = '456'", T0 + 500_000)
    change(path, "UPDATE gauge SET low = high + 1")
    told = broken_rules(path, T0 - 10**6)
    assert sum("which is to come" in each for each in told) == 3
    assert sum("but the device is there since" in each for each in told) == 2
    assert sum("2 hours have a lowest value above the highest" in each for each in told) == 1


def test_what_a_gas_meter_told_before_the_first_start_is_as_it_should_be(tmp_path: Path) -> None:
    gas = [
        reading(T0 + 300 + at * 3600, {"gas_volume": (Decimal(at), "m³")}, measured_at=T0 + at * 3600)
        for at in range(3)
    ]
    keep(tmp_path / "h", gas)
    assert broken_rules(tmp_path / "h", NOW) == []
