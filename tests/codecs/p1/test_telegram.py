"""Lines of telegrams: every published telegram, the traps of the wild, totals, and M-Bus devices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.p1 import telegram as telegram_module
from smart_meter_reader.codecs.p1.devices import SubMeter
from smart_meter_reader.codecs.p1.mbus import InUse
from smart_meter_reader.codecs.p1.telegram import Telegram, TelegramParser
from smart_meter_reader.codecs.p1.values import Object
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.quantity import Kind
from smart_meter_reader.text import printable
from tests.codecs.p1.vectors import BY_ID, PLAIN, Vector, wire


def parse(text: str, header: str = "XMX5LGBBFG", dialect: str = "") -> Telegram:
    lines = "".join(f"{line}\r\n" for line in text.strip().splitlines())
    return TelegramParser(dialect).parse(f"/{header}\r\n\r\n{lines}!".encode("latin-1"), "ok")


def measured(telegram: Telegram, quantity: str) -> tuple[object, str]:
    item = telegram.measurements[quantity]
    return item["value"], item["unit"]


def same(wanted: Any, found: Object) -> bool:
    """Whether an object is what the vector's independent decoding says."""
    if isinstance(wanted, list):
        if isinstance(found, list):
            return len(wanted) == len(found) and all(map(same, wanted, found))
        return len(wanted) == 1 and same(wanted[0], found)
    if isinstance(found, list):
        return False
    if isinstance(wanted, str):
        return found["value"] == wanted and found["unit"] == ""
    if "raw" in wanted:
        return found["value"] in (wanted["time"], wanted["raw"])
    result: bool = str(found["value"]) == wanted["value"] and (found["unit"] or None) == wanted["unit"]
    return result


WHOLE = [vector for vector in PLAIN if b"\n!" in wire(vector)]


@pytest.mark.parametrize("vector", WHOLE, ids=lambda v: v["id"])
def test_published_telegrams_say_what_they_say(vector: Vector) -> None:
    received = wire(vector)
    telegram = TelegramParser().parse(received[: received.index(b"\n!") + 2], "ok")
    for code, wanted in vector["decoded_by_collector"]["obis"].items():
        assert same(wanted, telegram.objects[code]), (code, wanted, telegram.objects[code])
    assert telegram.bad_lines == ()
    # Where a copy of a telegram lost the digit behind a backslash, a control character stands.
    assert telegram.header == printable(vector["decoded_by_collector"]["header"])
    for quantity, item in telegram.measurements.items():
        kind = QUANTITIES[quantity].kind
        assert item["unit"] or kind in (Kind.COUNT, Kind.CODE, Kind.TEXT, Kind.TIMESTAMP, Kind.POWER_FACTOR)


@pytest.mark.parametrize("vector", WHOLE, ids=lambda v: v["id"])
def test_a_parser_that_has_seen_others_reads_the_same(vector: Vector) -> None:
    parser = TelegramParser()
    bodies = [received[: received.index(b"\n!") + 2] for received in map(wire, WHOLE)]
    for body in bodies:
        parser.parse(body, "ok")
    own = wire(vector)
    own = own[: own.index(b"\n!") + 2]
    read, alone = parser.parse(own, "ok"), TelegramParser().parse(own, "ok")
    # Which of two devices has the name depends on what was seen, what they say does not.
    assert _devices(read) == _devices(alone)
    assert read._replace(meters={}, dead_meters=()) == alone._replace(meters={}, dead_meters=())


def _devices(telegram: Telegram) -> list[SubMeter]:
    return sorted((*telegram.meters.values(), *telegram.dead_meters), key=lambda meter: meter.group)


def test_a_unit_in_another_spelling_is_ours_in_every_telegram() -> None:
    """From the second one on nothing but the number of a line is read."""
    parser = TelegramParser()
    for number in ("123456.789", "123457.001", "123457.002"):
        telegram = parser.parse(f"/XMX5LGBBFG\r\n\r\n1-0:1.8.1({number}*kwh)\r\n!".encode(), "ok")
        assert telegram.objects["1-0:1.8.1"] == {"value": Decimal(number), "unit": "kwh"}
        assert measured(telegram, "active_energy_import_tariff_1") == (Decimal(number), "kWh")


def test_what_is_remembered_of_lines_is_bounded() -> None:
    """A babbling meter, or line noise, makes up new codes without end."""
    parser = TelegramParser()
    for number in range(40):
        lines = [f"1-{number}:{group}.7.0(001.5*kW)\r\n" for group in range(1, 100)]
        lines += [f"0-{number}:96.{group}.9(text)\r\n" for group in range(1, 100)]
        parser.parse(f"/XMX5LGBBFG\r\n\r\n{''.join(lines)}!".encode(), "ok")
        assert len(parser._lines) + len(parser._shapes) <= telegram_module._MAX_LINES


def test_a_line_with_a_sign_is_looked_at_in_every_telegram() -> None:
    """Nobody says what a negative import means beside an export of its own: it is never told."""
    parser = TelegramParser()
    for number in ("00.500", "-00.500", "-00.500", "00.500", "-00.500"):
        lines = f"1-0:1.7.0({number}*kW)\r\n1-0:2.7.0(00.100*kW)\r\n"
        telegram = parser.parse(f"/XMX5LGBBFG\r\n\r\n{lines}!".encode(), "ok")
        negative = number.startswith("-")
        assert ("active_power_import" in telegram.measurements) is not negative, number
        assert bool(telegram.bad_lines) is negative, number


@pytest.mark.parametrize(
    ("line", "quantity", "value", "unit"),
    [
        ("1-0:1.8.1(000004.426*kWh)", "active_energy_import_tariff_1", "4.426", "kWh"),
        ("1-1:1.8.0(012360.152*kWh)", "active_energy_import", "12360.152", "kWh"),  # Switzerland
        ("1-0:1.8.0*255(00052185.7825309*kWh)", "active_energy_import", "52185.7825309", "kWh"),  # Q3D
        ("1-0:31.7.0.255(001*A)", "current_l1", "1", "A"),
        ("1-0:1.8.1(001247.747kWh)", "active_energy_import_tariff_1", "1247.747", "kWh"),
        ("1-0:31.4.0(999A)", "current_average_l1", "999", "A"),
        ("1-0:15.8.0(00007137.694 kWh)", "active_energy_sum", "7137.694", "kWh"),
        ("1-0:21.7.0*255(+00115*W)", "active_power_import_l1", "115", "W"),
        ("1-0:15.8.0(00007137.694*kWh )", "active_energy_sum", "7137.694", "kWh"),
        ("1-0:1.8.1(123456.789*kwh)", "active_energy_import_tariff_1", "123456.789", "kWh"),
        ("1-0:32.7.0(220.1*v)", "voltage_l1", "220.1", "V"),
        ("1-0:3.8.0(12345678.123*kVArh)", "reactive_energy_import", "12345678.123", "kvarh"),
        ("1-0:3.8.0(12345678.123*kVarh)", "reactive_energy_import", "12345678.123", "kvarh"),
        ("1-0:1.7.0(000000286*W)", "active_power_import", "286", "W"),
        ("1-0:13.7.0(-1.000)", "power_factor", "-1.000", ""),
        ("0-0:17.0.0(016*A)", "current_threshold", "16", "A"),
        ("0-0:17.0.0(12.300*kVA)", "apparent_power_threshold", "12.300", "kVA"),
        ("1-0:72:32.0(00002)", "voltage_sags_l3", 2, ""),  # a misprint of DSMR 4 that meters copied
        ("0-0:96.7.21(00013)", "power_failures", 13, ""),
        ("0-0:96.14.0(0002)", "tariff", 2, ""),
        ("0-0:96.14.0(TARIFF 1)", "tariff", "TARIFF 1", ""),  # Wasion, Hungary
        ("0-0:96.3.10(ON)", "switch_position", "ON", ""),
        ("0-0:96.13.1(3031203631203831)", "text_message_code", "01 61 81", ""),
        ("0-0:96.13.0(303132)", "text_message", "012", ""),
    ],
)
def test_lines_of_the_wild(line: str, quantity: str, value: str | int, unit: str) -> None:
    telegram = parse(line)
    wanted = Decimal(value) if isinstance(value, str) and value[-1].isdigit() and " " not in value else value
    if quantity.startswith("text"):
        wanted = value
    assert measured(telegram, quantity) == (wanted, unit)
    assert str(telegram.measurements[quantity]["value"]) == str(value)  # the digits, too
    assert telegram.bad_lines == ()


@pytest.mark.parametrize(
    "line",
    [
        "1-0:1.7.0(0#.123*kW)",
        "1-0:1.7.0(1E5*kW)",
        "1-0:1.7.0(NaN*kW)",
        "1-0:1.7.0(1_0.5*kW)",
        "1-0:1.7.0(\xb2*kW)",
        "1-0:1.7.0(.*kW)",
        "1-0:1.7.0(00.123*kW",
        "1-0:1.7.0",
        "1-0:(00.123*kW)",
        "0-0:96.7.21(0x13)",
        "@@@@",
        "a line of something else (really)",
    ],
)
def test_a_bad_line_costs_itself(line: str) -> None:
    telegram = parse(f"1-0:1.8.0(000004.426*kWh)\n{line}\n1-0:2.8.0(000001.000*kWh)")
    assert telegram.bad_lines == (line,)
    assert set(telegram.measurements) == {"active_energy_import", "active_energy_export"}
    assert set(telegram.objects) == {"1-0:1.8.0", "1-0:2.8.0"}


def test_a_number_after_a_good_one_is_judged_as_strictly() -> None:
    """The quick way that known lines take lets nothing through that the slow one refuses."""
    parser = TelegramParser()
    parser.parse(b"/XMX5\r\n\r\n1-0:1.7.0(00.123*kW)\r\n!", "ok")
    for number in ("1E5", "NaN", "\xb2", "1_0", "..5", ".", ""):
        body = f"/XMX5\r\n\r\n1-0:1.7.0({number}*kW)\r\n!".encode("latin-1")
        assert parser.parse(body, "ok").measurements == {}, number
    negative = parser.parse(b"/XMX5\r\n\r\n1-0:1.7.0(-00.123*kW)\r\n!", "ok")
    assert measured(negative, "active_power_net") == (Decimal("-0.123"), "kW")


def test_values_broken_over_lines() -> None:
    telegram = parse(
        "0-0:96.13.0(3031\n3233\n34)\n0-1:24.1.0(3)\n0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)\n(00001.001)"
    )
    assert measured(telegram, "text_message") == ("01234", "")
    gas = telegram.meters["gas"].measurements["gas_volume"]
    assert gas == {
        "value": Decimal("1.001"),
        "unit": "m³",
        "measured_at": datetime(2016, 11, 7, 18, tzinfo=UTC),
    }
    assert telegram.bad_lines == ()


def test_the_hungarian_line_that_is_no_line() -> None:
    """98.1.0 cut off by the meter itself, and the next data line behind the open bracket."""
    telegram = parse("0-0:98.1.0\n(\n0-0:1.0.0(220201000000W)")
    assert telegram.bad_lines == ("0-0:98.1.0(",)
    assert telegram.time == datetime(2022, 1, 31, 23, tzinfo=UTC)


def test_long_values_are_not_remembered() -> None:
    """A log of texts must not fill the memory, of which there is one per meter."""
    parser = TelegramParser()
    for number in range(100):
        text = f"{number:04d}" + "x" * 2000
        telegram = parser.parse(f"/ABC5\r\n\r\n1-0:99.1.0(1)({text})\r\n!".encode(), "ok")
        assert same(["1", text], telegram.objects["1-0:99.1.0"])
    assert sum(map(len, parser._memory.items)) < 100


def test_a_code_that_comes_twice_keeps_both_values() -> None:
    telegram = parse("1-0:1.7.0(00.100*kW)\n1-0:1.7.0(00.200*kW)")
    line = telegram.objects["1-0:1.7.0"]
    assert isinstance(line, list)
    assert [item["value"] for item in line] == [Decimal("0.100"), Decimal("0.200")]
    assert measured(telegram, "active_power_import") == (Decimal("0.200"), "kW")


def test_luxembourg_leaves_units_out() -> None:
    lines = "1-0:3.7.0(00.100)\n1-0:4.7.0(00.007)\n0-0:17.0.0(77.376)"
    telegram = parse(lines, header="Lux5\\253663629_D")
    assert measured(telegram, "reactive_power_import") == (Decimal("0.100"), "kvar")
    assert measured(telegram, "reactive_power_export") == (Decimal("0.007"), "kvar")
    assert measured(telegram, "apparent_power_threshold") == (Decimal("77.376"), "kVA")
    assert parse(lines, dialect="luxembourg").measurements == telegram.measurements
    elsewhere = parse(lines)  # a number of unknown unit is no measurement, and no bad line either
    assert elsewhere.measurements == {}
    assert elsewhere.bad_lines == ()
    assert elsewhere.objects["1-0:3.7.0"] == {"value": Decimal("0.100"), "unit": ""}


def test_totals_are_added_up_when_all_parts_are_there() -> None:
    tariffs = "1-0:1.8.1(000001.100*kWh)\n1-0:1.8.2(000002.020*kWh)"
    assert measured(parse(tariffs), "active_energy_import") == (Decimal("3.120"), "kWh")
    assert measured(parse(tariffs + "\n1-0:1.8.0(000009.000*kWh)"), "active_energy_import")[0] == 9
    four = tariffs + "\n1-0:1.8.3(000000.300*kWh)\n1-0:1.8.4(000000.004*kWh)"
    assert measured(parse(four), "active_energy_import") == (Decimal("3.424"), "kWh")


@pytest.mark.parametrize(
    "lines",
    [
        "1-0:1.8.1(000001.100*kWh)",
        "1-0:1.8.2(000001.100*kWh)",
        "1-0:1.8.1(000001.100*kWh)\n1-0:1.8.3(000002.020*kWh)",
        "1-0:1.8.1(000001.100*kWh)\n1-0:1.8.2(000002.020*kWh)\n1-0:1.8.4(000002.020*kWh)",
        "1-0:1.8.1(000001.100*kWh)\n1-0:1.8.2(000002.020*Wh)",
        "1-0:1.8.1(000001.100*kWh)\n1-0:1.8.2(000002.020*kWh)\n1-0:1.8.3(00#002.020*kWh)",
    ],
)
def test_no_total_without_all_parts(lines: str) -> None:
    assert "active_energy_import" not in parse(lines).measurements


def test_dynamic_tariffs_are_no_tariff_1() -> None:
    telegram = parse("1-0:1.8.11(007132.419*kWh)\n1-0:1.8.12(000155.482*kWh)")
    assert set(telegram.measurements) == {"active_energy_import_tariff_11", "active_energy_import_tariff_12"}
    assert set(telegram.objects) == {"1-0:1.8.11", "1-0:1.8.12"}


def test_the_power_failure_log_gives_its_newest_sensible_entry() -> None:
    telegram = parse(
        "1-0:99.97.0(4)(0-0:96.7.19)(170609063239S)(0000000267*s)(180611001706S)(0000149657*s)"
        "(000101000001W)(2147483647*s)(632525252525S)(0000000001*s)"
    )
    assert measured(telegram, "last_power_failure_end") == ("2018-06-10T22:17:06+00:00", "")
    assert measured(telegram, "last_power_failure_duration") == (Decimal(149657), "s")
    for empty in ("1-0:99.97.0()", "1-0:99.97.0(0)(0-0:96.7.19)"):
        assert parse(empty).measurements == {}
        assert parse(empty).bad_lines == ()


def test_a_log_that_changes_is_read_again() -> None:
    parser = TelegramParser()

    def duration(log: str) -> object:
        telegram = parser.parse(f"/ABC5\r\n\r\n1-0:99.97.0{log}\r\n!".encode(), "ok")
        item = telegram.measurements.get("last_power_failure_duration")
        return item and item["value"]

    first = "(1)(0-0:96.7.19)(170326062519W)(0029043178*s)"
    second = "(2)(0-0:96.7.19)(170326062519W)(0029043178*s)(180326062519W)(0000000240*s)"
    assert [duration(log) for log in (first, first, second, "(0)(0-0:96.7.19)", second)] == [
        Decimal(29043178),
        Decimal(29043178),
        Decimal(240),
        None,
        Decimal(240),
    ]


def test_the_peak_of_the_month_has_its_time() -> None:
    telegram = parse("1-0:1.6.0(200509134558S)(02.589*kW)")
    assert telegram.measurements["active_demand_import_maximum"] == {
        "value": Decimal("2.589"),
        "unit": "kW",
        "measured_at": datetime(2020, 5, 9, 11, 45, 58, tzinfo=UTC),
    }


# --- M-Bus ---


def device(channel: int, kind: str, serial: str, reading: str) -> str:
    return f"0-{channel}:24.1.0({kind})\n0-{channel}:96.1.0({serial})\n0-{channel}:24.2.1{reading}"


def volume(meter: SubMeter) -> object:
    return meter.measurements["gas_volume"]["value"]


@pytest.mark.parametrize(
    ("kind", "reading", "medium", "quantity", "unit"),
    [
        ("003", "(101209112500W)(12785.123*m3)", "gas", "gas_volume", "m³"),
        ("007", "(101209112500W)(12785.123*m3)", "water", "water_volume", "m³"),
        ("006", "(101209112500W)(12785.123*m3)", "warm-water", "water_volume", "m³"),
        ("004", "(101209112500W)(12785.123*GJ)", "heat", "heat_energy", "GJ"),
        ("012", "(101209112500W)(12785.123*GJ)", "heat", "heat_energy", "GJ"),
        ("004", "(101209112500W)(12785.123*MJ)", "heat", "heat_energy", "MJ"),
        ("004", "(101209112500W)(12785.123*m3)", "heat", "volume", "m³"),
        ("010", "(101209112500W)(12785.123*GJ)", "cooling", "cooling_energy", "GJ"),
        ("002", "(101209112500W)(12785.123*kWh)", "electricity", "active_energy_import", "kWh"),
    ],
)
def test_devices_by_type(kind: str, reading: str, medium: str, quantity: str, unit: str) -> None:
    telegram = parse(device(1, kind, "4730303339", reading))
    meter = telegram.meters[medium]
    assert meter.serial_number == "G0039"
    assert meter.measurements == {
        quantity: {
            "value": Decimal("12785.123"),
            "unit": unit,
            "measured_at": datetime(2010, 12, 9, 10, 25, tzinfo=UTC),
        }
    }
    assert telegram.measurements == {}  # a telegram without electricity is one


@pytest.mark.parametrize(
    ("lines", "medium", "quantity", "unit"),
    [
        ("7-0:0.0.0(4730303339)\n7-0:23.1.0(00947.680*m3)(101209112500)", "gas", "gas_volume", "m³"),
        ("7-0:0.0.0(4730303339)\n7-0:23.1.0(101209112500)(00947.680*m3)", "gas", "gas_volume", "m³"),
        (
            "7-0:96.1.0(4730303339)\n7-0:24.3.0(101209112500)(00)(60)(1)(7-0:24.2.1)(m3)\n(00947.680)",
            "gas",
            "gas_volume",
            "m³",
        ),
        ("5-0:0.0.0(4730303339)\n5-0:1.0.0(00947.680*GJ)(101209112500)", "heat", "heat_energy", "GJ"),
        ("6-0:0.0.0(4730303339)\n6-0:1.0.0(00947.680*GJ)(101209112500)", "cooling", "cooling_energy", "GJ"),
        ("8-0:0.0.0(4730303339)\n8-0:1.0.0(00947.680*m3)(101209112500)", "water", "water_volume", "m³"),
    ],
)
def test_devices_of_the_first_meters_have_no_channel(
    lines: str, medium: str, quantity: str, unit: str
) -> None:
    """NTA 8130, on which DSMR 2.2 is built: group A of the code names the medium."""
    telegram = parse(f"1-0:1.8.1(00001.001*kWh)\n{lines}\n7-0:24.4.0(1)", header="ISk5\\2MT382-1004")
    meter = telegram.meters[medium]
    assert (meter.channel, meter.serial_number) == (0, "G0039")
    assert meter.measurements[quantity] == {
        "value": Decimal("947.680"),
        "unit": unit,
        "measured_at": datetime(2010, 12, 9, 10, 25, tzinfo=UTC),
    }
    assert telegram.bad_lines == ()


def test_the_newest_of_two_gas_meters_wins() -> None:
    old = device(1, "003", "6F6C64", "(200101120000W)(00900.000*m3)")
    new = device(2, "003", "6E6577", "(210101120000W)(00010.000*m3)")
    for lines in (f"{old}\n{new}", f"{new}\n{old}"):
        telegram = parse(lines)
        assert telegram.meters["gas"].serial_number == "new"
        assert [meter.serial_number for meter in telegram.dead_meters] == ["old"]


def test_a_tie_goes_to_the_higher_channel() -> None:
    telegram = parse(
        "\n".join(device(n, "003", f"3{n}", f"(210101120000W)(0001{n}.000*m3)") for n in (3, 1, 2))
    )
    assert telegram.meters["gas"].channel == 3
    assert [meter.channel for meter in telegram.dead_meters] == [1, 2]


def two_devices(first: str, second: str) -> bytes:
    lines = f"{device(1, '003', '31', first)}\n{device(2, '003', '32', second)}"
    return f"/XMX5\r\n\r\n{lines}\r\n!".encode()


def test_two_live_devices_do_not_take_turns() -> None:
    """Each is the newest by turns; mixed, their counters would make nonsense."""
    ahead = two_devices("(210101120500W)(00100.000*m3)", "(210101120400W)(00900.000*m3)")
    behind = two_devices("(210101121000W)(00100.000*m3)", "(210101121100W)(00900.000*m3)")
    for first, chosen in ((ahead, 1), (behind, 2)):
        parser = TelegramParser()
        for telegram in (first, ahead, behind, ahead):
            meters = parser.parse(telegram, "ok")
            assert meters.meters["gas"].channel == chosen
            assert [meter.channel for meter in meters.dead_meters] == [3 - chosen]


def test_a_device_stays_in_use_until_it_is_clearly_older() -> None:
    in_use = InUse()
    old = "(210101120000W)(00100.000*m3)"

    def channel(new: str, parser: TelegramParser) -> int:
        return parser.parse(two_devices(old, new), "ok").meters["gas"].channel

    parser = TelegramParser(in_use=in_use)
    assert channel("(700101010000W)(00000000)", parser) == 1  # not connected yet
    assert channel("(210101150000W)(00000.010*m3)", parser) == 1
    assert channel("(210101150000W)(00000.010*m3)", TelegramParser()) == 2
    assert channel("(210101150000W)(00000.010*m3)", TelegramParser(in_use=in_use)) == 1
    assert channel("(210101150001W)(00000.010*m3)", parser) == 2
    assert channel("(210101150000W)(00000.010*m3)", parser) == 2


def test_a_device_with_another_serial_number_is_another_one() -> None:
    parser = TelegramParser()
    reading = "(210101120000W)(00100.000*m3)"
    alone = f"/XMX5\r\n\r\n{device(1, '003', '33', reading)}\r\n!".encode()
    assert parser.parse(alone, "ok").meters["gas"].serial_number == "33"
    assert parser.parse(two_devices(reading, reading), "ok").meters["gas"].channel == 2


@pytest.mark.parametrize(
    "reading",
    [
        "(700101010000W)(00000000)",
        "(000101010000W)(0000000000)",
        "(632525252525S)(00000.000)",
        "(632525252525S)(00000.000*m3)",
        "()",
        "(101209112500W)()",
    ],
)
def test_a_device_that_never_reported_is_dead(reading: str) -> None:
    alive = device(1, "003", "31", "(200101120000W)(00900.000*m3)")
    telegram = parse(f"{alive}\n{device(2, '003', '32', reading)}")
    assert telegram.meters["gas"].channel == 1
    assert [meter.channel for meter in telegram.dead_meters] == [2]


@pytest.mark.parametrize("stamp", ["250000000000W", "210101120000W", "000101010000W"])
def test_a_nonsense_time_leaves_the_value(stamp: str) -> None:
    """210101... is a year after the telegram: gas meters have been seen to be ahead."""
    telegram = parse("0-0:1.0.0(200101120500W)\n" + device(1, "003", "31", f"({stamp})(00900.000*m3)"))
    assert telegram.meters["gas"].measurements["gas_volume"] == {"value": Decimal("900.000"), "unit": "m³"}


def test_an_announced_channel_without_reading_is_no_meter() -> None:
    telegram = parse("0-1:24.1.0(003)\n0-1:96.1.0()\n0-2:24.1.0(000)\n0-2:96.1.0()")
    assert telegram.meters == {}


# --- who it is ---


@pytest.mark.parametrize(
    ("vector", "dialect", "manufacturer", "serial_number"),
    [
        ("nl-dsmr22-isk", "dsmr-2.2", "Iskraemeco", "00000000000000"),
        ("nl-dsmr42-kaifa", "dsmr-4", "Kaifa", "3960221976967177082151037881335713"),
        ("nl-dsmr50-isk", "dsmr-5", "Iskraemeco", "K8EG004046395507"),
        ("be-fluvius-171", "belgium", "Sagemcom", "1SAG3101021605"),
        ("at-t210dr-plain", "austria", "", ""),
        ("hu-eon-sag", "hungary", "Sagemcom", "890082200002160"),
        ("de-easymeter-q3d-b1024", "germany", "EasyMeter", "1ESY1313002565"),
        ("se-aidon-3", "sweden", "Aidon", ""),
        ("lt-eso-3", "lithuania", "", "80043700621613125392642700336368"),
        ("lu-spec-113", "luxembourg", "Sagemcom", "SAG1030790002574"),
    ],
)
def test_identity(vector: str, dialect: str, manufacturer: str, serial_number: str) -> None:
    received = wire(BY_ID[vector])
    identity = TelegramParser().parse(received[: received.index(b"\n!") + 2], "ok").identity
    assert (identity.dialect, identity.manufacturer, identity.serial_number) == (
        dialect,
        manufacturer,
        serial_number,
    )


# --- anything ---

_NOISE = st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
_LINES = st.lists(
    st.one_of(
        _NOISE,
        st.from_regex(r"\A[0-9]-[0-9]:[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(\([0-9SW.*kWhm-]{0,16}\)){1,4}\Z"),
    ),
    max_size=12,
)


@given(_LINES)
def test_any_lines_are_objects_or_bad(lines: list[str]) -> None:
    text = "".join(f"{line}\r\n" for line in lines)
    telegram = TelegramParser().parse(f"/XMX5\r\n\r\n{text}!".encode("latin-1"), "ok")
    assert len(telegram.objects) + len(telegram.bad_lines) <= len(lines)
    for quantity in telegram.measurements:
        assert quantity in QUANTITIES


@given(st.lists(_LINES, min_size=2, max_size=4))
def test_remembering_lines_changes_nothing(bodies: list[list[str]]) -> None:
    parser = TelegramParser()
    for lines in bodies:
        body = ("/XMX5\r\n\r\n" + "".join(f"{line}\r\n" for line in lines) + "!").encode("latin-1")
        assert parser.parse(body, "ok") == TelegramParser().parse(body, "ok")


_QUANTITY_LINES = {
    "1-0:1.8.0": ("active_energy_import", "kWh"),
    "1-0:2.8.0": ("active_energy_export", "kWh"),
    "1-0:1.7.0": ("active_power_import", "kW"),
    "1-0:32.7.0": ("voltage_l1", "V"),
    "1-0:31.7.0": ("current_l1", "A"),
}


@given(
    st.dictionaries(
        st.sampled_from(sorted(_QUANTITY_LINES)),
        st.decimals(min_value=0, max_value=999_999, places=3, allow_nan=False, allow_infinity=False),
        min_size=1,
    )
)
def test_what_was_written_is_read(values: dict[str, Decimal]) -> None:
    lines = "\n".join(f"{code}({value:010.3f}*{_QUANTITY_LINES[code][1]})" for code, value in values.items())
    telegram = parse(lines)
    assert {quantity: item["value"] for quantity, item in telegram.measurements.items()} == {
        _QUANTITY_LINES[code][0]: value for code, value in values.items()
    }


@pytest.mark.parametrize(
    "changed",
    [
        "0-1:24.2.1(230119114616W)(00734.608*m3)",
        "0-1:24.2.1(230119115116W)(00734.607*m3)",
        "0-1:24.2.1(230119115116W)(-0734.607*m3)",
        "0-1:24.2.1(230119115116W)(00734.607*kWh)",
        "0-1:24.2.1(230119115116W)(00734.607 *m3)",
        "0-1:24.2.1(230119115116W)(007.34.607*m3)",
        "0-1:24.2.1(230119115116W)(00734.607*m3)(1)",
        "0-1:24.2.1(230119115116W)(00734.607*m3) ",
        "0-1:24.2.1(230119115116W)(00734.607*m3",
        "0-1:24.2.1(1.5*kWh)(00734.607*m3)",
        "0-1:24.2.1(2301(19115116W)(00734.607*m3)",
        "0-1:24.2.1(999999999999W)(00734.607*m3)",
        "0-1:24.2.1()(00734.607*m3)",
        "0-1:24.2.1(230119115116W)(000000000000734.6070000000*m3)",
        "1-0:1.6.0(230119115116W)(07.416*kW)",
        "1-0:1.6.0(230119115116W)(7416*W)",
    ],
)
def test_a_line_with_another_time_and_number_says_what_it_says_to_a_new_parser(changed: str) -> None:
    lines = {
        "0-1:24.1.0": "0-1:24.1.0(003)",
        "0-1:24.2.1": "0-1:24.2.1(230119114616W)(00734.607*m3)",
        "1-0:1.6.0": "1-0:1.6.0(230110184500W)(07.415*kW)",
    }

    def telegram(lines: dict[str, str]) -> bytes:
        return "\r\n".join(["/FLU5x", "", "0-0:1.0.0(230119124638W)", *lines.values(), "!"]).encode()

    warm = TelegramParser()
    for _ in range(2):
        warm.parse(telegram(lines), "ok")
    with_it = telegram({**lines, changed.partition("(")[0]: changed})
    assert warm.parse(with_it, "ok") == TelegramParser().parse(with_it, "ok")
