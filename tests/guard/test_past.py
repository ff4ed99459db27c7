"""What was read back from a meter's memory passes the guard: it contradicts nothing, and changes nothing."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.guard.past import judge_past
from smart_meter_reader.guard.rules import MeterPolicy, Total
from smart_meter_reader.messages import Message, Past, PastRow
from smart_meter_reader.quantities.measurement import Measurement
from tests.guard.test_guard import HOUR, START, Line, energy, info, status

DAY = 24


def row(hours: float, value: str | None, **others: tuple[str, str]) -> PastRow:
    """The heat energy in GJ at an hour, and what else there is."""
    told = ({} if value is None else {"heat_energy": (value, "GJ")}) | others
    measurements: dict[str, Measurement] = {
        key: {"value": Decimal(number), "unit": unit} for key, (number, unit) in told.items()
    }
    return {"measured_at": START + hours * HOUR, "measurements": measurements}


def past(*rows: PastRow, read: float = 10 * DAY, serial: str = "") -> Past:
    told: Past = {
        "type": "past",
        "meter": "heat",
        "time": START + read * HOUR,
        "logger": "hour",
        "receipt": "1",
        "rows": rows,
    }
    if serial:
        told["serial_number"] = serial
    return told


def passed(messages: list[Message]) -> list[tuple[float, dict[str, str]]]:
    """The rows that came out, as hours and values."""
    (message,) = messages
    assert message["type"] == "past"
    assert message["receipt"] == "1"
    return [
        (
            (each["measured_at"] - START) / HOUR,
            {key: str(m["value"]) for key, m in each["measurements"].items()},
        )
        for each in message["rows"]
    ]


def test_rows_that_go_with_what_the_meter_shows_pass_as_they_are() -> None:
    line = Line()
    line.send(energy(9 * DAY, "100.5"))
    before = line.guard.memory()
    sent = past(row(1, "99.0"), row(2, "99.1"), row(3, "100.5"))
    assert line.send(sent) == [sent]
    assert line.guard.memory() == before
    assert line.guard.rejected("heat") == 0


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ([(1, "99"), (2, "0"), (3, "99.2")], [1, 3]),  # too little
        ([(1, "99"), (2, "100.4"), (3, "99.2")], [1, 3]),  # too much, though less than now
        ([(1, "0"), (2, "99"), (3, "99.2")], [2, 3]),  # the first
        ([(1, "99"), (2, "99.2"), (3, "102")], [1, 2]),  # above what it shows now
        ([(2, "99"), (1, "99"), (3, "99.2")], [2, 3]),  # not in order
        ([(1, "99"), (1, "99.1"), (3, "99.2")], [1, 3]),  # twice one time
        ([(1, "99"), (2, "99.1"), (10 * DAY + 1, "99.2")], [1, 2]),  # to come
        ([(1, "1E+30"), (2, "99.1")], [2]),
        ([(1, "102"), (2, "103")], []),
    ],
)
def test_a_row_that_contradicts_costs_itself_alone(
    rows: list[tuple[float, str]], left: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    line = Line()
    line.send(energy(9 * DAY, "100.5"))
    before = line.guard.memory()
    out = line.send(past(*(row(*each) for each in rows)))
    assert [hours for hours, _ in passed(out)] == left
    assert line.guard.memory() == before
    assert line.guard.rejected("heat") == len(rows) - len(left)
    (said,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert "of its hour logger held back: heat_energy" in said.getMessage()
    # It is counted with the next status, and doubts no value of now.
    (told,) = line.send(status(10 * DAY, "online"))
    assert told["type"] == "status"
    assert told["reason"] == ""
    assert told["health"]["rejected_values"] == len(rows) - len(left)
    assert line.send(energy(9 * DAY + 1, "100.5"))[-1]["type"] == "reading"


def test_rows_after_the_newest_reading_go_on_from_it() -> None:
    """After an outage the memory may be read before the first reading is."""
    line = Line()
    line.send(energy(0, "100.0"))
    out = line.send(past(row(-1, "99.9"), row(1, "100.1"), row(2, "90.0"), row(3, "100.2")))
    assert [hours for hours, _ in passed(out)] == [-1, 1, 3]


def test_a_quantity_that_is_not_read_now_is_judged_among_its_rows() -> None:
    line = Line()
    line.send(energy(9 * DAY, "100.5"))
    rows = [row(hours, None, volume=(value, "m³")) for hours, value in ((1, "5"), (2, "4000"), (3, "5.1"))]
    assert [hours for hours, _ in passed(line.send(past(*rows)))] == [1, 3]


def test_only_the_value_that_cannot_be_is_taken_out() -> None:
    line = Line()
    line.send(energy(9 * DAY, "100.5"))
    out = line.send(
        past(
            row(1, "99", flow_temperature=("2000", "°C")),
            row(2, "200", flow_temperature=("70.1", "°C")),
            row(3, "99.1", flow_temperature=("70.2", "°C")),
        )
    )
    assert passed(out) == [
        (1, {"heat_energy": "99"}),
        (2, {"flow_temperature": "70.1"}),
        (3, {"heat_energy": "99.1", "flow_temperature": "70.2"}),
    ]


MINUTE = 1 / 60


@pytest.mark.parametrize(("late", "passes"), [(4, True), (5, True), (6, False)])
def test_a_meters_clock_may_be_five_minutes_fast(late: int, passes: bool) -> None:
    line = Line()
    line.send(energy(0, "100.0"))
    out = line.send(past(row(1, "100.1"), row(2 + late * MINUTE, "100.2"), read=2))
    assert len(passed(out)) == 1 + passes


def test_a_row_of_the_moment_that_was_read_shows_no_more_than_was_read() -> None:
    line = Line()
    line.send(energy(5, "100.5"))
    assert passed(line.send(past(row(4, "100.5"), row(5, "100.6")))) == [(4, {"heat_energy": "100.5"})]


def test_what_is_refused_says_when_it_was_and_why() -> None:
    shown = {"heat_energy": Total(Decimal("100.5"), "GJ", START + 5 * HOUR)}
    sent = past(
        row(1, "99.0", flow_temperature=("2000", "°C")),
        row(4, "200.0"),
        row(6, "90.0"),
        row(7, "1E+16"),
    )
    refused = judge_past(sent, MeterPolicy().rules(), shown).refused
    assert [str(each) for each in refused] == [
        "heat_energy 200.0 GJ of 2026-01-01 04:00 UTC: a total does not fall; "
        "it is 100.5 GJ at 2026-01-01 05:00 UTC",
        "heat_energy 90.0 GJ of 2026-01-01 06:00 UTC: a total does not fall; "
        "it was 100.5 GJ at 2026-01-01 05:00 UTC",
        "heat_energy 10000000000000000 GJ of 2026-01-01 07:00 UTC: no meter counts so far; "
        "it was 100.5 GJ at 2026-01-01 05:00 UTC",
        "flow_temperature 2000 °C of 2026-01-01 01:00 UTC: believable is -50 to 200 °C",
    ]
    alone = judge_past(past(row(7, "1E+16")), MeterPolicy().rules(), {}).refused
    assert str(alone[0]).endswith(": no meter counts so far")


def test_another_unit_is_judged_as_for_readings() -> None:
    line = Line()
    line.send(energy(9 * DAY, "100.5"))
    sent = past(
        {"measured_at": START, "measurements": {"heat_energy": {"value": Decimal("27.9"), "unit": "MWh"}}},
        {"measured_at": START + HOUR, "measurements": {"heat_energy": {"value": Decimal(1), "unit": "m³"}}},
    )
    assert [hours for hours, _ in passed(line.send(sent))] == [0]


def test_rows_of_another_device_do_not_pass(caplog: pytest.LogCaptureFixture) -> None:
    line = Line()
    line.send(info(0, "1"), energy(0, "100"))
    assert passed(line.send(past(row(-1, "99"), serial="1")))
    assert passed(Line().send(past(row(-1, "99"), serial="1"))), "nothing else is known of this meter"
    line.send(info(9 * DAY, "2"), energy(9 * DAY, "5"))
    assert line.send(past(row(-1, "99"), serial="1")) == []
    assert "of another serial number and held back" in caplog.text
    assert [hours for hours, _ in passed(line.send(past(row(-1, "4"), serial="2")))] == [-1]
    assert [hours for hours, _ in passed(line.send(past(row(-1, "4"))))] == [-1]


def test_without_a_guard_all_passes() -> None:
    line = Line(mode="off")
    sent = past(row(1, "99"), row(2, "3"))
    assert line.send(sent) == [sent]


VALUES = st.integers(0, 2000).map(lambda tenths: str(Decimal(tenths).scaleb(-1)))


@given(st.lists(st.tuples(st.integers(-50, 60), VALUES), max_size=12), st.one_of(st.none(), VALUES))
def test_what_passes_never_falls_and_the_guard_stays_as_it_was(
    rows: list[tuple[int, str]], now: str | None
) -> None:
    line = Line()
    line.send(status(0, "online") if now is None else energy(0, now))
    before = line.guard.memory()
    out = passed(line.send(past(*(row(*each) for each in rows), read=50)))
    times = [hours for hours, _ in out]
    values = [Decimal(told["heat_energy"]) for _, told in out]
    assert times == sorted(set(times))
    assert values == sorted(values)
    if now is not None:
        assert all(v <= Decimal(now) for t, v in zip(times, values, strict=True) if t <= 0)
        assert all(v >= Decimal(now) for t, v in zip(times, values, strict=True) if t > 0)
    assert all(hours <= 50 for hours in times)
    assert line.guard.rejected("heat") == len(rows) - len(out)
    assert line.guard.memory() == before
