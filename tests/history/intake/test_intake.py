"""What of the meters' messages becomes a row, and what does not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.history.intake.intake import Intake, StoredCounter, StoredMeter
from smart_meter_reader.history.intake.kept import is_counter, is_gauge, one_turn
from smart_meter_reader.history.intake.reported import EVENTS_AN_HOUR
from smart_meter_reader.history.reports import reported_by
from smart_meter_reader.history.rows import (
    CounterRow,
    EventRow,
    GaugeRow,
    RestartRow,
    Row,
    SegmentRow,
    SerialRow,
)
from smart_meter_reader.messages import Message, Status
from tests.history.homes import energy, info, reading, status

T0 = 1_700_000_000 - 1_700_000_000 % 86400


def taken(*messages: Message, intake: Intake | None = None) -> list[Row]:
    intake = intake or Intake({})
    return [row for message in messages for row in intake.take(message)]


def counters(rows: list[Row]) -> list[tuple[int, Decimal]]:
    return [(row.time - T0, row.value) for row in rows if isinstance(row, CounterRow)]


def test_of_a_meter_that_pushes_the_first_of_each_quarter_is_kept() -> None:
    rows = taken(*(energy(T0 + second, Decimal(second)) for second in range(5, 3600, 10)))
    assert [time for time, _ in counters(rows)] == [5, 905, 1805, 2705]


def test_of_a_meter_that_is_read_seldom_every_reading_is_kept() -> None:
    rows = taken(*(energy(T0 + minute * 60, Decimal(minute)) for minute in (0, 5, 10, 14, 20, 80)))
    assert [time // 60 for time, _ in counters(rows)] == [0, 5, 10, 14, 20, 80]


def test_the_last_reading_before_a_gap_and_before_the_stop_is_kept() -> None:
    intake = Intake({})
    rows = taken(
        *(energy(T0 + second, Decimal(second)) for second in range(0, 400, 10)),
        status(T0 + 430, "port_lost", state="offline"),
        *(energy(T0 + second, Decimal(second)) for second in range(460, 500, 10)),
        intake=intake,
    )
    assert [time for time, _ in counters(rows)] == [0, 390]
    assert counters(intake.close()) == [(490, Decimal(490))]


def test_the_same_in_coarser_steps_is_no_restart_and_a_fall_still_is_one() -> None:
    """A German meter whose PIN was forgotten tells whole kWh, in Wh, until it is entered again."""
    told = (
        "16824856.5",
        "16824E+3",
        "16824E+3",
        "16825E+3",
        "16825101.5",
        "16825E+3",
        "16825102.5",
        "16823E+3",
    )
    rows = taken(*(energy(T0 + minute * 900, Decimal(value)) for minute, value in enumerate(told)))
    kept = ["16824856.5", "1.6825E+7", "16825101.5", "16825102.5", "1.6823E+7"]
    assert [str(value) for _, value in counters(rows)] == kept
    assert [row.time - T0 for row in rows if isinstance(row, RestartRow)] == [7 * 900]


def test_zero_in_coarser_steps_is_no_restart_of_less_than_a_step() -> None:
    """The export of a house without panels."""
    told = ("746.4", "0E+3", "746.5", "1000.1", "0E+3")
    rows = taken(*(energy(T0 + minute * 900, Decimal(value)) for minute, value in enumerate(told)))
    assert [str(value) for _, value in counters(rows)] == ["746.4", "746.5", "1000.1", "0E+3"]
    assert [row.time - T0 for row in rows if isinstance(row, RestartRow)] == [4 * 900]


def test_what_a_meter_reports_is_an_event_when_it_is_raised_and_when_it_is_cleared() -> None:
    intake = Intake({"heat": StoredMeter("1", {}, reports=("the battery is low",))})

    def reports(time: int, text: str) -> Message:
        told = reading(T0 + time, {"power": ("1", "kW")})
        told["measurements"]["info_code_text"] = {"value": text, "unit": ""}
        return told

    rows = taken(
        reports(0, "the battery is low"),
        status(T0 + 5, "meter_reports"),
        reports(10, "air; the battery is low"),
        status(T0 + 20, "meter_reports"),
        reports(30, "the battery is low"),
        reading(T0 + 40, {"power": ("1", "kW")}),
        reports(50, "leak"),
        intake=intake,
    )
    events = [(row.time - T0, row.kind, row.text) for row in rows if isinstance(row, EventRow)]
    assert events == [
        (10, "info_code_raised", "the meter reports: air"),
        (30, "info_code_cleared", "the meter no longer reports: air"),
        (50, "info_code_cleared", "the meter no longer reports: the battery is low"),
        (50, "info_code_raised", "the meter reports: leak"),
    ]
    assert reported_by((kind, text) for _, kind, text in events[:1]) == ("air",)
    assert reported_by((kind, text) for _, kind, text in events) == ("leak",)


def test_the_same_time_again_is_no_second_row() -> None:
    intake = Intake({})
    gas = {"gas_volume": ("5.123", "m³")}
    rows = taken(*(reading(T0 + n, gas, measured_at=T0 - 60) for n in range(50)), intake=intake)
    assert counters(rows) == [(-60, Decimal("5.123"))]
    assert intake.passed_over == 0
    taken(reading(T0 + 60, {"gas_volume": ("6", "m³")}, measured_at=T0 - 60), intake=intake)
    taken(reading(T0 + 70, {"gas_volume": ("6", "m³")}, measured_at=T0 - 600), intake=intake)
    assert intake.passed_over == 2


@pytest.mark.parametrize("clock", [0, T0 + 3 * 86400, T0 - 61 * 86400])
def test_a_meters_clock_that_is_far_off_says_nothing(clock: int) -> None:
    # dsmr-reader#747: a gas meter that reports 1970 must not stop anything.
    rows = taken(reading(T0, {"gas_volume": ("1", "m³")}, measured_at=clock))
    assert [time for time, _ in counters(rows)] == [0]


def test_a_roll_over_is_told_from_a_new_start() -> None:
    rows = taken(energy(T0, "9999.95"), energy(T0 + 900, "0.05"), energy(T0 + 1800, "0.01"))
    restarts = [(row.time - T0, row.modulus) for row in rows if isinstance(row, RestartRow)]
    assert restarts == [(900, Decimal(10000)), (1800, None)]
    # The guard tells both as a new baseline, and which of them has counted on.
    told = status(T0 + 900, "new_baseline", quantities=("heat_energy",))
    turned: Status = {**told, "rolled_over": ("heat_energy",)}
    for word, turn in ((told, None), (turned, Decimal(10000))):
        rows = taken(energy(T0, "9999.95"), word, energy(T0 + 900, "0.05"))
        assert [row.modulus for row in rows if isinstance(row, RestartRow)] == [turn]
    assert one_turn(Decimal("9.9"), Decimal("0.1")) is None
    assert one_turn(Decimal("9999"), Decimal(0)) is None
    assert one_turn(Decimal("8999"), Decimal("0.1")) is None
    assert one_turn(Decimal("9999"), Decimal(5000)) is None


def test_a_baseline_that_the_guard_took_is_no_use() -> None:
    rows = taken(
        energy(T0, "5"),
        status(T0 + 900, "new_baseline", quantities=("heat_energy",)),
        energy(T0 + 900, "70000"),
        energy(T0 + 1800, "70001"),
    )
    assert [row.time - T0 for row in rows if isinstance(row, RestartRow)] == [900]


def test_another_device_begins_a_segment_with_its_serial_number() -> None:
    rows = taken(
        info(T0, "111"),
        energy(T0, "500"),
        energy(T0 + 3, "501"),
        info(T0 + 900, "222"),
        status(T0 + 900, "meter_replaced"),
        energy(T0 + 900, "1"),
        status(T0 + 950, "meter_replaced"),
    )
    segments = [(row.time - T0, row.serial_number) for row in rows if isinstance(row, SegmentRow)]
    assert segments == [(0, "111"), (900, "222")]
    # The last of the old device is kept before the segment of the new one.
    kinds = [type(row) for row in rows if not isinstance(row, EventRow)]
    assert kinds == [SegmentRow, CounterRow, CounterRow, SegmentRow, CounterRow]


def test_leading_zeros_begin_no_segment() -> None:
    rows = taken(info(T0, "111"), energy(T0, "500"), info(T0 + 900, "000111"), energy(T0 + 900, "501"))
    assert [row.serial_number for row in rows if isinstance(row, SegmentRow | SerialRow)] == ["111"]


def test_a_serial_number_that_comes_later_belongs_to_the_device() -> None:
    rows = taken(energy(T0, "5"), info(T0 + 5, "111"), energy(T0 + 10, "5"))
    assert [type(row) for row in rows] == [SegmentRow, CounterRow, SerialRow]


def test_a_device_that_was_replaced_while_nobody_looked() -> None:
    stored = {"heat": StoredMeter("111", {"heat_energy": StoredCounter("kWh", T0 - 900, Decimal(500))})}
    same = taken(info(T0, "111"), energy(T0, "501"), intake=Intake(stored))
    assert [type(row) for row in same] == [CounterRow]
    other = taken(info(T0, "222"), energy(T0, "700"), intake=Intake(stored))
    assert [type(row) for row in other] == [SegmentRow, CounterRow]
    fallen = taken(energy(T0, "3"), intake=Intake(stored))
    assert [type(row) for row in fallen] == [RestartRow, CounterRow]


def test_gauges_are_kept_by_the_hour_and_in_parts_of_it() -> None:
    def power(time: int, value: str, unit: str = "kW") -> Message:
        return reading(time, {"power": (value, unit)})

    intake = Intake({})
    rows = taken(power(T0, "1.5"), power(T0 + 1800, "0.5"), intake=intake)
    rows += intake.flush()
    rows += taken(power(T0 + 3000, "4.0"), power(T0 + 3600, "2.0"), power(T0 + 3700, "3", "W"), intake=intake)
    rows += intake.close()
    hours = [
        (row.hour - T0, row.unit, row.n, row.low, row.high, row.total)
        for row in rows
        if isinstance(row, GaugeRow)
    ]
    assert hours == [
        (0, "kW", 2, Decimal("0.5"), Decimal("1.5"), Decimal("2.0")),
        (0, "kW", 1, Decimal("4.0"), Decimal("4.0"), Decimal("4.0")),
        (3600, "kW", 1, Decimal("2.0"), Decimal("2.0"), Decimal("2.0")),
        (3600, "W", 1, Decimal(3), Decimal(3), Decimal(3)),
    ]


def test_what_is_kept_of_which_quantity() -> None:
    assert all(is_counter(key) for key in ("heat_energy", "gas_volume", "volume_times_flow_temperature"))
    assert all(is_gauge(key) for key in ("power", "flow_temperature", "active_power_import"))
    assert not any(
        is_counter(key) or is_gauge(key) for key in ("voltage_l1", "serial_number", "register_999")
    )


def test_what_counts_hours_is_kept_by_the_day() -> None:
    rows = taken(*(reading(T0 + 3600 * n, {"operating_hours": (Decimal(n), "h")}) for n in range(49)))
    assert [time // 86400 for time, _ in counters(rows)] == [0, 1, 2]


def test_a_line_that_comes_and_goes_does_not_fill_the_file() -> None:
    messages: list[Message] = []
    for second in range(0, 3000, 10):
        messages += [status(T0 + second, "port_lost", state="offline"), energy(T0 + second + 5, "1")]
        messages.append(status(T0 + second + 6, ""))
    told = [row for row in taken(*messages) if isinstance(row, EventRow)]
    assert len(told) == EVENTS_AN_HOUR
    assert [row.kind for row in told[:2]] == ["port_lost", "online"]


def test_a_clock_that_is_ahead_makes_no_row_of_a_time_to_come() -> None:
    gas = {"gas_volume": (Decimal(5), "m³")}
    rows = taken(*(reading(T0 + n, gas, measured_at=T0 + 3600) for n in (0, 10)))
    assert counters(rows) == [(0, Decimal(5))]


def test_an_older_time_with_the_same_value_is_nothing_to_be_told() -> None:
    intake = Intake({})
    gas = {"gas_volume": (Decimal(5), "m³")}
    taken(reading(T0, gas, measured_at=T0 - 60), reading(T0, gas, measured_at=T0 - 600), intake=intake)
    assert intake.passed_over == 0


def test_a_baseline_is_waited_for_until_the_quantity_comes() -> None:
    intake = Intake({})
    taken(energy(T0, "5"), intake=intake)
    taken(status(T0 + 10, "new_baseline", quantities=("heat_energy",)), intake=intake)
    taken(reading(T0 + 20, {"flow_temperature": ("60", "°C")}), intake=intake)
    rows = taken(energy(T0 + 30, "90000"), intake=intake)
    assert [type(row) for row in rows] == [RestartRow, CounterRow]


def test_ten_readings_a_second_are_none_too_many() -> None:
    intake = Intake({})
    rows = taken(*(energy(T0 + n // 10, Decimal(n)) for n in range(40)), intake=intake)
    assert (counters(rows), intake.passed_over) == ([(0, Decimal(0))], 0)
    assert counters(intake.close()) == [(3, Decimal(39))]
