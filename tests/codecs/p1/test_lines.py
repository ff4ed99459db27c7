"""Lines of data at their bounds: brackets, lengths, units that are left out, and values marked *00."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.p1.telegram import Telegram, TelegramParser


def parse(*lines: str, header: str = "XMX5", parser: TelegramParser | None = None) -> Telegram:
    text = "".join(f"{line}\r\n" for line in lines)
    return (parser or TelegramParser()).parse(f"/{header}\r\n\r\n{text}!".encode("latin-1"), "ok")


def value(telegram: Telegram, quantity: str) -> str | None:
    item = telegram.measurements.get(quantity)
    return None if item is None else f"{item['value']} {item['unit']}".strip()


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("(abc)", "abc"),
        ("(a(b)c)", "a(b)c"),
        ("((abc))", "(abc)"),
        ("(abc()", "abc"),  # a bracket at the edge that has no partner
        ("()abc)", "abc"),
        ("(a)b(c)", None),  # behind the one that closes stands another line
        ("(a)b)", None),
        ("(abc) ", "abc"),
        ("()", ""),
        ("(abc", None),
    ],
)
def test_brackets_in_a_value(text: str, stands: str | None) -> None:
    telegram = parse(f"0-0:96.13.9{text}")
    found = telegram.objects.get("0-0:96.13.9")
    assert (found if found is None else found["value"]) == stands  # type: ignore[call-overload]
    assert bool(telegram.bad_lines) is (stands is None)


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("0-0:96.13.9(" + "x" * 2048 + ")", True),
        ("0-0:96.13.9(" + "x" * 2049 + ")", False),
        ("0-0:96.13.9(" + "x" * 2000 + ")(" + "y" * 2000 + ")", True),
        ("0-0:96.13.9(" + "x" * 2048 + ")(" + "y" * 2045 + ")", True),
        (
            "0-0:96.13.9(" + "x" * 2048 + ")(" + "y" * 2046 + ")",
            False,
        ),  # 4096 characters behind the first bracket
        ("255-255:255.255.255*255(1.0*kWh)", True),
        ("255-255:255.255.255*2555(1.0*kWh)", False),
        ("1-0:99.99.9(1.0*rubbish)", True),
        ("1-0:99.99.9(1.0*rubbishes)", False),
        ("1-0:99.99.9(1.0*k-h)", False),
        ("1-0:99.99.9(1.0*m\xb3/h)", True),
    ],
)
def test_a_line_has_bounds(line: str, good: bool) -> None:
    assert (parse(line).bad_lines == ()) is good


@pytest.mark.parametrize(
    ("line", "quantity", "told"),
    [
        # Hager leaves out the unit of an energy; one that counts Wh sends no decimals.
        ("1-0:1.8.1*255(001720.4816)", "active_energy_import_tariff_1", "1720.4816 kWh"),
        ("1-0:3.8.0(001720.4816)", "reactive_energy_import", "1720.4816 kvarh"),
        ("1-0:1.8.1*255(0017204816)", "active_energy_import_tariff_1", None),
        ("1-0:1.7.0(0.123)", "active_power_import", None),
        # A unit that is of something else measures nothing, in what a flipped bit made of one.
        ("1-0:1.8.1(001.000*V)", "active_energy_import_tariff_1", None),
        ("1-0:32.7.0(230.0*W)", "voltage_l1", None),
        ("1-0:1.8.1(001.000*m3)", "active_energy_import_tariff_1", None),
        # A limit of power, of current or of apparent power.
        ("0-0:17.0.0(999.9*kW)", "active_power_threshold", "999.9 kW"),
        ("0-0:17.0.0(016*A)", "current_threshold", "16 A"),
        ("0-0:17.0.0(12.3*kVA)", "apparent_power_threshold", "12.3 kVA"),
        ("0-0:17.0.0(12300*VA)", "apparent_power_threshold", "12300 VA"),
        # A power factor, of which ESO leaves out the point.
        ("1-0:13.7.0(00998)", "power_factor", "0.998"),
        ("1-0:13.7.0(998)", "power_factor", "0.998"),
        ("1-0:13.7.0(01000)", "power_factor", "1.000"),
        ("1-0:13.7.0(01001)", "power_factor", None),
        ("1-0:13.7.0(99)", "power_factor", None),
        ("1-0:13.7.0(1)", "power_factor", "1"),
        ("1-0:13.7.0(001)", "power_factor", "1"),
        ("1-0:13.7.0(002)", "power_factor", "0.002"),
        ("1-0:13.7.0(99.8*%)", "power_factor", "99.8 %"),
        # What only a meter writes becomes what people use.
        ("1-0:31.7.0(0.005*kA)", "current_l1", "5 A"),
        ("1-0:13.7.0(0)", "power_factor", "0"),
        ("1-0:13.7.0(1.000)", "power_factor", "1.000"),
        ("1-0:13.7.0(1.001)", "power_factor", None),
        ("1-0:13.7.0(-1.000)", "power_factor", "-1.000"),
        ("1-0:13.7.0(-1.001)", "power_factor", None),
        ("1-0:13.7.0(998.0)", "power_factor", None),
    ],
)
def test_what_a_line_measures(line: str, quantity: str, told: str | None) -> None:
    telegram = parse(line)
    assert value(telegram, quantity) == told
    assert telegram.bad_lines == ()
    assert len(telegram.objects) == 1
    if told is None:
        assert telegram.measurements == {}


@pytest.mark.parametrize(
    ("line", "quantity", "told"),
    [
        ("1-0:3.7.0(0.123)", "reactive_power_import", "0.123 kvar"),
        ("1-0:4.7.0(0.123)", "reactive_power_export", "0.123 kvar"),
        ("0-0:17.0.0(12.3)", "apparent_power_threshold", "12.3 kVA"),
        ("1-0:1.8.0(001.000)", "active_energy_import", None),
    ],
)
def test_luxembourg_takes_some_units_for_granted(line: str, quantity: str, told: str | None) -> None:
    """Specification 1.1.3, example of a telegram."""
    assert value(parse(line, header="Lux5\\253663629_A"), quantity) == told
    if told is not None:
        assert value(parse(line), quantity) is None


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["1-0:1.8.0*00(005.000*kWh)"], "5.000 kWh"),
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:1.8.0*01(004.000*kWh)"], "5.000 kWh"),
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:1.8.0*01(005.000*kWh)"], "5.000 kWh"),
        # The highest is the current one, since totals never fall.
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:1.8.0*01(005.001*kWh)"], None),
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:1.8.0*01(004.000*MWh)"], None),
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:1.8.0*01(rubbish)"], None),
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:1.8.0*01(230101000000W)(004.000*kWh)"], "5.000 kWh"),
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:1.8.0*01(230101000000W)(006.000*kWh)"], None),
        # What has no mark is the current one.
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:1.8.0(004.000*kWh)"], "4.000 kWh"),
        # Another quantity's periods do not count.
        (["1-0:1.8.0*00(005.000*kWh)", "1-0:2.8.0*01(006.000*kWh)"], "5.000 kWh"),
        (["1-0:1.8.0*00(005.000)", "1-0:2.8.0(006.000*kWh)"], "5.000 kWh"),
        # What has no unit measures nothing, and hides nothing.
        (["1-0:1.8.0*00(0005)"], None),
        (["1-0:2.8.0*00(0005)", "1-0:1.8.0*00(005.000*kWh)"], "5.000 kWh"),
        (["0-0:1.0.0(240115120000W)", "1-0:1.8.0*00(005.000*kWh)"], "5.000 kWh"),
        # Of a period that is told more than once the last value counts.
        (
            [
                "1-0:1.8.0*00(005.000*kWh)",
                *(f"1-0:1.8.0*01({value}*kWh)" for value in ("001.000", "002.000", "006.000")),
            ],
            None,
        ),
    ],
)
def test_a_value_marked_as_the_first_period_counts_where_no_other_is_more(
    lines: list[str], told: str | None
) -> None:
    telegram = parse(*lines)
    assert value(telegram, "active_energy_import") == told
    assert "" not in telegram.measurements


def test_a_first_period_is_compared_with_digits_of_another_kind() -> None:
    assert value(parse("1-0:13.7.0*00(0.998)", "1-0:13.7.0*01(0.997)"), "power_factor") == "0.998"
    assert value(parse("1-0:13.7.0*00(0.998)", "1-0:13.7.0*01(0002)"), "power_factor") is None


def test_a_value_marked_as_the_first_period_does_not_count_in_a_damaged_telegram() -> None:
    telegram = parse("1-0:1.8.0*00(005.000*kWh)", "rubbish")
    assert telegram.bad_lines == ("rubbish",)
    assert telegram.measurements == {}


@pytest.mark.parametrize(
    ("line", "quantity", "told"),
    [
        ("0-0:96.7.21(00013)", "power_failures", "13"),
        ("0-0:96.7.21(1.5*kWh)", "power_failures", None),
        ("0-0:96.7.21(many)", "power_failures", None),
        ("0-0:96.14.0(0002)", "tariff", "2"),
        ("0-0:96.14.0(TARIFF 1)", "tariff", "TARIFF 1"),
        ("0-0:96.14.0(FFFF)", "tariff", "FFFF"),
        ("0-0:96.14.0()", "tariff", None),
        ("0-0:96.14.0(" + "T" * 128 + ")", "tariff", "T" * 128),
        ("0-0:96.14.0(" + "T" * 129 + ")", "tariff", None),
        ("0-0:96.13.0(303132)", "text_message", "012"),
        ("0-0:96.13.0()", "text_message", None),
        ("0-0:96.13.0(FFFFFF)", "text_message", None),
    ],
)
def test_counts_codes_and_texts(line: str, quantity: str, told: str | None) -> None:
    assert value(parse(line), quantity) == told


def test_a_message_that_is_not_there_is_no_bad_line() -> None:
    for nothing in ("", "FFFFFF", "2020"):
        telegram = parse(f"0-0:96.13.0({nothing})")
        assert (telegram.bad_lines, len(telegram.objects)) == ((), 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("0-0:1.0.0(240115120000W)", "0-0:1.0.0(240115120001W)"),
        ("0-0:1.0.0(240115120000W)", "0-0:1.0.0(240115126000W)"),
        ("0-0:1.0.0(240115120000W)", "0-0:1.0.0(rubbish)"),
        ("0-0:1.0.0(240115120000W)", "0-0:1.0.0(240115120001W) "),
        ("0-0:1.0.0(rubbish000000)", "0-0:1.0.0(240115120001W)"),
        ("0-0:96.14.0(0001)", "0-0:96.14.0(240115120001W)"),
        ("0-1:24.2.1(240115120000W)(00100.000*m3)", "0-1:24.2.1(240115130000W)(00101.500*m3)"),
        ("0-1:24.2.1(240115120000W)(00100.000*m3)", "0-1:24.2.1(240115130000W)(00101.500*GJ)"),
        ("0-1:24.2.1(240115120000W)(00100.000*m3)", "0-1:24.2.1(240115130000W)(00101.5.0*m3)"),
        ("0-1:24.2.1(240115120000W)(00100.000*m3)", "0-1:24.2.1(240115130000W)(00101.500*m3)(1)"),
        ("0-1:24.2.1(240115120000W)(00100.000*m3)", "0-1:24.2.1(240115130000W)(" + "1" * 21 + "*m3)"),
        ("0-1:24.2.1(240115120000W)(00100.000*m3)", "0-1:24.2.1(2401*5130000W)(00101.500*m3)"),
        ("0-1:24.2.1(240115120000W)(00100.000*m3)", "0-1:24.2.1(2401*513000000000W)(00101.500*m3)"),
        ("1-0:1.6.0(240115120000W)(00.100*KW)", "1-0:1.6.0(240115130000W)(00.200*KW)"),
        # Neither was a time before.
        ("1-0:13.7.0(0.998)", "1-0:13.7.0(240115120001W)"),
        ("1-0:1.8.1(0017204816)", "1-0:1.8.1(240115120001W)"),
        ("1-0:1.7.0(00.100*kW)", "1-0:1.7.0(00.200*W)"),
        ("1-0:1.7.0(00.100*kW)", "1-0:1.7.0(" + "1" * 21 + "*kW)"),
        ("1-0:1.7.0(00.100*kW)", "1-0:1.7.0(0.1.0*kW)"),
        ("1-0:1.7.0(00.100*kW)", "1-0:1.7.0()"),
    ],
)
def test_a_line_that_changed_says_what_it_says_to_a_new_parser(first: str, second: str) -> None:
    parser = TelegramParser()
    parse(first, parser=parser)
    for line in (second, first, second):
        assert parse(line, parser=parser) == parse(line)


def test_what_a_telegram_does_not_say_itself_is_worked_out_where_all_lines_make_sense() -> None:
    phases = [f"1-0:{code}.7.0(0.500*kW)" for code in (21, 41, 61)]
    tariffs = ["1-0:1.8.1(1.000*kWh)", "1-0:1.8.2(2.000*kWh)"]
    given = "1-0:2.7.0(2.000*kW)"
    telegram = parse(*phases, *tariffs, given)
    assert value(telegram, "active_energy_import") == "3.000 kWh"
    assert value(telegram, "active_power_import") == "1.500 kW"
    assert value(telegram, "active_power_net") == "-0.500 kW"
    damaged = parse(*phases, *tariffs, given, "1-0:1.7.0(1.500*kW)", "rubbish")
    assert not {"active_energy_import", "active_power_net"} & damaged.measurements.keys()


def test_a_minus_sign_in_any_line_makes_net_powers_of_a_telegram() -> None:
    telegram = parse("1-0:1.7.0(-00.500*kW)", "1-0:32.7.0(230.0*V)")
    powers = {key: value(telegram, f"active_power_{key}") for key in ("import", "export", "net")}
    assert powers == {"import": "0.000 kW", "export": "0.500 kW", "net": "-0.500 kW"}


def test_blanks_are_no_line_without_sense() -> None:
    telegram = parse("1-0:32.7.0(230.0*V)", "", "  ", "1-0:52.7.0(230.0*V)")
    assert (telegram.bad_lines, len(telegram.objects)) == ((), 2)


@pytest.mark.parametrize(
    ("header", "quantity"),
    [("FLU5\\253769484_A", "current_threshold_l1"), ("XMX5", "current_average_l1")],
)
def test_what_is_a_limit_of_current_in_belgium_is_an_average_elsewhere(header: str, quantity: str) -> None:
    telegram = parse("1-0:31.4.0(16.00*A)", header=header)
    assert {key: str(item["value"]) for key, item in telegram.measurements.items()} == {quantity: "16.00"}


def test_a_code_that_comes_twice_measures_what_came_last() -> None:
    telegram = parse("1-0:1.7.0(00.100*kW)", "1-0:1.7.0(00.200*kW)", "1-0:1.7.0(00.300*kW)")
    assert value(telegram, "active_power_import") == "0.300 kW"
    line = telegram.objects["1-0:1.7.0"]
    assert isinstance(line, list)
    assert [item["value"] for item in line] == [Decimal("0.100"), Decimal("0.200"), Decimal("0.300")]
    again = parse("1-0:1.7.0(00.100*kW)", "1-0:1.7.0(rub(bish*kW)")
    assert again.bad_lines == ("1-0:1.7.0(rub(bish*kW)",)
    times = parse("0-0:1.0.0(240115120000W)", "0-0:1.0.0(240115120001W)")
    assert times.time is not None
    assert times.time.second == 1


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("1-0:1.6.0(240115120000W)(00.100*kW)", datetime(2024, 1, 15, 11, tzinfo=UTC)),
        ("1-0:1.6.0(rubbish)(00.100*kW)", None),
        ("1-0:1.6.0(00.100*kW)", None),
    ],
)
def test_the_highest_demand_of_a_month_has_the_time_when_it_was(line: str, at: datetime | None) -> None:
    (demand,) = parse(line).measurements.values()
    assert (str(demand["value"]), demand.get("measured_at")) == ("0.100", at)


def test_a_log_that_changed_is_read_anew() -> None:
    parser = TelegramParser()
    for second in ("5", "5", "7", "5"):
        line = f"1-0:99.97.0(1)(0-0:96.7.19)(240115120000W)(000000000{second}*s)"
        assert value(parse(line, parser=parser), "last_power_failure_duration") == f"{second} s"


def test_the_first_version_counts_and_a_name_where_there_is_no_serial_number() -> None:
    first, second = "1-3:0.2.8(50)", "0-0:96.1.4(42)"
    assert parse(first, second).identity.version == "50"
    assert parse(second, first).identity.version == "42"
    name, serial = "0-0:42.0.0(SAG0123)", "0-0:96.1.0(K8EG004046395507)"
    assert parse(name).identity.serial_number == "SAG0123"
    assert parse(name, serial).identity.serial_number == "K8EG004046395507"
    assert parse(first, parser=TelegramParser("luxembourg")).identity.dialect == "luxembourg"


def test_the_serial_number_is_the_one_that_names_a_meter() -> None:
    zeros, number = "0-0:96.1.0(00000000)", "0-0:96.1.1(K8EG004046395507)"
    assert parse(zeros, number).identity.serial_number == "K8EG004046395507"
    assert parse(number, zeros).identity.serial_number == "K8EG004046395507"
    assert parse(zeros).identity.serial_number == "00000000"


def test_a_character_that_is_none_counts_against_a_telegram_that_nothing_vouches_for() -> None:
    raw = b"/XMX5\r\n\r\n0-0:96.13.0(a\x01b)\r\n1-0:1.8.1(1.000*kWh)\r\n!"
    for checksum, authentication, bad in (
        ("ok", "none", 0),
        ("absent", "verified", 0),
        ("absent", "none", 1),
        ("bad", "failed", 1),
    ):
        telegram = TelegramParser().parse(raw, checksum, authentication)  # type: ignore[arg-type]
        assert len(telegram.bad_lines) == bad
        assert telegram.vouched_for is (not bad)
        assert all("a\ufffdb" in line for line in telegram.bad_lines)
        assert telegram.length == len(raw)
