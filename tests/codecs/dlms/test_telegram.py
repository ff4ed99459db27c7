"""What a pushed list becomes: times within it, what is unread, which of several values counts, and steps."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.dlms.axdr import (
    ARRAY,
    ENUM,
    INT8,
    NULL,
    OCTETS,
    STRUCTURE,
    UINT8,
    UINT32,
    Item,
)
from smart_meter_reader.codecs.dlms.date_time import parse_date_time
from smart_meter_reader.codecs.dlms.describe import describe_telegram
from smart_meter_reader.codecs.dlms.notification import Notification, TaglessValue
from smart_meter_reader.codecs.dlms.scales import NO_OWN_STEPS, OwnSteps
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram, Envelope, build_telegram

IMPORT, EXPORT = "0100010800ff", "0100020800ff"
VOLTAGE, CURRENT, FACTOR = "0100200700ff", "01001f0700ff", "01000d0700ff"
TARIFF, SWITCH, CLOCK = "0000600e00ff", "000060030aff", "0000010000ff"
TIME = bytes.fromhex("07ea0b1e010c000000ffc400")
OTHER_TIME = bytes.fromhex("07ea0b1e010d000000ffc400")
TEXT_OF_TWELVE = b"7 Nov 12:00 "
WATT_HOURS, AMPERES, VOLTS, NO_UNIT = 30, 33, 35, 255


def text(octets: bytes) -> Item:
    return Item(OCTETS, octets)


def coded(digits: str, value: Item, scaler: int | None = None, unit: int = NO_UNIT) -> Item:
    """An entry of a list: code, value, and scaler and unit where they are sent."""
    parts = [text(bytes.fromhex(digits)), value]
    if scaler is not None:
        parts.append(Item(STRUCTURE, [Item(INT8, scaler), Item(ENUM, unit)]))
    return Item(STRUCTURE, parts)


def built(
    *items: Item, time: bytes | None = None, own: OwnSteps = NO_OWN_STEPS, tag: int = ARRAY
) -> DlmsTelegram:
    told = None if time is None else parse_date_time(time)
    body = Item(tag, list(items))
    notification = Notification(7, told, time is not None, body, (), 0)
    return build_telegram(notification, Envelope(framing="hdlc"), own, 5)


def described(*values: TaglessValue) -> DlmsTelegram:
    return build_telegram(Notification(7, None, False, None, values, 0), Envelope(framing="none"))


def measured(*items: Item, own: OwnSteps = NO_OWN_STEPS) -> dict[str, str]:
    telegram = built(*items, own=own)
    return {key: f"{each['value']} {each['unit']}".rstrip() for key, each in telegram.measurements.items()}


@pytest.mark.parametrize(
    ("items", "time", "hour"),
    [
        ([coded(IMPORT, Item(UINT32, 5))], TIME, 12),
        ([coded(CLOCK, text(OTHER_TIME))], TIME, 12),
        ([coded(CLOCK, text(OTHER_TIME))], None, 13),
        ([coded(CLOCK, text(b"\xff" * 12)), coded(CLOCK, text(TIME))], None, 12),
        ([coded(CLOCK, text(TIME)), coded(CLOCK, text(OTHER_TIME))], None, 12),
        ([coded("0000010001ff", text(TIME))], None, None),
        ([coded("0100010000ff", text(TIME))], None, None),
        ([coded(CLOCK, Item(UINT32, 5))], None, None),
    ],
)
def test_the_clock_in_a_list_is_its_time_where_it_has_none_of_its_own(
    items: list[Item], time: bytes | None, hour: int | None
) -> None:
    told = built(*items, time=time).time
    assert (None if told is None else told.moment.hour) == hour


# Codes and values one after another, without scalers.
PAIRS = (text(bytes.fromhex(IMPORT)), Item(UINT32, 5), text(bytes.fromhex(EXPORT)), Item(UINT32, 6))


@pytest.mark.parametrize(
    ("items", "hour"),
    [
        ([text(TIME), *PAIRS], 12),
        ([text(TEXT_OF_TWELVE), *PAIRS], None),
        ([text(TIME[:-1]), *PAIRS], None),
        ([text(b"Kamstrup_V0001"), *PAIRS], None),
        ([text(b"x"), text(TIME), *PAIRS], None),
    ],
)
def test_a_list_without_codes_for_it_may_begin_with_its_time(items: list[Item], hour: int | None) -> None:
    telegram = built(*items, tag=STRUCTURE)
    assert telegram.layout == "flat"
    assert (None if telegram.time is None else telegram.time.moment.hour) == hour


def test_what_was_sent_as_nothing_is_not_there_and_what_is_no_value_is_unread() -> None:
    structure = Item(STRUCTURE, [Item(UINT8, 1)])
    telegram = built(
        coded(IMPORT, Item(NULL, None), 0, WATT_HOURS),
        coded(EXPORT, structure),
        coded(TARIFF, Item(UINT8, 1)),
        coded(TARIFF, Item(UINT8, 1)),
        coded(TARIFF, Item(UINT8, 2)),
    )
    assert {code: each["value"] for code, each in telegram.objects.items()} == {"0-0:96.14.0": 1}
    assert [(str(each.code), each.value) for each in telegram.unread] == [
        ("1-0:2.8.0", structure),
        ("0-0:96.14.0", Item(UINT8, 2)),
    ]
    assert isinstance(telegram.unread, tuple)
    assert (telegram.invoke_id, telegram.length, telegram.envelope) == (7, 5, Envelope(framing="hdlc"))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (coded(IMPORT, Item(UINT32, 5), 3, WATT_HOURS), {"active_energy_import": "5000 Wh"}),
        (coded(IMPORT, Item(UINT32, 5), 0, VOLTS), {}),
        (coded(IMPORT, Item(UINT32, 5), 0, NO_UNIT), {"active_energy_import": "5 Wh"}),
        (coded(CURRENT, Item(UINT32, 5), 0, NO_UNIT), {}),
        (coded(IMPORT, text(b"abc"), 0, WATT_HOURS), {}),
        (coded(FACTOR, Item(UINT32, 99), -2, NO_UNIT), {"power_factor": "0.99"}),
        (coded(FACTOR, Item(UINT32, 99)), {}),
        (coded(VOLTAGE, Item(UINT32, 2301), -1, VOLTS), {"voltage_l1": "230.1 V"}),
        # Bare volts have one step with which they are those of a house.
        (coded(VOLTAGE, Item(UINT32, 2301)), {"voltage_l1": "230.1 V"}),
        (coded(TARIFF, Item(UINT8, 2)), {"tariff": "2"}),
        (coded(TARIFF, text(b"T1")), {"tariff": "T1"}),
        (coded(TARIFF, text(b"")), {}),
        # A number in octets has four of them at most.
        (coded(TARIFF, text(b"\x01")), {"tariff": "1"}),
        (coded(TARIFF, text(b"\x01\x02\x03\x04")), {"tariff": str(0x01020304)}),
        (coded(TARIFF, text(b"\x01\x02\x03\x04\x05")), {"tariff": "0x0102030405"}),
    ],
)
def test_what_an_entry_measures(entry: Item, expected: dict[str, str]) -> None:
    assert measured(entry) == expected


def test_a_tariff_that_is_a_number_is_one_without_places() -> None:
    (told,) = built(coded(TARIFF, Item(UINT8, 2))).measurements.values()
    assert isinstance(told["value"], int)


def test_a_bare_number_is_worth_what_the_settings_say() -> None:
    entries = [coded(CURRENT, Item(UINT32, 5)), coded(FACTOR, Item(UINT32, 9))]
    telegram = built(*entries, own=OwnSteps(current=Decimal("0.1")))
    assert telegram.measurements == {"current_l1": {"value": Decimal("0.5"), "unit": "A"}}
    assert (telegram.unscaled, telegram.assumed) == (("power_factor",), frozenset({"current_l1"}))
    assert telegram.steps.current == Decimal("0.1")
    telegram = built(*entries)
    assert (telegram.unscaled, telegram.assumed) == (("current_l1", "power_factor"), frozenset())


def test_of_several_that_mean_the_same_the_first_counts() -> None:
    second = "01011f0700ff"  # of another channel
    assert measured(
        coded(CURRENT, Item(UINT32, 5), 0, AMPERES), coded(second, Item(UINT32, 6), 0, AMPERES)
    ) == {"current_l1": "5 A"}
    telegram = built(coded(CURRENT, Item(UINT32, 5)), coded(second, Item(UINT32, 6), 0, AMPERES))
    assert (telegram.measurements, telegram.unscaled) == ({}, ("current_l1",))


def test_a_range_scales_its_own_kind_alone() -> None:
    telegram = built(coded(VOLTAGE, Item(UINT32, 2301)), coded(CURRENT, Item(UINT32, 2301)))
    assert telegram.measurements == {"voltage_l1": {"value": Decimal("230.1"), "unit": "V"}}
    assert telegram.unscaled == ("current_l1",)
    other = "01000e0700ff"  # frequency: one step for it, another one for volts
    told = built(coded(VOLTAGE, Item(UINT32, 2301)), coded(other, Item(UINT32, 5000))).measurements
    assert {key: str(each["value"]) for key, each in told.items()} == {
        "voltage_l1": "230.1",
        "frequency": "50.00",
    }


@pytest.mark.parametrize(
    ("digits", "attribute", "expected"),
    [
        (SWITCH, 2, {"switch_position"}),
        (SWITCH, 3, {"switch_position"}),
        (SWITCH, 4, set()),
        (TARIFF, 3, set()),
    ],
)
def test_a_value_is_the_second_attribute_and_that_of_a_switch_its_third_too(
    digits: str, attribute: int, expected: set[str]
) -> None:
    telegram = described(TaglessValue(70, bytes.fromhex(digits), attribute, Item(ENUM, 1)))
    assert telegram.layout == "descriptors"
    assert telegram.measurements.keys() == expected


def test_what_is_told_of_a_telegram_and_nothing_else() -> None:
    plain = describe_telegram(built(coded(IMPORT, Item(UINT32, 5), 0, WATT_HOURS)))
    assert not {"unscaled", "unread", "unknown_list"} & plain.keys()
    told = describe_telegram(built(coded(CURRENT, Item(UINT32, 5)), coded(EXPORT, Item(STRUCTURE, []))))
    assert told["unscaled"] == ["current_l1"]
    assert told["unread"] == [{"code": "1-0:2.8.0", "attribute": 2, "type": "structure", "value": []}]
    unknown = describe_telegram(built(Item(UINT8, 1), Item(UINT8, 2)))
    assert [each["value"] for each in unknown["unknown_list"]] == [1, 2]
