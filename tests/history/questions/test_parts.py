"""A counter's parts: no stretch of time counts twice, and nothing that was counted once is lost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from smart_meter_reader.history.questions.bars import between
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message, Reading
from tests.history.homes import energy, keep, reading, status

T0 = 1_700_000_000 - 1_700_000_000 % 86400


def counted(path: Path, quantity: str, unit: str = "") -> Decimal | None:
    with History(path) as history:
        return between(history.counter("heat", quantity), 0, 2**33, unit).difference


def gas(time: int, value: str, measured_at: int) -> Reading:
    return reading(time, {"gas_volume": (value, "m³")}, measured_at=measured_at)


def test_a_unit_that_came_and_went_hides_nothing_of_the_one_that_stays(tmp_path: Path) -> None:
    flapping: list[Message] = [
        energy(T0, "100000", unit="Wh"),
        energy(T0 + 10, "100", unit="kWh"),
        energy(T0 + 20, "100100", unit="Wh"),
    ]
    later: list[Message] = [
        energy(T0 + 30 + 900 * number, str(101 + number), unit="kWh") for number in range(100)
    ]
    keep(tmp_path / "file", [*flapping, *later])
    assert counted(tmp_path / "file", "heat_energy", "kWh") == Decimal("99.100")


def test_a_new_device_whose_clock_is_behind_counts_from_the_first_reading(tmp_path: Path) -> None:
    old: list[Message] = [
        gas(T0, "1000", T0 - 100),
        gas(T0 + 3600, "1001", T0 + 3500),
        status(T0 + 3700, "meter_replaced"),
    ]
    first = gas(T0 + 3710, "0", T0 + 100)
    new: list[Message] = [
        gas(T0 + 3710 + 3600 * hour, str(hour), T0 + 100 + 3600 * hour) for hour in range(1, 10)
    ]
    keep(tmp_path / "file", [*old, first, *new])
    assert counted(tmp_path / "file", "gas_volume") == 1 + 9


def test_a_turn_before_the_first_reading_that_is_right_adds_nothing(tmp_path: Path) -> None:
    values = ["9998.5", "9999.5", "0.5", "20.5", "21.5"]
    keep(tmp_path / "file", [energy(T0 + 900 * number, value) for number, value in enumerate(values)])
    store = Store(tmp_path / "file")
    store.open()
    store.note("heat", "heat_energy", "wrong", T0, T0 + 1800, "the first days were a test")
    store.close()
    assert counted(tmp_path / "file", "heat_energy") == 1
