"""Telegrams without checksum: how far a total may rise, what is near, and how contradictions end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.p1.agreement import Agreement, Judged
from smart_meter_reader.codecs.p1.telegram import Telegram, TelegramParser


def sent(*lines: str, header: str = "ISk5\\2MT382") -> Telegram:
    text = "\r\n".join(lines)
    return TelegramParser().parse(f"/{header}\r\n\r\n{text}\r\n!".encode("latin-1"), "absent")


def judge(*telegrams: Telegram, every: float = 10.0) -> list[Judged]:
    agreement = Agreement()
    return [agreement.take(each, number * every) for number, each in enumerate(telegrams)]


def confirmed(*telegrams: Telegram, every: float = 10.0) -> list[Telegram]:
    return [each.confirmed for each in judge(*telegrams, every=every) if each.confirmed is not None]


def goes_on(before: str, after: str, every: float = 10.0) -> bool:
    """Whether the line ``after`` can follow ``before``: then the second of two that say so has a witness."""
    return confirmed(sent(before), sent(after), sent(after), every=every) != []


@pytest.mark.parametrize(
    ("line", "before", "most", "too_much"),
    [
        # A hundredth of an hour at 100 kW or 100 kvar.
        ("1-0:1.8.1({}*kWh)", "001.000", "002.000", "002.001"),
        ("1-0:1.8.1({}*Wh)", "0001000", "0002000", "0002001"),
        ("1-0:1.8.1({}*MWh)", "1.0000", "1.0010", "1.0011"),
        ("1-0:1.8.1({}*GWh)", "1.0000000", "1.0000010", "1.0000011"),
        ("1-0:1.8.1({}*MJ)", "001.0", "004.6", "004.7"),
        ("1-0:1.8.1({}*kJ)", "001000", "004600", "004601"),
        ("1-0:1.8.1({}*GJ)", "1.0000", "1.0036", "1.0037"),
        ("1-0:3.8.0({}*kvarh)", "001.000", "002.000", "002.001"),
        ("1-0:3.8.0({}*varh)", "0001000", "0002000", "0002001"),
        ("1-0:3.8.0({}*Mvarh)", "1.0000", "1.0010", "1.0011"),
        # By one in its last place always.
        ("1-0:1.8.1({}*MWh)", "1.00", "1.01", "1.02"),
    ],
)
def test_a_total_rises_by_what_a_connection_can_bring(
    line: str, before: str, most: str, too_much: str
) -> None:
    assert goes_on(line.format(before), line.format(most), every=36.0)
    assert not goes_on(line.format(before), line.format(too_much), every=36.0)
    assert not goes_on(line.format(most), line.format(before), every=36.0)


def test_telegrams_that_waited_in_a_buffer_may_be_half_a_minute_apart() -> None:
    line = "1-0:1.8.1({}*kWh)"
    for every in (0.0, 10.0, 30.0):
        assert goes_on(line.format("001.0000"), line.format("001.8333"), every)
        assert not goes_on(line.format("001.0000"), line.format("001.8334"), every)
    assert goes_on(line.format("001.0000"), line.format("001.8334"), 31.0)


GAS_TIMED = "0-1:24.2.1({})({}*{})"
NOTHING = "700101010000W"
ONE, TWO = "240115200000W", "240115210000W"


def gas(time: str, reading: str, unit: str = "m3", kind: int = 3) -> Telegram:
    return sent(f"0-1:24.1.0({kind})", "0-1:96.1.0(3238)", GAS_TIMED.format(time, reading, unit))


def gas_goes_on(before: Telegram, after: Telegram) -> bool:
    return confirmed(before, after, after) != []


@pytest.mark.parametrize(
    ("before", "after", "right"),
    [
        ((ONE, "00100.000"), (TWO, "00125.000"), True),  # 25 m³ in the hour between the two
        ((ONE, "00100.000"), (TWO, "00125.001"), False),
        ((ONE, "00100.000"), (ONE, "00100.000"), True),
        ((ONE, "00100.000"), (ONE, "00100.001"), False),  # one moment, two readings
        ((TWO, "00100.000"), (ONE, "00100.001"), False),  # measured before it
        ((ONE, "100000", "dm3"), (TWO, "125000", "dm3"), True),
        ((ONE, "100000", "dm3"), (TWO, "125001", "dm3"), False),
        ((ONE, "001.000", "GJ", 4), (TWO, "001.360", "GJ", 4), True),
        ((ONE, "001.000", "GJ", 4), (TWO, "001.361", "GJ", 4), False),
    ],
)
def test_a_device_rises_by_what_its_own_clock_allows(
    before: tuple[str, ...], after: tuple[str, ...], right: bool
) -> None:
    assert gas_goes_on(gas(*before), gas(*after)) is right  # type: ignore[arg-type]


def test_a_device_without_a_clock_rises_by_what_an_hour_brings() -> None:
    def untimed(reading: str) -> Telegram:
        return sent("0-1:24.1.0(3)", f"0-1:24.2.1({reading}*m3)")

    assert gas_goes_on(untimed("00100.000"), untimed("00125.000"))
    assert not gas_goes_on(untimed("00100.000"), untimed("00125.001"))


def test_a_device_whose_clock_was_set_rises_by_what_an_hour_brings() -> None:
    for reading, right in (("00125.000", True), ("00125.001", False)):
        assert gas_goes_on(gas(NOTHING, "00100.000"), gas(TWO, reading)) is right
        assert gas_goes_on(gas(TWO, "00100.000"), gas(NOTHING, reading)) is right


def test_what_is_no_total_may_fall() -> None:
    assert goes_on("1-0:32.7.0(231.0*V)", "1-0:32.7.0(229.0*V)")
    assert goes_on("1-0:1.7.0(09.000*kW)", "1-0:1.7.0(00.001*kW)")


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (sent("1-0:1.8.1(1.0*kWh)"), sent("1-0:1.8.1(1.0*kWh)", header="ISk5\\2MT383"), "who sends it"),
        (sent("1-0:1.8.1(1.0*kWh)"), sent("1-0:1.8.1(1.0*kWh)", header="ISk4\\2MT382"), "who sends it"),
        (sent("0-0:96.1.1(4B31)"), sent("0-0:96.1.1(4B32)"), "who sends it"),
        (sent("1-0:1.8.1(1.0*kWh)"), sent("1-0:1.8.1(1.00*kWh)"), "the set of its lines and units"),
        (sent("1-0:1.8.1(1.0*kWh)"), sent("1-0:1.8.1(1.0*MWh)"), "the set of its lines and units"),
        (sent("1-0:1.8.1(1.0*kWh)"), sent("1-0:1.8.2(1.0*kWh)"), "the set of its lines and units"),
        (
            gas(ONE, "1.0"),
            sent("0-1:24.1.0(7)", "0-1:96.1.0(3238)", GAS_TIMED.format(ONE, "1.0", "m3")),
            "the set of its M-Bus meters",
        ),
        (
            gas(ONE, "1.0"),
            sent("0-1:24.1.0(3)", "0-1:96.1.0(3239)", GAS_TIMED.format(ONE, "1.0", "m3")),
            "the set of its M-Bus meters",
        ),
        (sent("1-0:1.8.1(1.1*kWh)"), sent("1-0:1.8.1(1.0*kWh)"), "active_energy_import_tariff_1"),
        (gas(ONE, "1.1"), gas(ONE, "1.0"), "gas_volume"),
    ],
)
def test_what_contradicts_is_named(one: Telegram, other: Telegram, told: str) -> None:
    *_, last = judge(one, other, other)
    (refused,) = last.refused
    assert refused.startswith(told) or told == "the set of its M-Bus meters"
    assert told in refused
    assert refused.endswith(" does not go with the telegrams before and behind it")


def test_a_device_that_shows_nothing_yet_is_one_of_them() -> None:
    """Its serial number is as good a mark of damage as that of one that counts."""
    waiting = [
        sent("0-2:24.1.0(3)", f"0-2:96.1.0({number})", "0-2:24.2.1(000000000000W)(0*m3)")
        for number in ("31", "32")
    ]
    assert waiting[0].dead_meters
    assert "M-Bus" in judge(*waiting, waiting[1])[-1].refused[0]


def test_a_device_that_falls_silent_contradicts_nothing() -> None:
    """Zero at no possible time is no reading: one telegram has the device, the next one does not."""
    silent = gas(NOTHING, "0.0")
    assert not silent.meters
    assert confirmed(gas(ONE, "1.0"), silent, silent) == [silent]
    lines = ("0-1:24.1.0(4)", "0-1:24.2.1({})(1.0*GJ)", "0-1:24.2.2({})({}*m3)")

    def heat(time: str, volume: str) -> Telegram:
        return sent(lines[0], lines[1].format(ONE), lines[2].format(time, volume))

    without = heat(NOTHING, "0.0")
    assert list(without.meters["heat"].measurements) == ["heat_energy"]
    assert confirmed(heat(ONE, "2.0"), without, without) == [without]


def test_of_a_device_counts_what_is_borne_out() -> None:
    def heat(power: str) -> Telegram:
        return sent("0-1:24.1.0(4)", f"0-1:24.2.1({ONE})(1.0*GJ)", f"0-1:24.2.2({ONE})({power}*kW)")

    (found,) = confirmed(heat("0.5"), heat("4.0"), heat("9.0"))
    assert list(found.meters["heat"].measurements) == ["heat_energy"]
    assert "0-1:24.2.2" not in found.objects
    (found,) = confirmed(heat("0.5"), heat("2.4"), heat("2.4"))
    assert found.meters["heat"].measurements["power"]["value"] == Decimal("2.4")


def test_a_value_that_a_device_measured_out_of_order_is_left_out() -> None:
    def heat(time: str, power: str) -> Telegram:
        return sent("0-1:24.1.0(4)", f"0-1:24.2.1({ONE})(1.0*GJ)", f"0-1:24.2.2({time})({power}*kW)")

    later = "240115220000W"
    (found,) = confirmed(heat(ONE, "0.5"), heat(TWO, "0.6"), heat(later, "0.7"))
    assert found.meters["heat"].measurements["power"]["value"] == Decimal("0.6")
    (found,) = confirmed(heat(ONE, "0.5"), heat(later, "0.6"), heat(TWO, "0.7"))
    assert list(found.meters["heat"].measurements) == ["heat_energy"]


def test_a_device_that_is_heard_again_counts_when_two_say_the_same() -> None:
    silent, first, second = gas(NOTHING, "0.0"), gas(ONE, "1.0"), gas(TWO, "2.0")
    assert [found.meters for found in confirmed(silent, first, second)] == [{}]
    assert confirmed(silent, first, first) == [first]


def test_an_identification_that_cannot_be_read_vouches_for_nothing() -> None:
    spoilt = [sent("1-0:1.8.1(1.0*kWh)", header="ISk5\x01")] * 4
    assert confirmed(*spoilt) == []


def counted(number: int) -> Telegram:
    return sent(f"1-0:1.8.1({number:06d}.0*kWh)")


def test_after_a_contradiction_a_third_decides() -> None:
    one, other = counted(100), counted(500)
    # Even where everything stands still: two that are damaged alike would be believed.
    assert confirmed(one, other, other) == []
    assert confirmed(one, other, other, other) == [other]
    assert [len(each.refused) for each in judge(one, other, other, other)] == [0, 0, 1, 0]
    # The one that was held is right after all.
    assert confirmed(one, one, other, one, one) == [one, one, one]
    assert [len(each.refused) for each in judge(one, one, other, one, one)] == [0, 0, 0, 1, 0]


def test_where_no_two_agree_the_row_is_begun_anew() -> None:
    judged = judge(*(counted(number) for number in (900, 800, 700, 600, 500)))
    # One for each that is odd; with the third the one held for all the time is given up as well.
    assert [len(each.refused) for each in judged] == [0, 0, 1, 1, 2]
    assert all(each.confirmed is None for each in judged)
    # From there on two in a row are not enough: it was refused lately.
    sequence = [counted(number) for number in (900, 800, 700, 600, 500, 500, 500)]
    assert [each.confirmed for each in judge(*sequence)][-2:] == [None, counted(500)]


def test_what_was_refused_before_a_telegram_counted_is_forgotten() -> None:
    quiet = [counted(number) for number in (100, 500, 100, 100, 100)]
    judged = judge(*quiet, *(counted(number) for number in (80, 70, 60, 50)))
    assert judged[4].confirmed is not None
    assert [len(each.refused) for each in judged[5:]] == [0, 1, 1, 2]


def powers(*told: str) -> str | None:
    texts = [
        sent(f"1-0:16.7.0({power}*kW)", f"1-0:1.8.1({number:06d}.0*Wh)") for number, power in enumerate(told)
    ]
    (found,) = confirmed(*texts)
    item = found.measurements.get("active_power_net")
    return None if item is None else str(item["value"])


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        # By twenty steps of the last digit.
        (("0.000", "0.020", "9.000"), "0.020"),
        (("0.000", "0.021", "9.000"), None),
        (("9.000", "0.020", "0.000"), "0.020"),
        (("0.000", "8.999", "9.000"), "8.999"),
        # By a quarter of the greater.
        (("07.500", "10.000", "99.000"), "10.000"),
        (("07.499", "10.000", "99.000"), None),
        (("-10.000", "-07.500", "99.000"), "-7.500"),
        (("-10.000", "-07.499", "99.000"), None),
        # The least of three is left out, and so is the greatest: the middle one is told.
        (("5.000", "9.000", "5.100"), "5.100"),
        (("5.000", "1.000", "5.100"), "5.000"),
    ],
)
def test_a_momentary_value_counts_when_another_is_near(told: tuple[str, ...], counts: str | None) -> None:
    assert powers(*told) == counts
