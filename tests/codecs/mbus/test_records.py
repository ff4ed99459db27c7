"""M-Bus records: every published telegram exactly, the traps of the wild, and what Hypothesis thinks of."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.mbus.encode import (
    RecordPlace,
    bcd_record,
    date_record,
    integer_record,
    moment_record,
)
from smart_meter_reader.codecs.mbus.frame import LongFrame
from smart_meter_reader.codecs.mbus.records import Record, parse_records
from smart_meter_reader.codecs.mbus.telegram import (
    APPLICATION_ERROR,
    FIXED,
    SHORT_HEADER,
    VARIABLE,
    ApplicationError,
    joined_telegrams,
    parse_telegram,
)
from smart_meter_reader.codecs.mbus.value_information import is_text_vif
from smart_meter_reader.exceptions import MalformedError, ProtocolError
from tests.codecs.mbus.captures import CAPTURES, Entry, wire
from tests.codecs.mbus.encoded import real_record, text_record
from tests.codecs.mbus.test_frame import read

READ = {
    name: entry
    for name, entry in CAPTURES.items()
    if any("records" in each for each in entry["decoded_by_collector"]) and name != "mbus-bad-checksum"
}


def one(octets: str | bytes) -> Record:
    """The only record of these octets."""
    (record,) = parse_records(bytes.fromhex(octets) if isinstance(octets, str) else octets).records
    return record


def long_frame(raw: bytes) -> LongFrame:
    (frame,) = read(raw)
    assert isinstance(frame, LongFrame)
    return frame


@pytest.mark.parametrize("entry", READ.values(), ids=READ)
def test_a_capture_gives_exactly_what_was_decoded_of_it(entry: Entry) -> None:
    (wanted,) = entry["decoded_by_collector"]
    telegram = parse_telegram(long_frame(bytes.fromhex(entry["bytes_hex"])))
    header = telegram.header
    assert (header.id, header.maker, header.version, header.medium_name, header.access) == tuple(
        wanted[key] for key in ("id", "manufacturer", "version", "medium", "access")
    )
    expected = [each for each in wanted["records"] if "kind" not in each]
    assert len(telegram.records) == len(expected)
    for record, each in zip(telegram.records, expected, strict=True):
        _compare(record, each)
    assert telegram.more == any("more records follow" in each.get("kind", "") for each in wanted["records"])


def _compare(record: Record, each: dict[str, Any]) -> None:
    assert (record.function, record.storage, record.tariff, record.subunit) == tuple(
        each[key] for key in ("function", "storage", "tariff", "subunit")
    )
    assert record.unit == each["unit"]
    try:
        assert record.value == Decimal(each["value"]), each
    except InvalidOperation:
        missing = "invalid" in each["value"] or "not available" in each["value"]
        assert record.value == (None if missing else each["value"])
    # What the maker alone knows, and what another quantity has become of, is not called by the plain name.
    plain = not each.get("modifiers") or each["modifiers"] == ["only positive"]
    if each["quantity"] != "manufacturer specific":
        assert (record.quantity == each["quantity"]) == plain
        assert record.quantity.startswith(each["quantity"])


@pytest.mark.parametrize(
    ("octets", "value", "unit"),
    [
        pytest.param("0c2b990000f0", Decimal(-99), "W", id="libmbus#191 negative BCD"),
        pytest.param("0a6200f0", Decimal("0.0"), "K", id="minus nothing"),
        pytest.param("0406ffffffff", Decimal(-1000), "Wh", id="two's complement"),
        pytest.param("04fb0060830000", Decimal("3363.2"), "MWh", id="FB 00 is tenths of MWh"),
        pytest.param("04fb0929940000", Decimal(37929), "GJ", id="FB 09 is GJ"),
        pytest.param("02fd48fb08", Decimal("229.9"), "V", id="FD 48 is tenths of a volt"),
        pytest.param("04fd59e8030000", Decimal("1.000"), "A", id="FD 59 is mA"),
        pytest.param("04947401000000", Decimal("0.0001"), "m3", id="VIFE 74 is hundredths"),
        pytest.param("04867d01000000", Decimal(1_000_000), "Wh", id="VIFE 7D is thousands"),
        pytest.param("02fc0348522574d411", Decimal("45.64"), "%RH", id="plain text unit, then VIFE 74"),
        # rscada/libmbus test/test-frames/example_plain_text_placement (BSD-3-Clause)
        pytest.param("03fc2003434241153100", Decimal(12565), "ABC", id="plain text unit behind its VIFE"),
        pytest.param("02fcf47603485225d411", Decimal("45.64"), "%RH", id="plain text unit behind two VIFE"),
        # rscada/libmbus test/test-frames/landis+gyr_ultraheat_t230 (BSD-3-Clause)
        pytest.param("9410da6f32147a18", "2011-08-26T20:50", "", id="when a peak was has no degrees"),
        pytest.param("01fd1780", Decimal(128), "", id="flags have no sign"),
        pytest.param("0d06c412345678", Decimal(78563412000), "Wh", id="LVAR C4: eight digits"),
        pytest.param("0d06d20001", Decimal(-100000), "Wh", id="LVAR D2: four digits, negative"),
        pytest.param("0d06e30a0000", Decimal(10000), "Wh", id="LVAR E3: three octets"),
        pytest.param("0d780441424344", "DCBA", "", id="LVAR below C0: text backwards"),
        pytest.param("046d1a2f6511", "2011-01-05T15:26", "", id="type F"),
        pytest.param("426c5f1c", "2010-12-31", "", id="type G"),
        pytest.param("066d0a1a0f651100", "2011-01-05T15:26:10", "", id="type I"),
        pytest.param("036d0a1a0f", "15:26:10", "", id="type J"),
        pytest.param("046d1aaf6511", "2011-01-05T15:26", "", id="in summer time"),
    ],
)
def test_values(octets: str, value: Decimal | str, unit: str) -> None:
    record = one(octets)
    assert (record.value, record.unit) == (value, unit)
    assert str(record.value) == str(value)  # with all its decimals, and written out


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("040600000080", "not available"),
        ("0106" + "80", "not available"),
        ("0c06ddebbddd", "no number: BCD DDBDEBDD has B, D, E for a digit"),
        ("0b3bffffff", "which stands for not available"),
        ("0a5a00f1", ""),
        ("426cffff", "not set"),
        ("426c0000", "not set"),
        ("046d00000000", "not set"),
        ("046d9ae9170b", "marked as invalid"),
        ("426cfffc", "no date"),
        ("426c1f0e", "no date"),
        ("046d1a386511", "no time of day"),
        ("055b0000c07f", "no number"),
        ("055b0000807f", "no number"),
        ("0406" + "00" * 4, ""),
        ("0006", "no value was sent"),
        ("0806", "no value was sent"),
        ("048615" + "00000000", "no data available"),
    ],
)
def test_what_stands_for_no_value_is_left_out(octets: str, why: str) -> None:
    record = one(octets)
    assert (record.value is None) == bool(why)
    assert why in record.missing


@pytest.mark.parametrize(
    ("vife", "words", "value", "unit"),
    [
        (0x40, "lower limit", "7000", "Wh"),
        (0x48, "upper limit", "7000", "Wh"),
        # A count or a duration of its own unit: the kWh of the VIF scale neither.
        (0x41, "times below lower limit", "7", ""),
        (0x49, "times above upper limit", "7", ""),
        (0x50, "duration of first exceed of lower limit", "7", "seconds"),
        (0x55, "duration of last exceed of lower limit", "7", "minutes"),
        (0x5A, "duration of first exceed of upper limit", "7", "hours"),
        (0x5F, "duration of last exceed of upper limit", "7", "days"),
        (0x60, "duration of first", "7", "seconds"),
        (0x67, "duration of last", "7", "days"),
        # E110 1 u 0 0, E110 1001 and E110 1101: values, and no dates.
        (0x68, "during exceed of lower limit", "7000", "Wh"),
        (0x69, "leakage", "7000", "Wh"),
        (0x6C, "during exceed of upper limit", "7000", "Wh"),
        (0x6D, "overflow", "7000", "Wh"),
        (0x78, "additive correction", "7000", "Wh"),
        (0x7B, "additive correction", "7000", "Wh"),
        (0x70, "", "0.007", "Wh"),
        (0x77, "", "70000", "Wh"),
    ],
)
def test_what_a_vife_makes_of_seven_kilowatt_hours(vife: int, words: str, value: str, unit: str) -> None:
    # EN 13757-3, 6.4.6; The M-Bus: A Documentation, 8.4.5.
    record = one(bytes([0x01, 0x86, vife, 7]))
    assert record.quantity == ", ".join(filter(None, ("energy", words)))
    assert (str(record.value), record.unit, record.modifiers) == (value, unit, (words,) if words else ())


@pytest.mark.parametrize(
    ("vife", "words"),
    [
        (0x39, "start"),
        (0x42, "date of begin of first exceed of lower limit"),
        (0x47, "date of end of last exceed of lower limit"),
        (0x4A, "date of begin of first exceed of upper limit"),
        (0x4F, "date of end of last exceed of upper limit"),
        (0x6A, "date of begin of first"),
        (0x6F, "date of end of last"),
    ],
)
def test_what_a_vife_makes_a_date_of(vife: int, words: str) -> None:
    record = one(bytes([0x02, 0x86, vife, 0x5F, 0x1C]))
    assert (record.quantity, record.value, record.unit) == (f"energy, {words}", "2010-12-31", "")


def test_what_one_vife_says_the_next_one_does_not_take_back() -> None:
    # 39h makes a date of it and 41h a count without a unit, whose values are positive only (3Bh).
    record = one("0286b93b5f1c")
    assert (record.quantity, record.value, record.unit) == ("energy, start", "2010-12-31", "")
    record = one("0186c13b07")
    assert (record.quantity, record.value, record.unit) == (
        "energy, times below lower limit",
        Decimal(7),
        "",
    )


@pytest.mark.parametrize(("octets", "vif"), [("04fd0f00000000", "fd0f"), ("0486f03b00000000", "86f03b")])
def test_a_record_keeps_its_value_information_as_sent(octets: str, vif: str) -> None:
    assert one(octets).vif.hex() == vif


@pytest.mark.parametrize(("vif", "text"), [("7c", 1), ("fc3b", 1), ("06", 0), ("867c", 0), ("fd7c", 0)])
def test_of_which_records_the_unit_is_text(vif: str, text: int) -> None:
    assert is_text_vif(bytes.fromhex(vif)) is bool(text)


def test_powers_upon_powers_are_no_number() -> None:
    record = one("0486" + "fd" * 8 + "7d" + "01000000")
    assert record.value is None
    assert "ten to the power" in record.missing


@pytest.mark.parametrize(
    ("octets", "quantity", "modifiers"),
    [
        ("04863b00000000", "energy", ("only positive",)),
        ("04863c00000000", "energy, only negative", ("only negative",)),
        ("0486ff0200000000", "energy, VIFE FF, VIFE 02", ("ff", "02")),
        ("04863d00000000", "energy, VIFE 3D", ("3d",)),
        ("04860000000000", "energy", ()),
        ("04867c00000000", "energy, VIFE 7C 00", ("7c 00",)),
        # Behind FD, 7F is no maker's: what follows is of the standard.
        ("04fdff3b00000000", "unknown VIF FD 7F", ("only positive",)),
        # E100 u f 1 b are dates; where that 1 is 0 and f is 1, no table has them.
        ("04864400000000", "energy, VIFE 44", ("44",)),
        ("04864500000000", "energy, VIFE 45", ("45",)),
        ("04864c00000000", "energy, VIFE 4C", ("4c",)),
        ("04864d00000000", "energy, VIFE 4D", ("4d",)),
        ("04ff0700000000", "manufacturer specific", ("07",)),
        ("049028a0860100", "volume, per pulse of input 0", ("per pulse of input 0",)),
        ("04a9fc0100000000", "power, phase L1", ("phase L1",)),
        ("04a9fc7f00000000", "power, VIFE FC 7F", ("fc 7f",)),
        ("046f00000000", "unknown VIF 6F", ()),
        ("04fd7f00000000", "unknown VIF FD 7F", ()),
        ("42ec7eff1c", "date, future value", ("future value",)),
        ("04ed6a00000000", "date time, date of begin of first", ("date of begin of first",)),
    ],
)
def test_what_extends_a_unit_is_in_the_name_of_the_quantity(
    octets: str, quantity: str, modifiers: tuple[str, ...]
) -> None:
    record = one(octets)
    assert (record.quantity, record.modifiers) == (quantity, modifiers)


@pytest.mark.parametrize(
    ("lvar", "octets", "value"),
    [
        (0xBF, 191, "A" * 191),
        (0xC0, 0, None),
        (0xC9, 9, Decimal(414141414141414141)),
        (0xD0, 0, None),
        (0xD9, 9, Decimal(-414141414141414141)),
        (0xE0, 0, None),
        (0xE8, 8, Decimal(0x4141414141414141)),
        (0xE9, 9, "41" * 9),
        (0xEF, 15, "41" * 15),
        (0xF0, 16, "41" * 16),
        (0xF4, 32, "41" * 32),
        (0xF5, 48, "41" * 48),
        (0xF6, 64, "41" * 64),
    ],
)
def test_how_many_octets_lvar_says_follow(lvar: int, octets: int, value: Decimal | str | None) -> None:
    # EN 13757-3, 6.4.4: text, BCD, negative BCD, binary, and long binary in fours of octets.
    raw, behind = bytes([0x0D, 0x13, lvar]) + b"A" * octets, bytes.fromhex("01060a")
    first, second = parse_records(raw + behind).records
    wanted = value.scaleb(-3) if isinstance(value, Decimal) else value
    assert (first.value, first.raw, first.end) == (wanted, b"A" * octets, len(raw))
    assert first.missing == ("no value was sent" if value is None else "")
    assert (second.value, second.raw, second.end) == (Decimal(10_000), b"\x0a", len(raw) + 3)


@pytest.mark.parametrize("lvar", [0xCA, 0xCF, 0xDA, 0xDF, 0xF7, 0xFF])
def test_no_lvar_stands_for_another_length(lvar: int) -> None:
    with pytest.raises(MalformedError, match=f"no LVAR {lvar:02X}h"):
        parse_records(bytes([0x0D, 0x13, lvar]) + bytes(100))


def test_long_binary_has_its_most_significant_octet_first() -> None:
    assert one("0d13e9" + "010203040506070809").value == "090807060504030201"


def test_a_date_is_one_in_a_binary_field_alone() -> None:
    assert one("426c5f1c").value == "2010-12-31"
    assert one("096c12").value == Decimal(12)
    assert one("0a6c3412").value == Decimal(1234)
    assert one("056c0000803f").value == Decimal(1)


def test_where_each_record_ends() -> None:
    parsed = parse_records(bytes.fromhex("2f0406 010000002f2f0c13 785634120f aabb"))
    assert [(record.raw.hex(), record.end) for record in parsed.records] == [
        ("01000000", 7),
        ("78563412", 15),
    ]
    assert (parsed.makers, parsed.more) == (b"\xaa\xbb", False)


@pytest.mark.parametrize(
    ("dif", "function"), [("01", "instantaneous"), ("11", "maximum"), ("21", "minimum"), ("31", "error")]
)
def test_what_kind_of_value_it_is(dif: str, function: str) -> None:
    assert one(dif + "060a").function == function


def test_a_global_readout_request_among_records_is_passed_over() -> None:
    assert [record.value for record in parse_records(bytes.fromhex("7f01060a")).records] == [Decimal(10_000)]


@pytest.mark.parametrize("extensions", [10, 11])
def test_ten_extensions_are_the_most(extensions: int) -> None:
    raw = bytes([0x81]) + b"\x80" * (extensions - 1) + b"\x01" + bytes.fromhex("060a")
    if extensions == 10:
        assert one(raw).storage == 1 << 37
        return
    with pytest.raises(MalformedError, match="more than 10 DIFE"):
        parse_records(raw)


def test_numbers_of_storage_tariff_and_subunit() -> None:
    assert one("c4c0400600000000").subunit == 3
    assert one("c4840006" + "00" * 4).storage == 9
    assert one("8420fb00" + "00" * 4).tariff == 2


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        ("04" + "06" + "0000", "ends inside the value"),
        ("84", "ends inside DIFE"),
        ("04", "ends inside VIF"),
        ("0486", "ends inside VIFE"),
        ("0d78", "ends inside LVAR"),
        ("0d78f9", "no LVAR F9h"),
        ("3f06", "no DIF 3Fh"),
        ("02fc1348", "ends inside the text VIF"),
        ("84" + "80" * 11 + "06", "more than 10 DIFE"),
        ("04" + "86" + "bb" * 11 + "00", "more than 10 VIFE"),
    ],
)
def test_what_cannot_be_told_from_what_follows_ends_the_telegram(octets: str, what: str) -> None:
    with pytest.raises(MalformedError, match=what) as caught:
        parse_records(bytes.fromhex("0406" + "01000000" + octets))
    assert caught.value.reason == "records"


def test_a_text_unit_is_sought_before_its_vife_first() -> None:
    """Where what follows could be one in either place: "!", or 33 letters behind a VIFE."""
    record = one(b"\x0d\xfc\x01!" + b"\x3b\x20" + b"A" * 32)
    assert (record.unit, record.modifiers, record.value) == ("!", ("only positive",), "A" * 32)


def test_octets_that_are_no_letters_are_no_text_unit() -> None:
    """VIFE 20, then ABC; not 32 letters, as many as octets follow."""
    raw = bytes.fromhex("03fc2003434241153100" + "01060a" * 10)
    first, *others = parse_records(raw).records
    assert (first.unit, first.modifiers) == ("ABC", ("per second",))
    assert [record.value for record in others] == [Decimal(10_000)] * 10


@pytest.mark.parametrize("vifes", ["", "f4", "f4f4"])
def test_a_text_unit_that_does_not_come_ends_the_telegram(vifes: str) -> None:
    with pytest.raises(MalformedError, match="ends inside"):
        parse_records(bytes.fromhex("02fc" + vifes))


def test_fillers_and_what_is_the_makers() -> None:
    parsed = parse_records(bytes.fromhex("2f2f04060100000" + "02f2f1f" + "aabb"))
    assert [record.value for record in parsed.records] == [Decimal(1000)]
    assert (parsed.makers, parsed.more) == (b"\xaa\xbb", True)
    assert parse_records(b"") == parse_records(b"\x2f\x2f")
    assert parse_records(b"\x0f").makers == b""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mbus-mode2-msb-first", "byte_order"),
        ("mbus-error-busy", "meter_busy"),
        ("mbus-bad-too-many-dife", "records"),
        ("mbus-bad-premature-vif", "records"),
    ],
)
def test_what_is_not_read_says_why(name: str, reason: str) -> None:
    if name not in CAPTURES:
        pytest.skip("this capture may not be given on, and is not here")
    with pytest.raises(ProtocolError) as caught:
        parse_telegram(long_frame(wire(name)))
    assert caught.value.reason == reason


def test_headers_of_every_kind() -> None:
    record = bytes.fromhex("040601000000")
    none = parse_telegram(LongFrame(0x08, 1, 0x78, record))
    short = parse_telegram(LongFrame(0x08, 1, 0x7A, bytes((7, 4, 0, 0)) + record))
    assert none.records == short.records
    assert (short.header.access, short.header.states) == (7, ("low power",))
    encrypted = LongFrame(0x08, 1, 0x7A, bytes((7, 4, 0x10, 0x05)) + bytes(16))
    with pytest.raises(MalformedError, match="encrypted"):
        parse_telegram(encrypted)
    with pytest.raises(MalformedError, match="encrypted"):
        parse_telegram(encrypted._replace(payload=encrypted.payload[:4] + b"\x2f\x2e" + record))
    # What begins with two fillers was opened already, as AES mode 5 has it.
    opened = parse_telegram(encrypted._replace(payload=encrypted.payload[:4] + b"\x2f\x2f" + record))
    assert opened.records == none.records
    with pytest.raises(MalformedError, match="12 octets, 3 were sent"):
        parse_telegram(LongFrame(0x08, 1, 0x72, b"abc"))
    with pytest.raises(ApplicationError, match="too many records"):
        parse_telegram(LongFrame(0x08, 1, 0x70, b"\x03"))
    for ci, reason in (
        (0x00, "dlms"),
        (0x1F, "dlms"),
        (0x20, "control_information"),
        (0x71, "alarm"),
        (0x75, "control_information"),
        (0x76, "byte_order"),
        (0x77, "byte_order"),
    ):
        with pytest.raises(ProtocolError) as caught:
            parse_telegram(LongFrame(0x08, 1, ci, b"abc"))
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "without a reason"),
        (b"\x00", "an unspecified error"),
        (b"\x01", "the CI field is not implemented"),
        (b"\x02", "the buffer is too long"),
        (b"\x03", "too many records"),
        (b"\x04", "premature end of a record"),
        (b"\x05", "more than ten DIFE"),
        (b"\x06", "more than ten VIFE"),
        (b"\x07", "error 7"),
        (b"\x08", "the application is too busy to answer"),
        (b"\x09", "too many readouts"),
        (b"\x0a", "error 10"),
    ],
)
def test_errors_that_a_meter_tells(payload: bytes, words: str) -> None:
    # EN 13757-3, 8; only one that is busy will answer later.
    with pytest.raises(ApplicationError) as caught:
        parse_telegram(LongFrame(0x08, 1, 0x70, payload))
    assert caught.value.detail == f"the meter answers: {words}"
    busy = payload == b"\x08"
    assert (caught.value.busy, caught.value.reason) == (busy, "meter_busy" if busy else "meter_refuses")
    assert caught.value.code == (payload[0] if payload else None)


def test_control_information_that_is_sent_too() -> None:
    # EN 13757-3, table 1.
    assert (VARIABLE, FIXED, SHORT_HEADER, APPLICATION_ERROR) == (0x72, 0x73, 0x7A, 0x70)


def test_telegrams_of_one_readout_are_joined_behind_the_first_header() -> None:
    parts = [
        parse_telegram(LongFrame(0x08, 1, 0x7A, bytes((access, 0, 0, 0)) + bytes.fromhex(octets)))
        for access, octets in ((1, "0406010000001f"), (2, "0406020000001faa"), (3, "0406030000000fbb"))
    ]
    whole = joined_telegrams(parts)
    assert (whole.header.access, whole.more, whole.makers) == (1, False, b"\xaa\xbb")
    assert [record.value for record in whole.records] == [Decimal(1000), Decimal(2000), Decimal(3000)]
    assert whole.octets == b"".join(part.octets for part in parts)
    assert joined_telegrams(parts[:2]).more


def test_two_fixed_counters() -> None:
    # The M-Bus: A Documentation, 6.5: 1 L now, and 135 L at the set day.
    raw = bytes.fromhex("68131368080573785634120a00e97e01000000350100003c16")
    telegram = parse_telegram(long_frame(raw))
    assert (telegram.header.id, telegram.header.medium_name) == ("12345678", "water")
    assert (telegram.fixed, parse_telegram(LongFrame(0x08, 1, 0x78, b"")).fixed) == (True, False)
    assert [(each.quantity, each.value, each.unit, each.storage) for each in telegram.records] == [
        ("volume", Decimal(1), "l", 0),
        ("volume", Decimal(135), "l", 1),
    ]


def test_binary_fixed_counters_have_a_sign() -> None:
    # The M-Bus: A Documentation, 6.5: status bit 0 says "signed binary", bit 1 "at the set day".
    octets = bytes.fromhex("78563412" + "0a03" + "2f35" + "ffffffff" + "e8030000")
    telegram = parse_telegram(LongFrame(0x08, 5, 0x73, octets))
    assert [(each.quantity, each.value, each.unit, each.storage) for each in telegram.records] == [
        ("volume flow", Decimal(-1), "ml/h", 1),
        ("volume flow", Decimal(1000), "m3/h", 1),
    ]


places = st.builds(
    RecordPlace,
    st.sampled_from(("instantaneous", "maximum", "minimum", "error")),
    st.integers(0, (1 << 41) - 1),
    st.integers(0, (1 << 20) - 1),
    st.integers(0, (1 << 10) - 1),
)


@given(place=places, number=st.integers(-(2**31) + 1, 2**31 - 1))
def test_binary_numbers_come_back(place: RecordPlace, number: int) -> None:
    record = one(integer_record(number, b"\x13", place=place))
    assert record.value == Decimal(number).scaleb(-3)
    assert (record.function, record.storage, record.tariff, record.subunit) == (
        place.function,
        place.storage,
        place.tariff,
        place.subunit,
    )


@given(st.integers(-9_999_999, 99_999_999))
def test_decimal_numbers_come_back(number: int) -> None:
    assert one(bcd_record(number, b"\x05")).value == number * 100


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floating_numbers_come_back(number: float) -> None:
    assert float(one(real_record(number, b"\x2b")).value or 0) == number


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=191))
def test_texts_come_back(text: str) -> None:
    assert one(text_record(text, b"\xfd\x11")).value == text


@given(st.datetimes(datetime(2000, 1, 1), datetime(2080, 12, 31)))  # noqa: DTZ001 - as a meter's clock
def test_dates_come_back(when: datetime) -> None:
    assert one(moment_record(when)).value == when.isoformat(timespec="minutes")
    assert one(date_record(when.date())).value == date.isoformat(when.date())


@given(st.binary(max_size=250), st.sampled_from((0x72, 0x73, 0x78, 0x7A, 0x70)))
def test_whatever_a_meter_says_is_a_telegram_or_an_error(payload: bytes, ci: int) -> None:
    try:
        telegram = parse_telegram(LongFrame(0x08, 1, ci, payload))
    except ProtocolError:
        return
    for record in telegram.records:
        assert (record.value is None) == bool(record.missing)
