"""What a telegram says between its lines: totals, powers of all phases, net powers, transformers, limits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.p1.derived import (
    add_net_powers,
    add_powers,
    add_totals,
    multiply,
    name_thresholds,
    newest_failure,
)
from smart_meter_reader.codecs.p1.values import Times
from smart_meter_reader.quantities.measurement import Measurement


def of(**texts: str) -> dict[str, Measurement]:
    """Measurements as ``quantity="1.5 kW"``; text without a unit stays text."""
    found: dict[str, Measurement] = {}
    for key, text in texts.items():
        number, blank, unit = text.partition(" ")
        found[key] = {"value": Decimal(number) if blank else text, "unit": unit}
    return found


def written(measurements: dict[str, Measurement]) -> dict[str, str]:
    return {key: f"{each['value']} {each['unit']}".strip() for key, each in measurements.items()}


@pytest.mark.parametrize("way", ["import", "export"])
def test_a_sum_of_more_than_twenty_digits_is_none(way: str) -> None:
    parts = {f"active_energy_{way}_tariff_{tariff}": "99999999999999999999 Wh" for tariff in (1, 2)}
    found = of(**parts)
    add_totals(found)
    assert written(found) == parts
    found = of(**parts | {f"active_energy_{way}_tariff_2": "0 Wh"})
    add_totals(found)
    assert written(found)[f"active_energy_{way}"] == "99999999999999999999 Wh"
    # The point is no digit.
    found = of(**{f"active_energy_{way}_tariff_{tariff}": "1111111111111111111.5 Wh" for tariff in (1, 2)})
    add_totals(found)
    assert written(found)[f"active_energy_{way}"] == "2222222222222222223.0 Wh"


@pytest.mark.parametrize("way", ["import", "export"])
@pytest.mark.parametrize(
    ("tariffs", "total"),
    [
        ((1, 2), "3 kWh"),
        ((1, 2, 3), "7 kWh"),
        ((1, 2, 3, 4), "15 kWh"),
        ((1,), None),
        ((1, 3), None),
        ((2, 3), None),
        ((1, 2, 4), None),
        ((), None),
    ],
)
def test_tariffs_add_up_to_the_total_where_none_lacks(
    way: str, tariffs: tuple[int, ...], total: str | None
) -> None:
    parts = {f"active_energy_{way}_tariff_{tariff}": f"{2 ** (tariff - 1)} kWh" for tariff in tariffs}
    found = of(**parts)
    add_totals(found)
    assert written(found) == parts | ({f"active_energy_{way}": total} if total else {})
    told = of(**parts, **{f"active_energy_{way}": "99 kWh"})
    add_totals(told)
    assert written(told)[f"active_energy_{way}"] == "99 kWh", "what the meter sends itself stays"


@pytest.mark.parametrize("way", ["import", "export"])
@pytest.mark.parametrize(
    ("l1", "l2", "l3", "total"),
    [
        ("1.5 kW", "0.25 kW", "0.125 kW", "1.875 kW"),
        ("-1.5 kW", "0.25 kW", "0.125 kW", "-1.125 kW"),
        ("1.5 kW", "0.25 kW", "125 W", None),
        ("1.5 kW", "0.25 kW", "broken", None),
        ("1.5 kW", "0.25 kW", None, None),
    ],
)
def test_phases_add_up_to_the_power(way: str, l1: str, l2: str, l3: str | None, total: str | None) -> None:
    phases = {f"active_power_{way}_l{index}": text for index, text in enumerate((l1, l2, l3), 1) if text}
    found = of(**phases)
    add_powers(found)
    assert written(found) == phases | ({f"active_power_{way}": total} if total else {})
    told = of(**phases, **{f"active_power_{way}": "9 kW"})
    add_powers(told)
    assert written(told)[f"active_power_{way}"] == "9 kW", "what the meter sends itself stays"


@pytest.mark.parametrize("phase", ["", "_l1", "_l2", "_l3"])
@pytest.mark.parametrize(
    ("taken", "given", "net"),
    [
        ("0.250 kW", "0.000 kW", "0.250 kW"),
        ("0.000 kW", "1.5 kW", "-1.500 kW"),
        ("0.250 kW", "100 W", None),
        ("0.250 kW", None, None),
        (None, "0.250 kW", None),
        ("0.250 kW", "broken", None),
        ("broken", "0.250 kW", None),
        ("broken", "broken", None),
    ],
)
def test_the_net_power_is_what_is_taken_less_what_is_given(
    taken: str | None, given: str | None, net: str | None, phase: str
) -> None:
    both = {
        f"active_power_{way}{phase}": text for way, text in (("import", taken), ("export", given)) if text
    }
    found = of(**both)
    add_net_powers(found)
    assert written(found) == both | ({f"active_power_net{phase}": net} if net else {})
    told = of(**both, **{f"active_power_net{phase}": "9 kW"})
    add_net_powers(told)
    assert written(told)[f"active_power_net{phase}"] == "9 kW"


def test_a_net_power_that_cannot_be_told_hides_no_other() -> None:
    found = of(
        active_power_import="0.25 kW",
        active_power_export="100 W",
        active_power_import_l1="1.5 kW",
        active_power_export_l1="0.5 kW",
        active_power_import_l2="1.5 ",
        active_power_export_l2="broken",
        active_power_import_l3="broken",
        active_power_export_l3="1.5 ",
    )
    add_net_powers(found)
    nets = {key: text for key, text in written(found).items() if "_net" in key}
    assert nets == {"active_power_net_l1": "1.0 kW"}


def test_text_among_numbers_without_a_unit_adds_up_to_nothing() -> None:
    found = of(active_power_import_l1="1.5 ", active_power_import_l2="broken", active_power_import_l3="0.5 ")
    add_powers(found)
    assert "active_power_import" not in found


def test_the_power_of_all_phases_has_a_net_power_too() -> None:
    found = of(
        **{f"active_power_import_l{phase}": "0.5 kW" for phase in (1, 2, 3)},
        active_power_export="2 kW",
    )
    add_powers(found)
    add_net_powers(found)
    assert (written(found)["active_power_import"], written(found)["active_power_net"]) == (
        "1.5 kW",
        "-0.5 kW",
    )


def test_only_what_passes_a_current_transformer_is_multiplied() -> None:
    sent = of(
        active_energy_import="10.5 kWh",
        reactive_energy_import="2 kvarh",
        active_power_import="1.5 kW",
        reactive_power_import="0.1 kvar",
        current_l1="4 A",
        current_threshold_l1="25 A",
        voltage_l1="230.1 V",
        power_factor="0.98 ",
        gas_volume="12.5 m³",
        active_power_export="broken",
        unknown="1 kWh",
    )
    found = written(multiply(sent, Decimal(40)))
    assert {key: text for key, text in found.items() if text != written(sent)[key]} == {
        "active_energy_import": "420.0 kWh",
        "reactive_energy_import": "80 kvarh",
        "active_power_import": "60.0 kW",
        "reactive_power_import": "4.0 kvar",
        "current_l1": "160 A",
    }


def test_a_limit_of_current_is_no_average() -> None:
    found = of(current_average_l1="25 A", current_average_l3="16 A", current_l1="4 A")
    name_thresholds(found)
    assert written(found) == {
        "current_threshold_l1": "25 A",
        "current_threshold_l3": "16 A",
        "current_l1": "4 A",
    }


@pytest.mark.parametrize(
    ("entries", "newest"),
    [
        ([("2020-01-01T00:00:00+01:00", "5 s"), ("2021-01-01T00:00:00+01:00", "7 s")], "7 s"),
        ([("2021-01-01T00:00:00+01:00", "7 s"), ("2020-01-01T00:00:00+01:00", "5 s")], "7 s"),
        ([("2021-01-01T00:00:00+01:00", "7 s"), ("2021-01-01T00:00:00+01:00", "9 s")], "7 s"),
        (
            [("2020-01-01T00:00:00+01:00", "2147483646 s"), ("2021-01-01T00:00:00+01:00", "2147483647 s")],
            "2147483646 s",
        ),
        ([("2021-01-01T00:00:00+01:00", "text"), ("2020-01-01T00:00:00+01:00", "5 s")], "5 s"),
        ([("never", "5 s"), ("2020-01-01T00:00:00+01:00", "text")], None),
    ],
)
def test_the_newest_power_failure_that_has_sense(entries: list[tuple[str, str]], newest: str | None) -> None:
    items: list[Measurement] = [*of(count="2", code="0-0:96.7.19").values()]
    for end, duration in entries:
        items += of(end=end, duration=duration).values()
    found = written(newest_failure(items, Times()))
    assert found.get("last_power_failure_duration") == newest
    assert len(found) == (2 if newest else 0)


def test_the_end_of_a_power_failure_is_told_in_utc() -> None:
    items = [*of(count="1", code="0-0:96.7.19", end="2021-01-01T00:00:00+01:00", duration="7 s").values()]
    end = newest_failure(items, Times())["last_power_failure_end"]
    assert end == {"value": "2020-12-31T23:00:00+00:00", "unit": ""}
