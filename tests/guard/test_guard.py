"""The counter guard: what reaches the sinks, what is held back, and that it never gets stuck."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.guard.guard import Guard, MeterPolicy
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.messages import Info, Message, Reading, Status
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.quantities.measurement import Measurement

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def reading(after: timedelta, meter: str = "heat", **values: tuple[Any, str]) -> Reading:
    measurements: dict[str, Measurement] = {
        key: {"value": Decimal(value) if isinstance(value, str) else value, "unit": unit}
        for key, (value, unit) in values.items()
    }
    return {"type": "reading", "meter": meter, "time": START + after, "measurements": measurements}


def energy(hours: float, value: str, unit: str = "GJ") -> Reading:
    return reading(timedelta(hours=hours), heat_energy=(value, unit))


def info(hours: float, serial: str, meter: str = "heat") -> Info:
    return {"type": "info", "meter": meter, "time": START + hours * HOUR, "serial_number": serial}


def status(hours: float, state: Any, reason: str = "", detail: str = "") -> Status:
    return {
        "type": "status",
        "meter": "heat",
        "time": START + hours * HOUR,
        "state": state,
        "reason": reason,
        "detail": detail,
    }


class Line:
    """A guard of one meter `heat`, and what came out of it."""

    def __init__(self, *, checksummed: bool = True, **settings: Any) -> None:
        self.rereads: list[str] = []
        policy = MeterPolicy(GuardSettings(**settings), checksummed=checksummed, origin="port")
        self.policies = {"heat": policy}
        self.guard = Guard(self.policies, reread=self.rereads.append)
        self.out: list[Message] = []

    def send(self, *messages: Message) -> list[Message]:
        """What comes out for these messages."""
        out = [each for message in messages for each in self.guard.check(message)]
        self.out += out
        return out


def values(messages: list[Message], key: str = "heat_energy") -> list[str]:
    """The published values of one quantity, as text."""
    return [
        str(message["measurements"][key]["value"])
        for message in messages
        if message["type"] == "reading" and key in message["measurements"]
    ]


def statuses(messages: list[Message]) -> list[tuple[str, str]]:
    return [(message["state"], message["reason"]) for message in messages if message["type"] == "status"]


def test_believable_readings_pass_as_the_very_same_objects() -> None:
    line = Line()
    sent: list[Message] = [energy(hour, f"{100 + hour / 100:.2f}") for hour in range(10)]
    out = line.send(*sent)
    assert [id(message) for message in out] == [id(message) for message in sent]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("99.99", "does not fall"),
        ("0.00", "does not become zero"),
        ("2685589.12", "a jump beyond"),
    ],
)
def test_a_wrong_total_is_held_back_counted_told_and_read_again(wrong: str, says: str) -> None:
    line = Line()
    line.send(status(0, "online"), energy(0, "100.00"))
    out = line.send(energy(1, wrong))
    assert values(out) == []
    assert statuses(out) == [("online", "implausible_value")]
    (told,) = out
    assert told["type"] == "status"
    assert says in told["detail"]
    assert told["health"]["rejected_values"] == 1
    assert line.rereads == ["heat"]
    out = line.send(energy(1.001, "100.01"))
    assert statuses(out) == [("online", "")]
    assert values(out) == ["100.01"]


def test_only_the_wrong_value_is_missing_from_the_reading() -> None:
    line = Line()
    line.send(reading(0 * HOUR, heat_energy=("100.00", "GJ"), volume=("50.0", "m³")))
    wrong = reading(HOUR, heat_energy=("1.00", "GJ"), volume=("50.1", "m³"))
    wrong["objects"] = {"0-0:6.8.0": wrong["measurements"]["heat_energy"]}
    told, left = line.send(wrong)
    assert told["type"] == "status"
    assert left["type"] == "reading"
    assert list(left["measurements"]) == ["volume"]
    assert "objects" not in left, "they have the held back value once more"
    assert list(wrong["measurements"]) == ["heat_energy", "volume"], "messages are never changed"


def test_a_pause_is_not_a_jump() -> None:
    line = Line()
    out = line.send(energy(0, "100.00"), energy(24 * 60, "150.00"))
    assert values(out) == ["100.00", "150.00"]


def test_a_coarse_meter_may_make_one_step_at_any_time() -> None:
    line = Line(energy_per_hour=Decimal(1))
    out = line.send(energy(0, "100"), energy(0.001, "101"))
    assert values(out) == ["100", "101"]


def test_thresholds_are_absolute_and_in_the_meters_unit() -> None:
    line = Line(energy_threshold=Decimal("0.5"), volume_threshold=Decimal(2))
    start = reading(0 * HOUR, heat_energy=("10.0", "GJ"), volume=("10.0", "m³"))
    later = reading(1000 * HOUR, heat_energy=("10.5", "GJ"), volume=("12.1", "m³"))
    out = line.send(start, later)
    assert values(out, "heat_energy") == ["10.0", "10.5"]
    assert values(out, "volume") == ["10.0"]


def test_readings_that_agree_become_the_new_baseline_which_is_told() -> None:
    line = Line()
    line.send(energy(0, "5000.00"))
    out = line.send(*(energy(hour, f"100.0{hour}") for hour in range(1, 6)))
    assert values(out) == ["100.03", "100.04", "100.05"]
    assert statuses(out) == [("online", "implausible_value"), ("online", "new_baseline")]
    assert line.guard.rejected("heat") == 2


def test_what_no_meter_counts_is_held_back_even_at_first_and_for_ever() -> None:
    line = Line()
    assert values(line.send(*(energy(hour, "4E+72") for hour in range(5)))) == []
    assert statuses(line.out) == [("online", "implausible_value")]
    assert values(line.send(energy(5, "303.399"), energy(6, "4E+72"), energy(7, "303.400"))) == [
        "303.399",
        "303.400",
    ]
    assert not line.guard.memory()["heat"].candidates


def test_zero_in_a_coarser_resolution_is_zero_all_the_same() -> None:
    line = Line()
    assert values(line.send(energy(0, "303.399"), energy(1, "0E+3"), energy(2, "303.4"))) == [
        "303.399",
        "303.4",
    ]


def test_baselines_that_follow_each_other_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    line = Line()
    for turn in range(20):
        line.send(*(energy(turn / 100, "50.0" if turn % 2 else "900.0") for _ in range(4)))
        line.send(info(turn / 100, str(turn)))
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert 1 <= len([line for line in told if "new baseline" in line]) <= 5
    assert len([line for line in told if "serial number" in line]) == 5


def test_one_counter_reset_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Totals that begin anew together have one cause; so has the doubt of all of them before."""
    keys = (
        "heat_energy",
        "cooling_energy",
        "heat_energy_a1",
        "heat_energy_a2",
        "control_energy",
        "flow_energy",
    )
    line = Line()
    for hour, value in enumerate(("500.0", "1.0", "1.0", "1.0")):
        each: dict[str, Measurement] = {key: {"value": Decimal(value), "unit": "GJ"} for key in keys}
        line.send({**reading(timedelta(hours=hour)), "measurements": each})
    doubt, baseline = (r.getMessage() for r in caplog.records if r.levelname == "WARNING")
    assert doubt.count("held back") == baseline.count(" went from ") == len(keys)
    assert baseline.startswith("meter heat: new baseline: ")


def test_readings_that_do_not_agree_are_no_baseline() -> None:
    line = Line()
    line.send(energy(0, "5000.00"))
    out = line.send(*(energy(hour, value) for hour, value in enumerate(["9", "8", "7", "6"], start=1)))
    assert values(out) == []


def test_a_good_reading_in_between_begins_the_row_anew() -> None:
    line = Line()
    out = line.send(
        *(energy(n, value) for n, value in enumerate(["50.0", "1.0", "1.0", "50.0", "1.0", "1.0", "50.1"]))
    )
    assert values(out) == ["50.0", "50.0", "50.1"]


def test_a_value_that_comes_and_goes_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    line = Line()
    for second in range(0, 5400, 2):
        line.send(energy(second / 3600, "100.00"), energy((second + 1) / 3600, "99.00"))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4, "a doubt and its end, once an hour each"
    assert said[2].endswith("; 1799 more since it was last said")
    assert line.guard.rejected("heat") == 2700


def test_the_log_ends_with_what_is_true(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    line = Line(confirmations=100)
    line.send(energy(0, "100.00"), energy(0.1, "99.00"), energy(0.2, "100.00"))
    line.send(*(energy(hour / 10, f"{90 - hour / 10:.2f}") for hour in range(3, 30)))
    said = [record.getMessage() for record in caplog.records]
    assert ["held back" in each for each in said] == [True, False, True], "it came back, and stayed"
    line.send(energy(3, "100.01"))
    assert "believable again" in caplog.records[-1].getMessage()


def test_zeros_take_longer_to_be_believed() -> None:
    line = Line(zero_confirmation=HOUR)
    line.send(energy(0, "50.0"))
    assert values(line.send(*(energy(1 + second / 3600, "0.0") for second in range(3600)))) == []
    assert values(line.send(energy(2, "0.0"))) == ["0.0"]


def test_a_changed_serial_number_is_believed_at_once() -> None:
    line = Line()
    line.send(info(0, "111"), energy(0, "5000.00"))
    out = line.send(info(1, "222"), energy(1, "0.00"))
    assert statuses(out) == [("online", "meter_replaced")]
    assert values(out) == ["0.00"]


def test_a_meter_that_was_offline_when_it_was_changed_is_told_once_it_is_online() -> None:
    line = Line()
    line.send(status(0, "online"), info(0, "111"), energy(0, "5000.00"))
    out = line.send(status(1, "offline", "meter_silent"), info(2, "222"))
    assert statuses(out) == [("offline", "meter_silent")]
    out = line.send(status(2, "online"), energy(2, "0.00"), status(3, "online"))
    assert statuses(out) == [("online", "meter_replaced"), ("online", "")]
    assert values(out) == ["0.00"]


def test_a_serial_number_among_the_measurements_counts_too() -> None:
    line = Line()
    line.send(reading(0 * HOUR, serial_number=("111", ""), heat_energy=("500.0", "GJ")))
    out = line.send(reading(HOUR, serial_number=("222", ""), heat_energy=("0.1", "GJ")))
    assert statuses(out) == [("online", "meter_replaced")]
    assert values(out) == ["0.1"]


def test_without_a_checksum_one_odd_serial_number_is_damage() -> None:
    line = Line(checksummed=False)
    line.send(reading(0 * HOUR, serial_number=("111", ""), heat_energy=("500.0", "GJ")))
    out = line.send(reading(HOUR, serial_number=("191", ""), heat_energy=("0.1", "GJ")))
    assert values(out) == []


@pytest.mark.parametrize("confirmations", [2, 3, 5])
def test_without_a_checksum_a_serial_number_counts_when_it_is_told_so_often(confirmations: int) -> None:
    line = Line(checksummed=False, confirmations=confirmations)
    old, new = ("111", ""), ("191", "")
    line.send(*(reading(hour * HOUR, serial_number=old) for hour in range(9)))
    told = [line.send(reading(hour * HOUR, serial_number=new)) for hour in range(10, 10 + confirmations)]
    assert [statuses(out) for out in told] == [[]] * (confirmations - 1) + [[("online", "meter_replaced")]]


def test_a_unit_changed_at_the_meter_is_converted() -> None:
    line = Line()
    out = line.send(energy(0, "3.600", "GJ"), energy(1, "1000", "kWh"), energy(2, "1.001", "MWh"))
    assert values(out) == ["3.600", "1000", "1.001"]


def test_fewer_decimals_are_told_and_not_taken_for_a_fall(caplog: pytest.LogCaptureFixture) -> None:
    line = Line()
    out = line.send(energy(0, "12.345", "MWh"), energy(1, "12", "MWh"))
    assert values(out) == ["12.345", "12"]
    assert statuses(out) == []
    assert "heat_energy went from 12.345 MWh to 12 MWh: the meter tells it in coarser steps" in caplog.text


def test_a_pin_that_comes_and_goes_is_no_reset_and_a_reset_still_is_one() -> None:
    """Iskra MT631: 16786000 Wh without PIN, 16824856.5 Wh with it."""
    line = Line()
    fine = [energy(hour, f"{16_824_856 + 100 * hour}.5", "Wh") for hour in range(4)]
    coarse = [energy(hour, "16824E+3", "Wh") for hour in range(4)]
    out = line.send(coarse[0], fine[1], coarse[2], fine[3])
    assert values(out) == ["1.6824E+7", "16824956.5", "1.6824E+7", "16825156.5"]
    assert statuses(out) == []
    out = line.send(energy(4, "16823E+3", "Wh"))
    assert values(out) == []
    assert statuses(out) == [("online", "implausible_value")]
    out = line.send(energy(5, "1E+3", "Wh"))
    assert values(out) == []
    out = line.send(*(energy(hour, "1000.5", "Wh") for hour in (6, 7, 8)))
    assert statuses(out) == [("online", "new_baseline")]


def test_less_than_a_kilowatt_hour_without_the_pin_is_no_reset() -> None:
    """The export of a house without panels: 746.4 Wh with the PIN, 0 kWh without."""
    line = Line()
    out = line.send(energy(0, "746.4", "Wh"), energy(1, "0E+3", "Wh"), energy(2, "746.5", "Wh"))
    assert values(out) == ["746.4", "0E+3", "746.5"]
    assert statuses(out) == []
    # A whole kilowatt hour does not become nothing for being told in kilowatt hours.
    out = line.send(energy(3, "1000.0", "Wh"), energy(4, "0E+3", "Wh"))
    assert values(out) == ["1000.0"]
    assert statuses(out) == [("online", "implausible_value")]


def test_a_counter_out_of_digits_rolls_over_and_that_is_told() -> None:
    line = Line()
    out = line.send(energy(0, "9999.995"), energy(1, "0.004"))
    assert values(out) == ["9999.995", "0.004"]
    assert statuses(out) == [("online", "new_baseline")]
    (told,) = (message for message in out if message["type"] == "status")
    assert told["quantities"] == told["rolled_over"] == ("heat_energy",)


@pytest.mark.parametrize(
    ("last", "new"),
    [("4234.567", "0.000"), ("4234.567", "10.000"), ("8999.999", "0.001"), ("9999.995", "0.000")],
)
def test_a_long_pause_makes_no_roll_over(last: str, new: str) -> None:
    line = Line()
    assert values(line.send(energy(0, last), energy(1000, new))) == [last]


def test_few_digits_do_not_roll_over() -> None:
    line = Line()
    assert values(line.send(energy(0, "99.9"), energy(1, "0.1"))) == ["99.9"]


@pytest.mark.parametrize(("last", "believed"), [("9999.995", False), ("999999.995", True)])
def test_a_meter_that_shows_nine_digits_rolls_over_from_nine(last: str, believed: bool) -> None:
    """P1 writes 009999.995, and the number has no leading zeros."""
    guard = Guard({"heat": MeterPolicy(counter_digits=meter_driver("dsmr").counter_digits)})
    out = [each for message in (energy(0, last), energy(1, "0.004")) for each in guard.check(message)]
    assert values(out) == ([last, "0.004"] if believed else [last])


def test_high_resolution_registers_roll_over_as_they_like() -> None:
    line = Line()
    out = line.send(
        reading(0 * HOUR, heat_energy_high_resolution=("4567890.1", "Wh")),
        reading(HOUR, heat_energy_high_resolution=("12.3", "Wh")),
    )
    assert values(out, "heat_energy_high_resolution") == ["4567890.1", "12.3"]
    assert statuses(out) == []


def test_ranges_hold_back_the_value_and_give_up_the_alarm_after_a_while() -> None:
    line = Line()
    out = line.send(
        *(reading(n * HOUR, flow_temperature=("327.67", "°C"), power=("1.0", "kW")) for n in range(9))
    )
    assert values(out, "flow_temperature") == []
    assert values(out, "power") == ["1.0"] * 9
    assert statuses(out) == [("online", "implausible_value"), ("online", "")]
    assert len(line.rereads) == 3
    assert line.guard.rejected("heat") == 9
    out = line.send(reading(9 * HOUR, flow_temperature=("80.00", "°C")))
    assert values(out, "flow_temperature") == ["80.00"]


def test_flow_is_compared_in_its_own_unit() -> None:
    line = Line(flow_max=Decimal(2))
    out = line.send(
        reading(0 * HOUR, volume_flow=("2000", "l/h")), reading(HOUR, volume_flow=("2001", "l/h"))
    )
    assert values(out, "volume_flow") == ["2000"]


def test_rereads_stop_when_they_do_not_help() -> None:
    line = Line(confirmations=4)
    line.send(energy(0, "50.0"))
    line.send(*(energy(hour / 100, "0.0") for hour in range(1, 20)))
    assert len(line.rereads) == 4


def test_counters_that_are_no_totals_are_watched_without_a_checksum_only() -> None:
    hours = [reading(n * HOUR, operating_hours=(value, "h")) for n, value in enumerate((5000, 12))]
    assert values(Line().send(*hours), "operating_hours") == ["5000", "12"]
    assert values(Line(checksummed=False).send(*hours), "operating_hours") == ["5000"]
    assert values(Line(mode="all").send(*hours), "operating_hours") == ["5000"]


def test_off_lets_everything_pass() -> None:
    line = Line(mode="off")
    assert values(line.send(energy(0, "50.0"), energy(1, "0.0"))) == ["50.0", "0.0"]


def test_simulated_meters_are_watched_only_when_asked() -> None:
    messages = [energy(0, "50.0"), energy(1, "0.1")]
    guard = Guard({"heat": MeterPolicy(simulated=True)})
    assert [guard.check(message) for message in messages] == [[message] for message in messages]
    guard = Guard({"heat": MeterPolicy(GuardSettings(mode="all"), simulated=True)})
    assert values([each for message in messages for each in guard.check(message)]) == ["50.0"]


def test_the_clock_may_jump() -> None:
    line = Line()
    out = line.send(energy(0, "50.00"), energy(-500_000, "50.01"), energy(10, "50.02"), energy(2, "50.03"))
    assert values(out) == ["50.00", "50.01", "50.02", "50.03"]


@pytest.mark.parametrize("back", [HOUR, 24 * HOUR, 365 * 24 * HOUR], ids=str)
def test_a_rise_is_no_jump_because_the_clock_was_put_back(back: timedelta) -> None:
    line = Line()
    daily: Info = {**info(0, "1"), "interval": 86_400}
    line.send(daily, reading(0 * HOUR, heat_energy=("1000", "kWh")))
    out = line.send(
        reading(24 * HOUR - back, heat_energy=("1480", "kWh")),
        reading(48 * HOUR - back, heat_energy=("1960", "kWh")),
    )
    assert values(out) == ["1480", "1960"]
    # Beyond what the meter's rhythm allows it is one all the same.
    assert values(line.send(reading(48 * HOUR - 2 * back, heat_energy=("99999", "kWh")))) == []


@pytest.mark.parametrize("back", [HOUR, 24 * HOUR, 365 * 24 * HOUR], ids=str)
def test_doubts_pass_in_their_time_though_the_clock_was_put_back(back: timedelta) -> None:
    line = Line(zero_confirmation=3 * HOUR)
    line.send(energy(0, "50.0"), energy(1, "0.0"), energy(2, "0.0"))
    out = line.send(*(reading(n * HOUR - back, heat_energy=("0.0", "GJ")) for n in range(3, 8)))
    assert values(out)[-1:] == ["0.0"]


def test_one_status_tells_what_is_held_back_and_what_is_the_new_baseline() -> None:
    line = Line()
    line.send(reading(0 * HOUR, heat_energy=("500.0", "GJ"), volume=("500.0", "m³")))
    out = line.send(
        *(reading(n * HOUR, heat_energy=("1.0", "GJ"), volume=(f"{9 - n}", "m³")) for n in range(1, 4))
    )
    told = [message for message in out if message["type"] == "status"][-1]
    assert told["reason"] == "implausible_value"
    assert "heat_energy went from 500.0 GJ to 1.0 GJ" in told["detail"]
    assert "volume 6 m³ held back" in told["detail"]


def test_what_the_guard_says_leaves_the_state_that_others_told() -> None:
    line = Line()
    line.send(status(0, "alert", "wrong_key", "cannot decrypt"), energy(0, "9999.995"))
    (told, _) = line.send(energy(1, "0.004"))
    assert told["type"] == "status"
    assert (told["state"], told["reason"]) == ("alert", "wrong_key")
    assert told["detail"].startswith("cannot decrypt; heat_energy went from")


def test_statuses_pass_with_the_counter_and_the_reason_while_values_are_held_back() -> None:
    line = Line()
    line.send(energy(0, "50.0"), energy(1, "0.1"))
    (told,) = line.send(status(2, "online", detail="readings arrive"))
    assert told["type"] == "status"
    assert (told["state"], told["reason"]) == ("online", "implausible_value")
    offline = status(3, "offline", "no_answer", "the meter does not answer")
    offline["health"] = {"rejected_values": 5, "retries": 2}
    (told,) = line.send(offline)
    assert told["type"] == "status"
    assert (told["state"], told["reason"], told["detail"]) == (
        "offline",
        "no_answer",
        "the meter does not answer",
    )
    assert told["health"] == {"rejected_values": 6, "retries": 2}, "the client's own and the guard's"
    assert offline["health"] == {"rejected_values": 5, "retries": 2}


def test_doubts_about_a_quantity_that_is_no_longer_sent_are_forgotten() -> None:
    line = Line()
    line.send(energy(0, "50.0"), energy(1, "0.1"))
    assert statuses(line.send(reading(2 * HOUR, power=("1", "kW")))) == []
    assert statuses(line.send(reading(30 * HOUR, power=("1", "kW")))) == [("online", "")]


def test_the_memory_survives_a_restart() -> None:
    line = Line()
    line.send(info(0, "111"), energy(0, "50.0"))
    again = Line()
    again.guard = Guard(again.policies, line.guard.memory())
    assert values(again.send(info(1, "111"), energy(1, "0.1"))) == []
    assert values(again.send(info(2, "222"), energy(2, "0.1"))) == ["0.1"]


def test_the_memory_of_another_port_does_not_count() -> None:
    line = Line()
    line.send(energy(0, "50.0"))
    guard = Guard({"heat": MeterPolicy(origin="another port")}, line.guard.memory())
    assert values(guard.check(energy(1, "0.1"))) == ["0.1"]


def test_the_memory_of_meters_not_heard_of_is_kept() -> None:
    line = Line()
    line.send(energy(0, "50.0"))
    assert Guard(line.policies, line.guard.memory()).memory() == line.guard.memory()


def test_meters_on_the_m_bus_go_with_the_meter_that_brings_them() -> None:
    rereads: list[str] = []
    policies = {"p1": MeterPolicy(GuardSettings(volume_threshold=Decimal(1)))}
    guard = Guard(policies, reread=rereads.append)
    guard.check({**info(0, "1", meter="cellar"), "via": "p1"})
    for meter in ("cellar", "p1-gas"):
        assert guard.check(reading(0 * HOUR, meter, gas_volume=("10.0", "m³")))
        assert values(guard.check(reading(HOUR, meter, gas_volume=("11.1", "m³")))) == []
    assert rereads == ["p1", "p1"]


def test_text_and_unknown_quantities_pass() -> None:
    line = Line(checksummed=False)
    message = reading(0 * HOUR, heat_energy=("1", "GJ"), something_new=("7", "quux"))
    message["measurements"]["heat_energy"] = {"value": "n/a", "unit": ""}
    assert line.send(message) == [message]


def test_impossible_ranges_are_refused() -> None:
    with pytest.raises(ValueError, match=r"temperature_min \(5\) must be below temperature_max \(5\)"):
        GuardSettings(temperature_min=Decimal(5), temperature_max=Decimal(5))


# What a line without a checksum makes of a total, and what it does not.
ARBITRARY = st.decimals(min_value=0, max_value=10**8, places=2)
PAUSES = st.integers(min_value=1, max_value=100_000).map(lambda seconds: timedelta(seconds=seconds))


@given(st.lists(st.tuples(PAUSES, ARBITRARY), max_size=40), st.booleans())
def test_published_totals_never_fall_without_a_word(
    sent: list[tuple[timedelta, Decimal]], checksummed: bool
) -> None:
    line = Line(checksummed=checksummed)
    last, after = Decimal(-1), timedelta()
    for pause, value in sent:
        after += pause
        out = line.send(reading(after, heat_energy=(value, "GJ")))
        for published in map(Decimal, values(out)):
            told = any(state[1] == "new_baseline" for state in statuses(out))
            assert published >= last or told
            last = published
    published_or_counted = len(values(line.out)) + line.guard.rejected("heat")
    assert published_or_counted == len(sent), "nothing is lost without a counter"


@given(
    st.lists(st.tuples(PAUSES, ARBITRARY), max_size=20),
    ARBITRARY,
    st.integers(min_value=1, max_value=10),
)
def test_whatever_came_before_a_steady_meter_is_believed_in_the_end(
    before: list[tuple[timedelta, Decimal]], start: Decimal, confirmations: int
) -> None:
    line = Line(confirmations=confirmations, zero_confirmation=timedelta(minutes=1))
    after = timedelta()
    for pause, value in before:
        after += pause
        line.send(reading(after, heat_energy=(value, "GJ")))
    out: list[Message] = []
    for count in range(confirmations + 1):
        after += HOUR
        out = line.send(reading(after, heat_energy=(start + Decimal(count) / 100, "GJ")))
    assert values(out) == [str(start + Decimal(confirmations) / 100)]
    assert statuses(line.send(status(0, "online"))) == [("online", "")]


@given(
    st.lists(st.integers(min_value=0, max_value=20), min_size=1, max_size=30),
    st.sets(st.integers(min_value=1, max_value=29)),
    st.integers(min_value=1, max_value=3),
)
def test_single_damaged_readings_never_get_through(rises: list[int], damaged: set[int], digit: int) -> None:
    """Hourly readings in steps of 0.01 GJ; damage changes a leading digit, and never twice in a row."""
    line = Line(checksummed=False)
    total = Decimal("5555.00")
    expected: list[str] = []
    for hour, rise in enumerate(rises):
        total += Decimal(rise) / 100
        if hour in damaged and hour - 1 not in damaged:
            text = str(total)
            line.send(energy(hour, text[: digit - 1] + "9" + text[digit:]))
        else:
            line.send(energy(hour, str(total)))
            expected.append(str(total))
    assert values(line.out) == expected


NO_UNITS = ("kWh)\r\x1a1-0:1.8.2(22345.005*kWh", "k\x17h", "kVh", "°", "")


@pytest.mark.parametrize("unit", NO_UNITS)
def test_what_is_no_unit_never_becomes_one_by_repetition(unit: str) -> None:
    line = Line(checksummed=False)
    line.send(energy(0, "500.0", "kWh"))
    for number in range(1, 20):
        out = line.send(energy(number / 10, "500.1", unit))
        assert [message for message in out if message["type"] == "reading"] == []
    (told,) = [message for message in line.out if message["type"] == "status"]
    assert told["reason"] == "implausible_value"
    assert "It never counts" in told["detail"]
    assert line.send(energy(2, "500.2", "kWh"))[-1]["type"] == "reading"


def test_a_unit_that_was_none_gives_way_to_one() -> None:
    """What an earlier version had believed does not stay for ever."""
    line = Line(checksummed=False)
    line.send(energy(0, "500.0", "kWh)("))
    out = [line.send(energy(number / 10, "500.1", "kWh")) for number in (1, 2, 3)]
    assert [[message["type"] for message in each] for each in out] == [["status"], [], ["status", "reading"]]


def test_without_a_checksum_an_info_counts_with_the_readings_behind_it() -> None:
    """It is told once: three readings in a row that it holds for, and the meter is another one."""
    line = Line(checksummed=False)
    line.send(info(0, "111"), energy(0, "500.0"))
    assert [message["type"] for message in line.send(info(1, "191"))] == ["info"]
    assert line.send(energy(1, "500.1"))[-1]["type"] == "reading"
    line.send(info(1.1, "111"))  # it was damage
    line.send(info(2, "222"))
    assert statuses(line.send(energy(2, "0.1"))) == [("online", "implausible_value")]
    line.send(energy(2.1, "0.1"))
    out = line.send(energy(2.2, "0.1"))
    assert statuses(out) == [("online", "meter_replaced")]
    assert out[-1]["type"] == "reading"


def test_the_guard_asks_whether_there_is_a_checksum() -> None:
    """Of P1 only the telegrams show it: what the policy said at the start no longer counts."""
    checksummed = {"heat": True}
    guard = Guard({"heat": MeterPolicy()}, checksummed=checksummed.__getitem__)

    def types(message: Message) -> list[str]:
        return [each["type"] for each in guard.check(message)]

    assert types(energy(0, "500.0", "kWh")) == ["reading"]
    assert types(energy(1, "1400.0", "kWh")) == ["reading"]  # 900 kW: a large building
    checksummed["heat"] = False
    assert types(energy(2, "2300.0", "kWh")) == ["status"]
    assert types(reading(2 * HOUR, operating_hours=("100", "h"))) == ["reading"]
    assert types(reading(3 * HOUR, operating_hours=("50", "h"))) == ["status"]
    checksummed["heat"] = True
    assert types(reading(3 * HOUR, operating_hours=("20", "h")))[-1] == "reading"


@pytest.mark.parametrize(
    ("meter", "via", "parent"),
    [
        ("heat", None, "heat"),
        ("gas", "p1", "p1"),
        ("gas", "nobody", "gas"),
        ("gas", None, "gas"),
        ("p1-gas", None, "p1"),
        ("p1-upstairs-gas", None, "p1-upstairs"),
        ("p1x", None, "p1x"),
    ],
)
def test_a_meter_is_judged_as_the_configured_one_that_brings_it_along(
    meter: str, via: str | None, parent: str
) -> None:
    asked: list[str] = []
    names = ("heat", "p1", "p1-upstairs")
    guard = Guard({name: MeterPolicy() for name in names}, checksummed=asked.append)
    told = info(0, "1", meter)
    if via is not None:
        told["via"] = via
    assert guard.check(told) == [told]
    assert asked == [parent]
    # Also one that no settings name is guarded.
    guard.check(reading(HOUR, meter, heat_energy=("100.00", "GJ")))
    assert guard.check(reading(2 * HOUR, meter, heat_energy=("1.00", "GJ")))[0]["type"] == "status"


def test_leading_zeros_make_no_other_meter() -> None:
    """One answer of a meter has room for more of them than another."""
    line = Line()
    line.send(info(0, "12345"), energy(0, "5000.00"))
    out = line.send(info(1, "00012345"), energy(1, "5000.01"))
    assert (statuses(out), values(out)) == ([], ["5000.01"])
