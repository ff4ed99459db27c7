"""The guard of one meter: values that stay out of range, and infos without a serial number."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from smart_meter_reader.guard.meter import MeterGuard
from smart_meter_reader.guard.rebased import Rebased, tell_changes
from smart_meter_reader.guard.rules import MeterPolicy
from smart_meter_reader.messages import Info, Message, Reading, Status

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def guard() -> MeterGuard:
    policy = MeterPolicy()
    return MeterGuard("heat", policy, policy.rules(), None)


def warm(minute: int, degrees: int) -> Reading:
    return {
        "type": "reading",
        "meter": "heat",
        "time": NOON + timedelta(minutes=minute),
        "measurements": {"flow_temperature": {"value": Decimal(degrees), "unit": "°C"}},
    }


def details(messages: list[Message]) -> list[str]:
    return [message["detail"] for message in messages if message["type"] == "status"]


def test_a_value_that_stays_out_of_range_is_told_then_left_out_then_believed_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    meter = guard()
    says = "flow_temperature 999 °C held back: believable is -50 to 200 °C"
    for minute in range(3):
        assert details(meter.check_reading(warm(minute, 999))) == [says] * (minute == 0)
    caplog.clear()
    for minute in range(3, 9):
        assert not [each for each in meter.check_reading(warm(minute, 999)) if each["type"] == "reading"]
        assert "is left out from now on" in caplog.text
    left_out = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len(left_out) == 1
    assert "flow_temperature stays at 999 °C and is left out from now on" in left_out[0]
    assert meter.check_reading(warm(9, 20)) == [warm(9, 20)]
    assert details(meter.check_reading(warm(10, 999))) == [says], "it counts from the beginning"


def test_a_believable_value_ends_the_doubt() -> None:
    meter = guard()
    meter.check_reading(warm(0, 999))
    told, passed = meter.check_reading(warm(1, 20))
    assert told["type"] == "status"
    assert (told["reason"], told["detail"]) == ("", "readings arrive")
    assert passed == warm(1, 20)


def test_an_info_without_a_serial_number_changes_nothing() -> None:
    meter = guard()
    without: Info = {"type": "info", "meter": "heat", "time": NOON}
    assert meter.check_info(without) == [without]
    assert meter.memory.serials == {}
    named: Info = {"type": "info", "meter": "heat", "time": NOON, "serial_number": "1"}
    before = meter.revision
    assert meter.check_info(named) == [named]
    assert meter.revision > before, "what is remembered has changed"
    assert meter.check_info(without) == [without]
    assert meter.memory.serials == {"info": "1"}


def test_a_believable_reading_gives_the_next_doubt_all_its_rereads() -> None:
    meter = guard()
    meter.check_reading(warm(0, 999))
    meter.check_reading(warm(1, 20))
    asked = []
    for minute in range(2, 5):
        meter.check_reading(warm(minute, 999))
        asked.append(meter.wants_reread)
    assert asked == [True, True, True]


def counted(minute: int, **values: str) -> Reading:
    """Totals as text, by quantity; of heat energy in kWh, of all others in hours."""
    return {
        "type": "reading",
        "meter": "heat",
        "time": NOON + timedelta(minutes=minute),
        "measurements": {
            key: {"value": Decimal(value), "unit": "kWh" if key == "heat_energy" else "h"}
            for key, value in values.items()
        },
    }


def test_only_what_is_doubted_now_asks_for_another_reading() -> None:
    meter = guard()
    asked = [meter.wants_reread]
    # After the second one the doubt stays, for nothing new is known of it.
    for reading in (warm(0, 999), counted(1, heat_energy="100.0")):
        meter.check_reading(reading)
        asked.append(meter.wants_reread)
    assert asked == [False, True, False]


def test_a_value_that_is_left_out_asks_for_no_reading_and_leaves_the_rereads_to_others() -> None:
    meter = guard()
    meter.check_reading(counted(0, heat_energy="100.0"))
    asked = []
    for reading in (*(warm(minute, 999) for minute in range(1, 8)), counted(9, heat_energy="50.0")):
        meter.check_reading(reading)
        asked.append(meter.wants_reread)
    assert asked == [True] * 3 + [False] * 4 + [True]


def test_what_was_remembered_is_of_the_meter_with_the_same_number() -> None:
    meter = guard()
    meter.check_info({"type": "info", "meter": "heat", "time": NOON, "serial_number": "1"})
    meter.check_reading(counted(0, heat_energy="100.0"))
    policy = MeterPolicy()
    again = MeterGuard("heat", policy, policy.rules(), meter.memory)
    known = [again.knows_totals]
    same = again.check_info({"type": "info", "meter": "heat", "time": NOON, "serial_number": "1"})
    assert details(same) == []
    (other, *_) = details(
        again.check_info({"type": "info", "meter": "heat", "time": NOON, "serial_number": "2"})
    )
    assert "the serial number was 1 and is 2 now" in other
    assert [*known, again.knows_totals] == [True, False]
    at_once = MeterGuard("heat", policy, policy.rules(), meter.memory)
    assert details(
        at_once.check_info({"type": "info", "meter": "heat", "time": NOON, "serial_number": "2"})
    ) == [other]
    off = MeterGuard("heat", policy, {}, meter.memory)
    assert not off.knows_totals, "without rules there is nothing to judge by it"


def test_doubts_that_agree_are_counted_over_a_restart() -> None:
    policy = MeterPolicy()
    meter = MeterGuard("heat", policy, policy.rules(), None)
    meter.check_reading(counted(0, heat_energy="100.0"))
    for minute in (1, 2):
        assert not passes(meter, counted(minute, heat_energy="50.0"))
        meter = MeterGuard("heat", policy, policy.rules(), meter.memory)
    assert passes(meter, counted(3, heat_energy="50.0"))


def passes(meter: MeterGuard, reading: Reading) -> bool:
    return reading in meter.check_reading(reading)


def test_a_doubt_after_another_meter_came_is_told() -> None:
    meter = guard()
    meter.check_info({"type": "info", "meter": "heat", "time": NOON, "serial_number": "1"})
    meter.check_reading(warm(0, 999))
    meter.check_info({"type": "info", "meter": "heat", "time": NOON, "serial_number": "2"})
    assert len(details(meter.check_reading(warm(1, 999)))) == 1


def test_only_totals_whose_digits_were_used_up_are_told_as_rolled_over() -> None:
    status = online()
    tell_changes(status, {"a": Rebased("a went"), "b": Rebased("b went", rolled_over=True)})
    assert (status["quantities"], status["rolled_over"]) == (("a", "b"), ("b",))


def test_a_doubt_that_is_not_judged_on_another_kind_of_line_is_none_any_more() -> None:
    policy = MeterPolicy(checksummed=False)
    meter = MeterGuard("heat", policy, policy.rules(), None)
    meter.check_reading(counted(0, operating_hours="100"))
    assert details(meter.check_reading(counted(1, operating_hours="50")))
    meter.judge_line(checksummed=True)
    (told,) = meter.check_status(online())
    assert told["type"] == "status"
    assert told["reason"] == ""


def online() -> Status:
    return {"type": "status", "meter": "heat", "time": NOON, "state": "online", "reason": "", "detail": ""}


def test_doubts_that_are_still_judged_outlive_another_kind_of_line() -> None:
    policy = MeterPolicy(checksummed=False)
    meter = MeterGuard("heat", policy, policy.rules(), None)
    meter.check_reading(warm(0, 999))
    meter.judge_line(checksummed=True)
    (told,) = meter.check_status(online())
    assert told["type"] == "status"
    assert told["reason"] == "implausible_value"


def behind_transformers(minute: int, kilowatts: str, total: str) -> Reading:
    return {
        "type": "reading",
        "meter": "heat",
        "time": NOON + timedelta(minutes=minute),
        "measurements": {
            "active_power_import": {"value": Decimal(kilowatts), "unit": "kW"},
            "active_energy_import": {"value": Decimal(total), "unit": "kWh"},
            "voltage_l1": {"value": Decimal(230), "unit": "V"},
        },
    }


@pytest.mark.parametrize("checksummed", [True, False])
def test_what_current_transformers_multiply_may_be_so_much_more(*, checksummed: bool) -> None:
    # remne/p1ib#69: an E360 behind transformers; here 500/5 A, at 4 MW.
    meter = guard()
    info: Info = {"type": "info", "meter": "heat", "time": NOON, "transformer_ratio": Decimal(100)}
    assert meter.check_info(info) == [info]
    meter.judge_line(checksummed=checksummed)
    for minute in range(0, 60, 15):
        sent = behind_transformers(minute, "4000.0", f"{1_000_000 + minute * 66}.0")
        assert meter.check_reading(sent) == [sent]


@pytest.mark.parametrize(
    ("ratio", "kilowatts", "most"),
    [("100", "100001", 100_000), ("2", "2001", 2000), ("1", "4000", 1000), ("", "1001", 1000)],
)
def test_what_not_even_transformers_make_is_held_back(ratio: str, kilowatts: str, most: int) -> None:
    meter = guard()
    info: Info = {"type": "info", "meter": "heat", "time": NOON}
    if ratio:
        info["transformer_ratio"] = Decimal(ratio)
    meter.check_info(info)
    told, passed = meter.check_reading(behind_transformers(0, kilowatts, "1000000"))
    assert f"believable is -{most} to {most} kW" in details([told])[0]
    assert passed["type"] == "reading"
    assert passed["measurements"].keys() == {"active_energy_import", "voltage_l1"}
