"""Layouts by structure, lists without codes by table, steps by model: made-up lists beside the captures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.dlms.axdr import (
    ARRAY,
    BOOLEAN,
    ENUM,
    INT8,
    OCTETS,
    STRUCTURE,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    VISIBLE,
    Item,
    encode_item,
)
from smart_meter_reader.codecs.dlms.describe import describe_telegram
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.positional import POSITIONAL, find_positions
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from tests.codecs.dlms.vectors import read

_TAGS = {"o": OCTETS, "8": UINT64, "4": UINT32, "2": UINT16, "1": UINT8, "e": ENUM, "b": 0x03, "a": ARRAY}


def number(value: int) -> Item:
    return Item(UINT32, value)


def code(digits: str) -> Item:
    return Item(OCTETS, bytes.fromhex(digits))


def scaler_unit(scaler: int, unit: int) -> Item:
    return Item(STRUCTURE, [Item(INT8, scaler), Item(ENUM, unit)])


def pushed(*objects: tuple[int, str, int]) -> Item:
    return Item(
        ARRAY,
        [
            Item(STRUCTURE, [Item(UINT16, kind), code(digits), Item(INT8, attribute), Item(UINT16, 0)])
            for kind, digits, attribute in objects
        ],
    )


def telegram_of(*items: Item) -> DlmsTelegram:
    apdu = b"\xe6\xe7\x00\x0f\0\0\0\1\0" + encode_item(Item(STRUCTURE, list(items)))
    (found,) = read(encode_hdlc(apdu))
    assert isinstance(found, DlmsTelegram), found
    return found


def values(telegram: DlmsTelegram) -> dict[str, str]:
    return {key: f"{each['value']} {each['unit']}" for key, each in telegram.measurements.items()}


IMPORT, POWER, VOLTAGE, PUSH = "0100010800ff", "0100010700ff", "0100200700ff", "0000190900ff"


@pytest.mark.parametrize("line", POSITIONAL, ids=lambda line: f"{line.make} {line.types}")
def test_every_line_of_the_table_names_each_value(line: object) -> None:
    assert isinstance(line, type(POSITIONAL[0]))
    assert len(line.codes) == len(line.types)
    assert all(code.count(".") == 2 for code in line.codes if code)
    for total, parts in line.sums:
        assert line.codes[total].endswith(".8.0")
        assert all(line.codes[part].startswith(line.codes[total][:-1]) for part in parts)
    first = b"12345678" if line.numbered else line.begins + b"x"
    items = [Item(_TAGS[letter], first if letter == "o" else 0) for letter in line.types]
    assert find_positions(items) is line


def test_a_list_whose_total_is_not_that_of_its_parts_is_another_one() -> None:
    name = Item(OCTETS, b"ISK1030700000031")
    right = telegram_of(name, *map(number, (700, 0, 30, 10, 20, 7, 3, 4)))
    assert values(right)["active_energy_import_tariff_2"] == "20 Wh"
    wrong = telegram_of(name, *map(number, (700, 0, 31, 10, 20, 7, 3, 4)))
    assert len(wrong.unknown_list) == 9
    assert wrong.measurements == {}


def croatian(high_tariff: int) -> DlmsTelegram:
    """Iskraemeco's IE.5, as amsreader-firmware #1072 has it, with other numbers."""
    limits = [Item(ARRAY, [Item(UINT16, 9400)])] * 3
    return telegram_of(
        *(
            Item(OCTETS, b"92000001"),
            Item(OCTETS, b"\x17\x37\x28\0"),
            Item(OCTETS, bytes.fromhex("07e90c1305")),
        ),
        *map(number, (7088, high_tariff, 2143, 5793, 5742, 51, 1568, 1242, 56, 1390, 382, 0)),
        Item(UINT16, 889),
        *map(number, (127, 189, 65, 0, 0, 0)),
        *(Item(UINT16, each) for each in (2388, 2357, 2377, 55, 89, 77)),
        *(number(17250), *limits, Item(BOOLEAN, 1)),
    )


def test_croatia() -> None:
    found = croatian(4945)
    assert (found.layout, found.identity.serial_number) == ("positional", "92000001")
    told = values(found)
    assert told["active_energy_import"] == "7088 Wh"
    assert told["active_energy_export_tariff_2"] == "51 Wh"
    assert told["active_power_import"] == "382 W"
    assert told["active_power_import_l2"] == "189 W"
    assert (told["voltage_l1"], told["current_l3"], told["power_factor"]) == ("238.8 V", "0.77 A", "0.889 ")
    # A list of the same types of which the totals are not those of the tariffs is another one.
    other = croatian(4946)
    assert (other.layout, other.measurements, len(other.unknown_list)) == ("unknown", {}, 33)


def test_vienna() -> None:
    """The logical name of the push setup comes first, and is not taken for a code with a value."""
    found = telegram_of(
        *(code("0006190900ff"), Item(OCTETS, b"1121378381199"), Item(OCTETS, bytes.fromhex("150b1700"))),
        Item(OCTETS, bytes.fromhex("07e8050702")),
        *map(number, (14369024, 420837, 1455864, 2293936, 0, 51)),
        *(Item(OCTETS, b""), Item(OCTETS, b"")),
    )
    assert (values(found)["active_energy_import"], values(found)["active_power_export"]) == (
        "14369024 Wh",
        "51 W",
    )
    assert found.identity.serial_number == "1121378381199"


@pytest.mark.parametrize("itself", [True, False])
def test_push_objects_with_and_without_the_list_itself(itself: bool) -> None:
    objects = [(40, PUSH, 2)] * itself + [(3, IMPORT, 2), (3, POWER, 2)]
    found = telegram_of(pushed(*objects), number(5), number(6))
    assert (found.layout, values(found)) == (
        "push objects",
        {"active_energy_import": "5 Wh", "active_power_import": "6 W"},
    )


def test_scalers_that_are_pushed_belong_to_their_register() -> None:
    objects = [(3, IMPORT, 2), (3, IMPORT, 3), (3, VOLTAGE, 2), (3, VOLTAGE, 3)]
    found = telegram_of(pushed(*objects), number(5), scaler_unit(1, 30), number(2301), scaler_unit(-1, 35))
    assert values(found) == {"active_energy_import": "50 Wh", "voltage_l1": "230.1 V"}
    assert found.assumed == frozenset()


def test_push_objects_with_other_values_are_told_and_not_guessed() -> None:
    found = telegram_of(pushed((3, IMPORT, 2), (3, POWER, 2), (3, VOLTAGE, 2)), number(5))
    assert found.layout == "unknown"
    assert found.measurements == {}
    assert found.unknown_list


@pytest.mark.parametrize("structured", [True, False])
def test_lists_of_codes(structured: bool) -> None:
    parts = [code(IMPORT), number(5), scaler_unit(1, 30)]
    found = telegram_of(*([Item(STRUCTURE, parts)] if structured else parts))
    assert (found.layout, values(found)) == (
        "list" if structured else "flat",
        {"active_energy_import": "50 Wh"},
    )


def test_a_unit_that_does_not_fit_gives_no_measurement() -> None:
    found = telegram_of(
        code(IMPORT), number(5), scaler_unit(0, 35), code(POWER), number(6), scaler_unit(0, 27)
    )
    assert values(found) == {"active_power_import": "6 W"}
    assert found.objects["1-0:1.8.0"] == {"value": Decimal(5), "unit": "V"}


def test_an_earlier_period_is_an_object_and_no_measurement() -> None:
    found = telegram_of(code("010001080001"), number(5), code(POWER), number(6))
    assert set(found.objects) == {"1-0:1.8.0*1", "1-0:1.7.0"}
    assert set(found.measurements) == {"active_power_import"}


def test_of_an_unknown_model_volts_are_left_out_and_told() -> None:
    # Behind a transformer: neither of 5774, 577.4 and 57.74 V is what a house has.
    found = telegram_of(code(POWER), number(6), code(VOLTAGE), Item(UINT16, 5774))
    assert (found.unscaled, values(found)) == (("voltage_l1",), {"active_power_import": "6 W"})


@pytest.mark.parametrize(("sent", "volts"), [(230, "230 V"), (2301, "230.1 V"), (23012, "230.12 V")])
def test_of_an_unknown_model_volts_are_read_where_only_one_step_can_be_right(sent: int, volts: str) -> None:
    found = telegram_of(code(VOLTAGE), Item(UINT16, sent))
    assert (found.unscaled, values(found)) == ((), {"voltage_l1": volts})
    assert found.assumed == {"voltage_l1"}


def test_all_phases_of_an_unknown_model_must_agree() -> None:
    phases = (VOLTAGE, "0100340700ff", "0100480700ff")

    def read(*sent: int) -> dict[str, str]:
        parts = [part for each, value in zip(phases, sent, strict=True) for part in (each, value)]
        return values(telegram_of(*(code(p) if isinstance(p, str) else Item(UINT16, p) for p in parts)))

    # In an IT net a phase has 0, which says nothing.
    assert read(2350, 0, 2332) == {"voltage_l1": "235.0 V", "voltage_l2": "0.0 V", "voltage_l3": "233.2 V"}
    assert read(235, 2350, 233) == {}
    assert read(0, 0, 0) == {}


def test_scalers_beyond_reason_give_no_value_and_are_told() -> None:
    found = telegram_of(code(IMPORT), number(5), scaler_unit(127, 30), code(POWER), number(6))
    assert set(found.objects) == {"1-0:1.7.0"}
    assert [str(each.code) for each in found.unread] == ["1-0:1.8.0"]


PROFILE = Item(STRUCTURE, [number(12), Item(VISIBLE, b"sum")])
TOLD = {
    "type": "structure",
    "value": [
        {"type": "double-long-unsigned", "value": Decimal(12)},
        {"type": "visible-string", "value": "sum"},
    ],
}


@pytest.mark.parametrize("layout", ["push objects", "list", "flat"])
def test_a_structure_as_a_value_is_told_and_costs_no_other(layout: str) -> None:
    found = {
        "push objects": lambda: telegram_of(pushed((3, POWER, 2), (7, IMPORT, 2)), number(6), PROFILE),
        "list": lambda: telegram_of(
            *(Item(STRUCTURE, [code(POWER), number(6)]), Item(STRUCTURE, [code(IMPORT), PROFILE]))
        ),
        "flat": lambda: telegram_of(code(IMPORT), PROFILE, code(POWER), number(6)),
    }[layout]()
    assert (found.layout, values(found)) == (layout, {"active_power_import": "6 W"})
    assert describe_telegram(found)["unread"] == [{"code": "1-0:1.8.0", "attribute": 2, **TOLD}]


def test_a_second_value_of_one_code_is_told() -> None:
    """A maximum and, as another attribute of the same object, when it was."""
    found = telegram_of(pushed((4, POWER, 2), (4, POWER, 5)), number(6), number(7))
    assert found.objects["1-0:1.7.0"]["value"] == 6
    assert [(each.attribute, each.value.content) for each in found.unread] == [(5, 7)]
    assert not telegram_of(code(POWER), number(6), code(POWER), number(6), code(IMPORT), number(1)).unread


def test_texts_and_octets() -> None:
    found = telegram_of(
        *(code("0000600100ff"), Item(VISIBLE, b"4711\0\0")),
        *(code("0000600a00ff"), Item(OCTETS, b"\x01\xff")),
        *(code("0000600b00ff"), Item(UINT8, 7)),
        *(code("0000600c00ff"), Item(0x00, None)),
    )
    assert {key: each["value"] for key, each in found.objects.items()} == {
        "0-0:96.1.0": "4711",
        "0-0:96.10.0": "0x01ff",
        "0-0:96.11.0": Decimal(7),
    }
