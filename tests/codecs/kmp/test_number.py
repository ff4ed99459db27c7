"""KMP values: exact numbers of any length, dates that can be, and their way back."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp.number import decode_value, encode_value
from smart_meter_reader.codecs.kmp.units import UNIT_BY_CODE, UNITS, Layout
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.quantities.measurement import Value

ASCII, BITS, RTC, LOCAL_TIME, TIME, DATE, LONG_DATE, DAY = 0x36, 0x3B, 0x35, 0x4F, 0x2F, 0x30, 0x31, 0x32


@pytest.mark.parametrize(
    ("unit", "sign_exponent", "mantissa", "text"),
    [
        pytest.param(0x28, 0x42, "000002f8", "7.60", id="trailing zero kept"),
        pytest.param(0x03, 0x43, "0000d6de", "55.006", id="403 heat energy"),
        pytest.param(0x16, 0x41, "0000", "0.0", id="403 power, 2 bytes"),
        pytest.param(0x28, 0x03, "ff", "255000", id="5512-447 4.4.4, m3, 1 byte"),
        pytest.param(0x29, 0x80, "00000078", "-120", id="negative"),
        pytest.param(0x29, 0xC1, "00000078", "-12.0", id="negative, negative exponent"),
        pytest.param(0x29, 0x80, "00000000", "0", id="no minus before zero"),
        pytest.param(0x28, 0x00, "80000000", "2147483648", id="the mantissa's top bit is no sign"),
        pytest.param(0x0A, 0xC2, "00003039", "-123.45", id="5512-447 4.4.4, kcal"),
        pytest.param(0x27, 0x03, "05397fb1", "87654321000", id="5512-447 4.4.4, l"),
        pytest.param(0x16, 0x11, "012af024", "1959120400000000000000000", id="5512-447 6.2.4"),
        pytest.param(0x00, 0x40, "ff" * 16, str(2**128 - 1), id="16 bytes, more digits than the context"),
        pytest.param(0x00, 0x5E, "ff" * 10, "0.000001208925819614629174706175", id="10 bytes, exponent -30"),
        pytest.param(0x08, 0x7F, "01", "0." + "0" * 62 + "1", id="smallest exponent"),
        pytest.param(0x39, 0x42, "000004d2", "123.4", id="GJ x 10"),
        pytest.param(0x37, 0x00, "0000007b", "1230", id="m3 x 10"),
        pytest.param(0x7A, 0x41, "0064", "10.0", id="unknown unit"),
    ],
)
def test_numbers(unit: int, sign_exponent: int, mantissa: str, text: str) -> None:
    value = decode_value(unit, sign_exponent, bytes.fromhex(mantissa))
    assert isinstance(value, Decimal)
    assert format(value, "f") == text


@pytest.mark.parametrize(
    ("unit", "mantissa", "value"),
    [
        pytest.param(TIME, "00030e33", "20:02:43", id="403 clock"),
        pytest.param(TIME, "00019258", "10:30:00", id="5512-447 5.1 clock"),
        pytest.param(TIME, "000399b7", "23:59:59", id="5512-447 5.1 last clock"),
        pytest.param(DATE, "0000ed98", "2006-08-24", id="5512-447 5.1 date1"),
        pytest.param(DATE, "000f1fff", "2099-12-31", id="5512-447 5.1 last date1"),
        pytest.param(DAY, "00000338", "--08-24", id="5512-447 5.1 date3"),
        pytest.param(DAY, "000004cf", "--12-31", id="5512-447 5.1 last date3"),
        pytest.param(TIME, "00000000", "00:00:00", id="midnight is a time"),
        pytest.param(TIME, "00000005", "00:00:05", id="leading zeros lost on the wire"),
        pytest.param(DATE, "00035ee5", "2022-09-01", id="403 date of highest flow"),
        pytest.param(DATE, "00000065", "2000-01-01", id="leading zeros of a date"),
        pytest.param(DATE, "00000000", None, id="never"),
        pytest.param(LONG_DATE, (20220901).to_bytes(4, "big").hex(), "2022-09-01", id="long date"),
        pytest.param(LONG_DATE, "00000000", None, id="long date not set"),
        pytest.param(DAY, "0276", "--06-30", id="target date"),
        pytest.param(DAY, "00e5", "--02-29", id="leap day"),
        pytest.param(DAY, "0000", None, id="no target date"),
        pytest.param(RTC, "82012102100a090c", "2012-09-10T16:02:33", id="382 clock"),
        pytest.param(RTC, "0000000000000000", None, id="382 peak that never was"),
        pytest.param(LOCAL_TIME, "00190102030405", "2025-01-02T03:04:05", id="303/603 register 348"),
        pytest.param(LOCAL_TIME, "00000000000000", None, id="303/603 clock not set"),
        pytest.param(ASCII, "4b616d0000", "Kam", id="text, padded"),
        pytest.param(ASCII, "0000", "", id="empty text"),
        pytest.param(BITS, "00018001", 98305, id="bit field"),
        pytest.param(0x49, "c0000201", "192.0.2.1", id="IPv4"),
        pytest.param(0x4A, "20010db8" + "00" * 11 + "01", "2001:db8::1", id="IPv6"),
        pytest.param(0x3F, "0102030405060708", "0102030405060708", id="RTC-Q as it is"),
        pytest.param(0x48, "ab", "AB", id="KamDateTime as it is"),
    ],
)
def test_what_is_no_number(unit: int, mantissa: str, value: Value | None) -> None:
    assert decode_value(unit, 0x00, bytes.fromhex(mantissa)) == value


@pytest.mark.parametrize(
    ("unit", "sign_exponent", "mantissa", "said"),
    [
        pytest.param(DATE, 0, (221301).to_bytes(4, "big"), "2022-13-01", id="month 13"),
        pytest.param(DATE, 0, (230229).to_bytes(4, "big"), "2023-02-29", id="no leap year"),
        pytest.param(DATE, 0, (1220901).to_bytes(4, "big"), "more digits", id="seven digits"),
        pytest.param(DATE, 0, (1000101).to_bytes(4, "big"), "more digits", id="year 100"),
        pytest.param(TIME, 0, (1000000).to_bytes(4, "big"), "more digits", id="hour 100"),
        pytest.param(LONG_DATE, 0, (100000101).to_bytes(4, "big"), "more digits", id="year 10000"),
        pytest.param(TIME, 0, (250000).to_bytes(4, "big"), "25:00:00", id="hour 25"),
        pytest.param(TIME, 0, (240000).to_bytes(4, "big"), "24:00:00", id="hour 24"),
        pytest.param(TIME, 0, (126000).to_bytes(4, "big"), "12:60:00", id="minute 60"),
        pytest.param(LONG_DATE, 0, (20221301).to_bytes(4, "big"), "2022-13-01", id="month 13, long"),
        pytest.param(LONG_DATE, 0, (901).to_bytes(4, "big"), "0000-09-01", id="year 0"),
        pytest.param(DAY, 0, (631).to_bytes(4, "big"), "06-31", id="31 June"),
        pytest.param(DAY, 0, (10630).to_bytes(4, "big"), "more digits", id="year in a day of year"),
        pytest.param(DATE, 0x41, (220901).to_bytes(4, "big"), "41h", id="a date with an exponent"),
        pytest.param(RTC, 0, bytes.fromhex("82012102100a0d0c"), "2012-13-10", id="clock, month 13"),
        pytest.param(RTC, 0, bytes(7), "8 bytes long, not 7", id="clock too short"),
        pytest.param(LOCAL_TIME, 0, bytes(8), "7 bytes long, not 8", id="local time too long"),
        pytest.param(ASCII, 0, b"\xe6", "E6 is not printable", id="not ASCII"),
        pytest.param(ASCII, 0, b"a\x07b", "not printable", id="control character"),
        pytest.param(0x49, 0, bytes(5), "IPv4", id="IPv4 of 5 bytes"),
        pytest.param(0x4A, 0, bytes(4), "IPv6", id="IPv6 of 4 bytes"),
        pytest.param(0x28, 0, b"", "0 bytes", id="nothing is not zero"),
    ],
)
def test_what_cannot_be(unit: int, sign_exponent: int, mantissa: bytes, said: str) -> None:
    with pytest.raises(ValueFormatError, match=said):
        decode_value(unit, sign_exponent, mantissa)


def test_precision_does_not_depend_on_the_context() -> None:
    with localcontext(prec=5):
        assert str(decode_value(0x28, 0x43, b"\xff\xff\xff\xff")) == "4294967.295"


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=20))
def test_any_register_has_a_value_or_a_reason(unit: int, sign_exponent: int, mantissa: bytes) -> None:
    try:
        value = decode_value(unit, sign_exponent, mantissa)
    except ValueFormatError:
        pass
    else:
        assert isinstance(value, Decimal | int | str | None)


NUMBER_UNITS = sorted(code for code, unit in UNITS.items() if unit.layout is Layout.NUMBER)


@given(
    st.sampled_from([*NUMBER_UNITS, 0x7A, 0xFF]),
    st.booleans(),
    st.integers(0, 2**128 - 1),
    st.integers(-63, 63),
)
def test_a_number_comes_back_digit_by_digit(unit: int, negative: bool, digits: int, exponent: int) -> None:
    number = Decimal(f"{'-' if negative and digits else ''}{digits}E{exponent + UNIT_BY_CODE[unit].scale}")
    back = decode_value(unit, *encode_value(number, unit))
    assert isinstance(back, Decimal)
    assert back.as_tuple() == number.as_tuple()


clocks = st.datetimes(datetime(2000, 1, 1), datetime(2255, 12, 31)).map(  # noqa: DTZ001 - meters know no zone
    lambda moment: moment.replace(microsecond=0).isoformat()
)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(date.isoformat)
texts = st.one_of(
    st.tuples(st.just(TIME), st.times().map(lambda moment: moment.replace(microsecond=0).isoformat())),
    st.tuples(st.sampled_from((DATE, LONG_DATE)), days),
    st.tuples(st.just(DAY), days.map(lambda day: "-" + day[4:])),
    st.tuples(st.sampled_from((RTC, LOCAL_TIME)), clocks),
    st.tuples(st.just(ASCII), st.from_regex(r"[!-~]([ -~]*[!-~])?", fullmatch=True)),
    st.tuples(st.just(BITS), st.integers(0, 2**64)),
    st.tuples(st.just(0x49), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just(0x4A), st.ip_addresses(v=6).map(str)),
    st.tuples(st.just(0x3F), st.binary(min_size=1, max_size=9).map(lambda raw: raw.hex().upper())),
)


@given(texts)
def test_what_is_no_number_comes_back(case: tuple[int, Value]) -> None:
    unit, value = case
    assert decode_value(unit, *encode_value(value, unit)) == value


@pytest.mark.parametrize(
    ("unit", "value", "mantissa"),
    [
        (TIME, "20:02:43", "00030e33"),
        (TIME, "00:00:05", "00000005"),
        (DATE, "2000-01-01", "00000065"),
        (DATE, "2099-12-31", "000f1fff"),
        (LONG_DATE, "2022-09-01", "01348be5"),
        (DAY, "--12-31", "000004cf"),
        # The flags are set in every clock that was seen.
        (RTC, "2012-09-10T16:02:33", "80012102100a090c"),
        (RTC, "2000-01-01T00:00:00", "8006000000010100"),
        (RTC, "2255-12-31T23:59:59", "80013b3b171f0cff"),
        (LOCAL_TIME, "2025-01-02T03:04:05", "00190102030405"),
        (LOCAL_TIME, "2000-01-01T00:00:00", "00000101000000"),
        (LOCAL_TIME, "2255-12-31T23:59:59", "00ff0c1f173b3b"),
    ],
)
def test_dates_and_times_as_a_meter_sends_them(unit: int, value: str, mantissa: str) -> None:
    assert encode_value(value, unit) == (0, bytes.fromhex(mantissa))
    assert decode_value(unit, 0, bytes.fromhex(mantissa)) == value


@pytest.mark.parametrize(("size", "mantissa"), [(None, "0000007b"), (1, "7b"), (7, "0000000000007b")])
def test_the_mantissa_has_the_size_that_is_asked_for(size: int | None, mantissa: str) -> None:
    assert encode_value(Decimal("12.3"), 0x28, size) == (0x41, bytes.fromhex(mantissa))


@pytest.mark.parametrize(
    ("value", "unit", "size"),
    [
        (Decimal(256), 0x28, 1),
        (Decimal("1E-64"), 0x28, None),
        (Decimal("NaN"), 0x28, None),
        (Decimal("Infinity"), 0x28, None),
        ("12", 0x28, None),
        (Decimal(2**2040), 0x28, None),
        ("1999-12-31", DATE, None),
        ("2022-13-01", DATE, None),
        ("2022-9-1", DATE, None),
        ("24:00:00", TIME, None),
        ("noon", TIME, None),
        (Decimal(12), TIME, None),
        ("", TIME, None),
        ("06-30", DAY, None),
        ("yesterday", RTC, None),
        ("1999-12-31T00:00:00", RTC, None),
        ("2256-01-01T00:00:00", RTC, None),
        ("2022-01-01T00:00:00+01:00", LOCAL_TIME, None),
        ("grün", ASCII, None),
        ("", ASCII, None),
        ("abc", ASCII, 2),
        (-1, BITS, None),
        (Decimal("1.5"), BITS, None),
        ("::1", 0x49, None),
        ("1.2.3.4", 0x4A, None),
        ("xy", 0x3F, None),
    ],
)
def test_what_does_not_fit_is_refused(value: Value, unit: int, size: int | None) -> None:
    with pytest.raises(ValueFormatError):
        encode_value(value, unit, size)


def test_units_that_three_projects_have_wrong() -> None:
    assert [UNIT_BY_CODE[code].symbol for code in (0x15, 0x19, 0x26)] == ["W", "var", "K"]


def test_an_unknown_unit_is_told_by_its_code() -> None:
    assert UNIT_BY_CODE[0x7A].symbol == "unit_0x7a"


@pytest.mark.parametrize(
    ("unit", "value", "sign_exponent", "mantissa"),
    [
        (0x39, "123.4", 0x42, "000004d2"),  # GJ x 10
        (0x37, "1230", 0x41, "000004ce"),  # m3 x 10: tenths of tens
        (0x28, "5", 0x00, "00000005"),
        (0x28, "-0.5", 0xC1, "00000005"),
        (0x28, "1E+63", 0x3F, "00000001"),
        (0x28, "1E-63", 0x7F, "00000001"),
        (BITS, "0", 0x00, "00000000"),
        (BITS, "98305", 0x00, "00018001"),
    ],
)
def test_numbers_as_a_meter_sends_them(unit: int, value: str, sign_exponent: int, mantissa: str) -> None:
    encoded = encode_value(Decimal(value), unit)
    assert (encoded[0], encoded[1].hex()) == (sign_exponent, mantissa)
    assert decode_value(unit, *encoded) == Decimal(value)


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        (0x28, Decimal("1E+64"), "has the exponent 64"),
        (0x28, Decimal("1E-64"), "has the exponent -64"),
        (0x37, Decimal("1E-63"), "has the exponent -64"),
        (0x28, Decimal("9" * 616), "a value of 616 digits"),
        (0x28, Decimal("NaN"), "not a finite number"),
        (0x28, "5", "a text where the unit asks for a number"),
        (BITS, "5", "not a bit field"),
        (BITS, Decimal("Infinity"), "not a bit field"),
        (BITS, Decimal(-1), "not a bit field"),
        (BITS, Decimal("1.5"), "not a bit field"),
        (ASCII, "x" * 256, "takes 256 bytes"),
    ],
)
def test_what_no_register_holds_is_not_written(unit: int, value: Value, words: str) -> None:
    with pytest.raises(ValueFormatError, match=words):
        encode_value(value, unit)


def test_the_most_that_a_register_holds() -> None:
    assert decode_value(ASCII, 0, encode_value("x" * 255, ASCII)[1]) == "x" * 255
    with pytest.raises(ValueFormatError, match=r"^Decimal"):  # so long that its end is not told
        encode_value(Decimal(2**2040), 0x28)
    assert len(encode_value(Decimal(2**2040 - 1), 0x28)[1]) == 255
    for unit in (0x28, BITS):
        assert decode_value(unit, 0, b"\xff" * 16) == 2**128 - 1
        with pytest.raises(ValueFormatError, match="a number of 17 bytes"):
            decode_value(unit, 0, bytes(17))
