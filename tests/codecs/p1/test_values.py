"""What stands between brackets, one by one: numbers with and without unit, texts, octets, and fillers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.p1.values import (
    Items,
    Octets,
    Times,
    Units,
    decode_identifier,
    decode_octets,
    is_empty_message,
    is_filler,
    is_number,
    parse_item,
    parse_several,
)
from smart_meter_reader.quantities.measurement import Value

TWENTY = "12345678901234567890"


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("001234.567*kWh", Decimal("1234.567"), "kWh"),
        ("001234*kWh ", Decimal(1234), "kWh"),
        ("-00.250*kW", Decimal("-0.250"), "kW"),
        ("+00.250*kW", Decimal("0.250"), "kW"),
        (" 00.250*kW", Decimal("0.250"), "kW"),  # a blank where a minus could stand
        ("00.250", Decimal("0.250"), ""),
        ("0002", "0002", ""),
        ("0002*", Decimal(2), ""),
        ("1.2.3*kWh", "1.2.3*kWh", ""),
        (f"{TWENTY}*Wh", Decimal(TWENTY), "Wh"),
        (f"{TWENTY}1*Wh", f"{TWENTY}1*Wh", ""),
        (f"{TWENTY[:18]}.1*Wh", Decimal(f"{TWENTY[:18]}.1"), "Wh"),
        ("001247.747kWh", Decimal("1247.747"), "kWh"),
        ("001247.747 kWh", Decimal("1247.747"), "kWh"),
        ("999A", "999A", ""),  # a serial number may end so
        ("210204163628W", "2021-02-04T16:36:28+01:00", ""),
        ("210704163628S", "2021-07-04T16:36:28+02:00", ""),
        ("210231163628W", "210231163628W", ""),
        ("", "", ""),
    ],
)
def test_one_item(text: str, value: Value, unit: str) -> None:
    assert parse_item(text) == {"value": value, "unit": unit}
    assert Items()[text] == {"value": value, "unit": unit}


def test_where_a_number_is_due_its_unit_needs_no_star() -> None:
    assert parse_item("999A", numeric=True) == {"value": Decimal(999), "unit": "A"}
    assert parse_item("999kwh ", numeric=True) == {"value": Decimal(999), "unit": "kwh"}
    assert parse_item(f"{TWENTY}1A", numeric=True)["value"] == f"{TWENTY}1A"
    assert parse_item("999Z", numeric=True) == {"value": "999Z", "unit": ""}


@pytest.mark.parametrize(
    ("texts", "numeric", "values"),
    [
        (["101209112500W", "12785.123*m3"], False, ["2010-12-09T11:25:00+01:00", Decimal("12785.123")]),
        (["1", "0-1:24.2.1", "999A"], False, ["1", "0-1:24.2.1", "999A"]),
        (["1", "0-1:24.2.1", "999A"], True, ["1", "0-1:24.2.1", Decimal(999)]),
        (["999A", "0002"], True, ["999A", "0002"]),
        (["-1.5*kW", f"{TWENTY}*Wh"], False, [Decimal("-1.5"), Decimal(TWENTY)]),
        (["1", f"{TWENTY}1*Wh"], True, ["1", f"{TWENTY}1*Wh"]),
        (["1.5*kW", "2.5*kW", "999A"], True, [Decimal("1.5"), Decimal("2.5"), Decimal(999)]),
        (["1.2.3*kWh", "rubbish*kWh"], False, ["1.2.3*kWh", "rubbish*kWh"]),
    ],
)
def test_several_items_of_a_line(texts: list[str], numeric: bool, values: list[Value]) -> None:
    for known in (Items(), Items({text: parse_item(text) for text in texts})):
        assert [item["value"] for item in parse_several(texts, known, numeric=numeric)] == values


def test_the_units_of_several_items_lack_their_blanks() -> None:
    items = parse_several(["00.250*kW", "00.500* kvar "], Items(), numeric=False)
    assert [item["unit"] for item in items] == ["kW", "kvar"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", True),
        ("00.1", True),
        ("-1", True),
        ("-1.5", True),
        ("1.", True),  # the methods of str take it, and Decimal too
        ("1.2.3", False),
        ("+1", True),
        ("+-1", False),
        ("1E5", False),
        ("", False),
        (TWENTY, True),
        (TWENTY + "1", False),
    ],
)
def test_what_is_a_number(text: str, number: bool) -> None:
    assert is_number(text) is number


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("4B384547303034303436333935353037", "K8EG004046395507"),
        ("3153414733323030303031323334", "1SAG3200001234"),
        ("4730303339", "G0039"),
        ("77512345", "77512345"),
        ("3960221976967177", "3960221976967177"),
        ("303132333435", "012345"),
        ("4131", "4131"),  # A1: too little to tell
        ("414243443132333435", "ABCD12345"),
        ("41424344", "41424344"),
        # A number spells an identifier where half of that is digits.
        ("4142434431323334", "ABCD1234"),
        ("4142434445313233", "4142434445313233"),
        ("4B2D31", "K-1"),  # no number, so it is octets whatever they spell
        ("K8EG0040", "K8EG0040"),
        ("FFFFFFFF", ""),
        ("00000000", "00000000"),
        (" 0000 ", "0000"),
        ("", ""),
    ],
)
def test_serial_numbers_are_octets_or_as_they_are(text: str, decoded: str) -> None:
    assert decode_identifier(text) == decoded
    assert Octets()[text] == decoded


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("48656C6C6F", "Hello"),
        ("48656c6c6fFF00", "Hello"),
        ("4865201B", "4865201B"),
        ("48E4", "48E4"),
        ("486", "486"),
        ("20484920", "HI"),
        (" Hello\xff ", "Hello\xff"),
        ("Hello \xff\xff", "Hello"),
    ],
)
def test_texts_are_octets_or_as_they_are(text: str, decoded: str) -> None:
    assert decode_octets(text) == decoded


@pytest.mark.parametrize(
    ("text", "filler", "empty"),
    [
        ("", True, True),
        ("FFFF", True, True),
        ("FFF", True, True),
        ("ff 00", True, True),
        ("\xff\xff", True, True),
        ("2020", False, True),
        ("   ", True, True),
        ("4869", False, False),
        ("Hi", False, False),
    ],
)
def test_what_fills_a_message_is_none(text: str, filler: bool, empty: bool) -> None:
    assert (is_filler(text), is_empty_message(text)) == (filler, empty)


def test_what_is_remembered_is_bounded() -> None:
    units, times, octets, items = Units(), Times(), Octets(), Items()
    for number in range(64):
        assert units[f"u{number}"] == f"u{number}"
        assert times[f"t{number}"] is None
        assert octets[f"o{number}"] == f"o{number}"
        assert items[f"i{number}"]["value"] == f"i{number}"
    memories: tuple[dict[str, object], ...] = (units, times, octets, items)  # type: ignore[assignment]
    assert [len(each) for each in memories] == [64] * 4
    for memory in memories:
        memory["another"]
    assert [len(each) for each in memories] == [1] * 4
    long = "x" * 16
    assert items[long]["value"] == long
    assert items[long + "x"]["value"] == long + "x"
    assert list(items) == ["another", long], "what is longer will hardly come again"
    spellings = {"kwh": "kWh", "KWH ": "kWh", "m3": "m³", "Unit ": "Unit", "ltr ": "L"}
    assert {text: units[text] for text in spellings} == spellings


def test_a_time_is_remembered_as_a_clock_tells_it() -> None:
    times = Times()
    told = datetime.fromisoformat("2021-02-04T16:36:28+01:00")
    moment = times.remember("now", told)
    assert moment is not None
    assert (moment, moment.tzinfo) == (told, UTC)
    assert times["now"] is moment
    assert times.remember("never set", told.replace(year=2005)) is None
