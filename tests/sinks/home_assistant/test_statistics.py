"""Hours of a history as Home Assistant's statistics want them: ids, units, and sums."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.questions.record import History
from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.home_assistant.statistics import HourOfCounter, hours, statistic_of
from tests.history.homes import energy, info, keep, status

HOUR = 3600
T0 = int(datetime(2026, 1, 10, tzinfo=UTC).timestamp())


def asked(path: Path, since: int = -(2**62), until: int = 2**62) -> list[tuple[int, str, str]]:
    """Hours since T0, state and sum."""
    with closing(History(path)) as history:
        found = hours(history.counter("heat", "heat_energy"), since, until)
        return [((each.start - T0) // HOUR, str(each.state), str(each.sum)) for each in found]


def test_an_hour_tells_what_the_counter_showed_at_its_end(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0 + n * HOUR, f"{500 + n}.5") for n in range(5)])
    assert asked(tmp_path / "h") == [(n, f"{501 + n}.5", f"{501 + n}.5") for n in range(4)]


def test_the_first_and_the_last_hour(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0 + 1800 + n * HOUR, f"{500 + n}.0") for n in range(5)])
    assert asked(tmp_path / "h") == [(n, f"{500 + n}.5", f"{500 + n}.5") for n in range(4)]
    keep(tmp_path / "one", [energy(T0 + 1800, "5")])
    assert asked(tmp_path / "one") == []
    with closing(History(tmp_path / "one")) as history:
        assert list(hours(history.counter("heat", "volume"), 0, 2**62)) == []


def test_the_sum_goes_on_over_devices_and_does_not_depend_on_what_is_asked(tmp_path: Path) -> None:
    swapped: list[Message] = [
        info(T0, "1"),
        *(energy(T0 + n * HOUR, str(100 + n)) for n in range(10)),
        status(T0 + 10 * HOUR, "meter_replaced"),
        info(T0 + 10 * HOUR, "2"),
        *(energy(T0 + n * HOUR, str(n - 10)) for n in range(10, 1500)),
    ]
    keep(tmp_path / "h", swapped)
    whole = asked(tmp_path / "h")
    # What was counted from the last reading of one to the first of the other, nobody knows.
    assert whole[8:10] == [(8, "109", "109"), (10, "1", "110")]
    assert whole[-1] == (1498, "1489", "1598")
    for since in (1, 9, 10, 11, 700, 1498):
        assert asked(tmp_path / "h", T0 + since * HOUR) == [each for each in whole if each[0] >= since]
    assert asked(tmp_path / "h", T0 + 5 * HOUR - 60, T0 + 7 * HOUR + 60) == whole[5:7]
    assert asked(tmp_path / "h", T0 + 1499 * HOUR) == []
    assert asked(tmp_path / "h", until=T0) == []


def test_what_is_an_estimate_is_left_out(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0 + n * HOUR, str(n)) for n in (*range(20), *range(50, 60))])
    assert [hour for hour, _, _ in asked(tmp_path / "h")] == [*range(19), *range(49, 59)]
    assert asked(tmp_path / "h")[19] == (49, "50", "50")


def test_years_at_zero_before_it_counts_are_left_out(tmp_path: Path) -> None:
    """As months of a meter's own memory tell of cooling that came late; one hour shows the 0."""
    months = [energy(T0 + month * 720 * HOUR, "0") for month in range(12)]
    begin = 11 * 720
    keep(tmp_path / "h", [*months, *(energy(T0 + (begin + n) * HOUR, str(n)) for n in range(1, 5))])
    expected = [(begin + n, str(n + 1), str(n + 1)) for n in range(-1, 4)]
    assert asked(tmp_path / "h") == expected
    assert asked(tmp_path / "h", T0 + (begin + 2) * HOUR) == expected[3:]
    assert asked(tmp_path / "h", T0 + 500 * HOUR) == expected
    keep(tmp_path / "zero", months)
    assert asked(tmp_path / "zero") == [(begin - 1, "0", "0")]


@pytest.mark.parametrize(
    ("meter", "quantity", "unit", "expected"),
    [
        ("heat", "heat_energy", "GJ", ("smart_meter_reader:heat_heat_energy", "GJ", "energy")),
        ("my--old-1", "volume", "m3", ("smart_meter_reader:my_old_1_volume", "m³", "volume")),
        ("p1-gas", "gas_volume", "m³", ("smart_meter_reader:p1_gas_gas_volume", "m³", "volume")),
        ("p1", "reactive_energy_import", "kvarh", None),
        ("heat", "operating_hours", "h", None),
        ("heat", "volume_times_flow_temperature", "m³·°C", None),
        ("heat", "mass", "t", None),
        ("heat", "power", "kW", None),
        ("heat", "heat_energy", "furlongs", None),
        ("heat", "unheard_of", "kWh", None),
    ],
)
def test_ids_units_and_classes(
    meter: str, quantity: str, unit: str, expected: tuple[str, str, str] | None
) -> None:
    found = statistic_of(meter, quantity, unit)
    if quantity == "reactive_energy_import":
        assert found is None or found.unit_class == "reactive_energy"
    else:
        assert (found and (found.id, found.unit, found.unit_class)) == expected


def test_what_a_version_is_told() -> None:
    statistic = statistic_of("heat", "heat_energy", "GJ")
    assert statistic is not None
    plain = {
        "has_sum": True,
        "name": "Heat meter heat energy",
        "source": "smart_meter_reader",
        "statistic_id": "smart_meter_reader:heat_heat_energy",
        "unit_of_measurement": "GJ",
    }
    assert statistic.metadata((2025, 10)) == plain | {"has_mean": False}
    assert statistic.metadata((0, 0)) == plain | {"has_mean": False}
    assert statistic.metadata((2025, 11)) == plain | {"mean_type": 0, "unit_class": "energy"}
    assert HourOfCounter(T0, Decimal("1.50"), Decimal("7.0")).encode() == {
        "start": datetime.fromtimestamp(T0, UTC),
        "state": Decimal("1.50"),
        "sum": Decimal("7.0"),
    }
