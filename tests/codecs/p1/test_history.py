"""What 0-0:98.1.0 tells of months: Belgium's peaks (eMUCS-P1 2.1), Hungary's registers at a month's end."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.p1.telegram import TelegramParser
from smart_meter_reader.quantities.measurement import Measurement


def months(*groups: str) -> dict[str, Measurement]:
    line = "0-0:98.1.0" + "".join(f"({group})" for group in groups)
    return TelegramParser().parse(f"/FLU5\r\n\r\n{line}\r\n!".encode(), "ok").measurements


def peak(month: int, value: str, year: int = 23, unit: str = "kW") -> tuple[str, str, str]:
    """The peak of the month before ``month``."""
    return f"{year}{month:02d}01000000W", f"{year}{month:02d}15120000W", f"{value}*{unit}"


def peaks(*each: tuple[str, str, str]) -> dict[str, str]:
    groups = [group for entry in each for group in entry]
    found = months(str(len(each)), "1-0:1.6.0", "1-0:1.6.0", *groups)
    return {
        key.removeprefix("active_demand_import_maximum_"): str(item["value"]) for key, item in found.items()
    }


def test_the_newest_month_is_the_first() -> None:
    assert peaks(peak(2, "3.000"), peak(4, "5.000"), peak(3, "4.000")) == {
        "month_1": "5.000",
        "month_2": "4.000",
        "month_3": "3.000",
        "mean": "4.000",
    }


def test_a_peak_has_the_time_when_it_was() -> None:
    found = months("1", "1-0:1.6.0", "1-0:1.6.0", *peak(2, "3.000", unit="KW"))
    assert found["active_demand_import_maximum_month_1"] == {
        "value": Decimal("3.000"),
        "unit": "kW",
        "measured_at": datetime(2023, 2, 15, 11, 0, tzinfo=UTC),
    }
    assert found["active_demand_import_maximum_mean"] == {"value": Decimal("3.000"), "unit": "kW"}


def test_thirteen_months_are_told_and_the_mean_is_of_twelve() -> None:
    year = [peak(month, f"{month}.000", 22) for month in range(1, 13)] + [
        peak(1, "13.000"),
        peak(2, "14.000"),
    ]
    found = peaks(*year)
    assert [found[f"month_{number}"] for number in (1, 2, 13)] == ["14.000", "13.000", "2.000"]
    assert "month_14" not in found
    assert found["mean"] == str(Decimal(sum(range(3, 15))) / 12) + "00"


@pytest.mark.parametrize(
    "nothing",
    [
        ("230301000000W", "230301000000W", "0.000*kW"),
        ("700101000000W", "230315120000W", "5.000*kW"),
        ("230301000000W", "rubbish", "5.000*kW"),
        ("230301000000W", "230315120000W", "5"),
    ],
)
def test_a_month_without_a_peak_is_left_out(nothing: tuple[str, str, str]) -> None:
    assert peaks(peak(2, "3.000"), nothing) == {"month_1": "3.000", "mean": "3.000"}
    assert peaks(nothing, peak(2, "3.000")) == {"month_1": "3.000", "mean": "3.000"}
    assert peaks(nothing) == {}


def test_peaks_of_two_units_have_no_mean() -> None:
    assert peaks(peak(2, "3.000"), peak(3, "5000", unit="W")) == {"month_1": "5000", "month_2": "3.000"}


def test_a_mean_has_the_digits_of_the_newest_peak() -> None:
    assert peaks(peak(2, "1.000"), peak(3, "1.000"), peak(4, "2.000"))["mean"] == "1.333"


E_ON = [
    *("15.000*KWh", "10.000*kWh", "5.000*kWh", "3.000*kWh", "2.000*kWh", "1.000*kWh"),
    *(f"{number}.000*kvarh" for number in range(2, 8)),
    "18.000*kWh",
    *(f"{number}.000*kW" for number in range(1, 7)),
]
END = "230301000000W"


def test_hungarys_registers_at_the_end_of_the_last_month() -> None:
    found = months(END, *E_ON)
    assert len(found) == 19
    assert found["active_energy_import_month_end"] == {
        "value": Decimal("15.000"),
        "unit": "kWh",
        "measured_at": datetime(2023, 2, 28, 23, 0, tzinfo=UTC),
    }
    assert found["reactive_energy_q4_month_end"]["value"] == Decimal("7.000")
    assert found["active_demand_export_maximum_tariff_2_month_end"]["value"] == Decimal("6.000")


def test_holley_sends_the_first_five_of_another_order() -> None:
    found = months(END, "15.000*kWh", *(f"{number}.000*kWh" for number in (1, 2, 4, 8)))
    assert {key: str(item["value"]) for key, item in found.items()} == {
        "active_energy_import_month_end": "15.000",
        "active_energy_import_tariff_1_month_end": "1.000",
        "active_energy_import_tariff_2_month_end": "2.000",
        "active_energy_import_tariff_3_month_end": "4.000",
        "active_energy_import_tariff_4_month_end": "8.000",
    }


@pytest.mark.parametrize(
    "groups",
    [
        ["16.000*kWh", *E_ON[1:]],
        [*E_ON[:3], "4.000*kWh", *E_ON[4:]],
        [*E_ON[:-1], "6.000*kvar"],
        E_ON[:-1],
        [*E_ON, "7.000*kW"],
        [*E_ON[:-1], "rubbish"],
        ["15.000*kWh", "1.000*kWh", "2.000*kWh", "4.000*kWh", "9.000*kWh"],
        ["15.000*kWh", "1.000*kWh", "2.000*kWh", "12.000*kWh"],
    ],
)
def test_what_does_not_add_up_is_no_register(groups: list[str]) -> None:
    assert months(END, *groups) == {}
