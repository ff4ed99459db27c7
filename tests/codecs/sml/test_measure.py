"""What value lists mean: every capture exact, and what single models do otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.describe import describe_capture
from smart_meter_reader.codecs.sml.encode import Value, encode_frame, encode_message, encode_telegram
from smart_meter_reader.codecs.sml.identity import identity_of, text_of
from smart_meter_reader.codecs.sml.measure import PUBLIC_KEY, SmlSender, ToldValues, maker_of
from smart_meter_reader.codecs.sml.messages import GET_LIST
from smart_meter_reader.json_text import dumps
from tests.codecs.sml.test_frame import only, values_of
from tests.codecs.sml.vectors import GOOD, VECTORS, wire

DZG = bytes.fromhex("0a01445a47000280de80")  # 42000000, of an affected range
SOUND_DZG = bytes.fromhex("0a01445a470003938701")  # 60000001
EMH = bytes.fromhex("06454d48010200000003")
ISKRA = bytes.fromhex("0a0149534b0000000009")
WATT, WATT_HOUR = 27, 30
MAKER = ObisCode(129, 129, 199, 130, 3, 255)


def described(name: str) -> list[dict[str, Any]]:
    return list(describe_capture(wire(name)))


def told(sender: SmlSender, server_id: bytes, *values: Value) -> ToldValues:
    return sender.read(values_of(only(encode_telegram(server_id, values))))


def code(c: int, d: int = 8, e: int = 0, f: int = 255) -> ObisCode:
    return ObisCode(1, 0, c, d, e, f)


def entry(c: int, value: int, scaler: int = -1, *, octets: int = 4, status: int | None = None) -> Value:
    """A total, or a power where C is one's."""
    d, unit = (7, WATT) if c in (1, 15, 16, 36) and octets != 5 and status is None else (8, WATT_HOUR)
    return Value(code(c, d), value, unit, scaler, status, octets, signed=True)


@pytest.mark.parametrize("name", GOOD)
def test_every_capture_is_exact(name: str) -> None:
    (telegram,) = described(name)
    (expected,) = VECTORS[name]["decoded_by_collector"]
    assert (telegram["server_id"], telegram["checksum"]) == (
        expected["server_id"],
        expected["transport_crc"].partition("-")[0],
    )
    seen = {}
    for each in expected["values"]:
        code = each["obis"].removesuffix("*255")
        if each["value"] is None or code == "129-129:199.130.5":
            continue
        unit = {None: "", "deg": "°"}.get(each.get("unit"), each.get("unit"))
        seen[code] = (each["value"], unit)
    written = {
        code: (f"{item['value']:f}" if isinstance(item["value"], Decimal) else item["value"], item["unit"])
        for code, item in telegram["objects"].items()
    }
    assert written == seen


def test_captures_that_are_to_be_dropped_give_nothing() -> None:
    (lost,) = described("sml-easymeter-lost-bytes")
    assert lost["error"]["kind"] == "checksum"
    cut, good = described("sml-truncated-then-good")
    assert cut["error"]["kind"] == "new_start"
    assert good["objects"]["1-0:1.8.0"] == {"value": Decimal("8391648.8"), "unit": "Wh"}


def test_json_has_the_digits_as_they_are_written_out() -> None:
    text = dumps(described("sml-iskra-mt631-nopin")[0])
    assert '"1-0:1.8.0":{"value":16786000,"unit":"Wh"}' in text
    assert '"1-0:1.8.0":{"value":450091.89911,"unit":"Wh"}' in dumps(described("sml-ebz-dd3-5digits")[0])


def test_an_earlier_period_is_an_object_and_never_the_current_value() -> None:
    (telegram,) = described("sml-holley-dtz541-kermit")
    assert telegram["objects"]["1-0:1.8.0*100"]["value"] == 10793800
    assert telegram["measurements"]["active_energy_import"]["value"] == Decimal("10793898.7")
    assert telegram["measurements"]["phase_angle_l2"] == {"value": Decimal(297), "unit": "°"}


def test_the_public_key_is_told_only_to_who_asks_for_it() -> None:
    raw = wire("sml-iskra-mt175")
    assert "129-129:199.130.5" not in next(describe_capture(raw))["objects"]
    assert "129-129:199.130.5" in next(describe_capture(raw, public_key=True))["objects"]


def test_a_key_is_known_by_its_code_or_by_its_length() -> None:
    key, other, text = (
        Value(PUBLIC_KEY, b"k" * 20),
        Value(code(96, 50), b"k" * 48),
        Value(code(96, 51), b"k" * 47),
    )
    values = values_of(only(encode_telegram(ISKRA, [key, other, text])))
    assert list(SmlSender(ISKRA).read(values).objects) == ["1-0:96.51.0"]
    assert len(SmlSender(ISKRA).read(values, public_key=True).objects) == 3


def test_an_entry_without_value_costs_itself_alone() -> None:
    (telegram,) = described("sml-emh-null-value")
    assert telegram["unread"] == ["1-0:96.50.2*6"]
    assert telegram["measurements"]["active_power_net"]["value"] == Decimal("136.7")


@pytest.mark.parametrize(
    ("server_id", "serial", "maker"),
    [
        ("0a01445a470002821d0e", "1DZG0042081550", "DZG"),
        ("090149534b0000000007", "1ISK0000000007", "Iskraemeco"),
        ("0a0145425a01000f4240", "1EBZ0101000000", "eBZ"),
        ("0a015a5a5aff00000001", "1ZZZFF00000001", "ZZZ"),
        ("06454d48010200000001", "06454D48010200000001", "EMH"),
        ("31303030303036", "1000006", ""),
        ("0102030405", "0102030405", ""),
        ("00" * 10, "", ""),
        ("", "", ""),
    ],
)
def test_who_a_server_id_is(server_id: str, serial: str, maker: str) -> None:
    identity = identity_of(bytes.fromhex(server_id))
    assert (identity.serial_number, identity.manufacturer) == (serial, maker)


def test_octets_as_text() -> None:
    assert text_of(b"HLY") == "HLY"
    assert text_of(b"\x1b[31m") == "0x1b5b33316d"
    assert len(text_of(bytes(500))) <= 128


def test_strange_entries_cost_themselves_alone() -> None:
    """A list as a value (EMH), other than seven parts, no code, a length of two octets."""
    good = "77070100010800ff0101621e52ff650744f5000101"[:-2]
    strange = (
        "77070100603202ff01010101726201650000000101",  # the value is a list
        "76070100603203ff0101010162ff",  # six parts
        "7701010101010101",  # no code
        "7306010203040501" + "01",  # a code of five octets
        "80070102030405",  # no list at all
        "f007070100100700ff0101621b520055000001f401",  # seven in two octets
    )
    count = 1 + len(strange)
    entries = bytes.fromhex(good + "".join(strange))
    head = bytes.fromhex("77010b0a0149534b0000000009010101")[:-1]
    body = head + bytes([0x70 | count]) + entries + b"\x01\x01"
    values = values_of(only(encode_frame(encode_message(1, GET_LIST, body))))
    assert [str(entry.code) for entry in values.entries] == ["1-0:1.8.0", "1-0:16.7.0"]
    assert [entry.value for entry in values.entries] == [Decimal("12195968.0"), Decimal(500)]
    assert values.unread[:2] == ("1-0:96.50.2", "1-0:96.50.3")
    assert len(values.unread) == len(strange) - 1


# --- DZG's firmware ---


def power(sent: ToldValues) -> Decimal:
    value = sent.measurements["active_power_net"]["value"]
    assert isinstance(value, Decimal)
    return value


@pytest.mark.parametrize(
    ("value", "octets", "true"),
    [
        (-29912, 2, "356.24"),  # 53 8B 28
        (-2, 1, "2.54"),
        (-1, 3, "167772.15"),
        (-29912, 4, "-299.12"),
        (29912, 2, "299.12"),
        (0, 1, "0.00"),
        (50, 1, "0.50"),
    ],
)
def test_a_power_of_the_affected_dzg_is_unsigned_in_one_to_three_octets(
    value: int, octets: int, true: str
) -> None:
    sender = SmlSender(DZG)
    sent = told(sender, DZG, entry(2, 100, octets=5), entry(16, value, -2, octets=octets))
    assert power(sent) == Decimal(true)
    assert sent.corrected == (("active_power_net",) if power(sent) * 100 != value else ())
    assert sent.objects["1-0:16.7.0"]["value"] == Decimal(value).scaleb(-2)


def test_of_no_other_meter_is_it_corrected() -> None:
    for server_id in (SOUND_DZG, ISKRA, bytes.fromhex("0a01445a470002ebae40"), EMH):  # 49000000
        sent = told(SmlSender(server_id), server_id, entry(2, 100, octets=5), entry(16, -10550, -2, octets=2))
        assert (power(sent), sent.corrected) == (Decimal("-105.50"), ())


def test_nor_while_the_export_total_moves() -> None:
    sender = SmlSender(DZG)

    def next_power(export: int) -> Decimal:
        return power(told(sender, DZG, entry(2, export, octets=5), entry(16, -29912, -2, octets=2)))

    assert next_power(100) == Decimal("356.24")
    assert next_power(100) == Decimal("356.24")
    assert next_power(101) == Decimal("-299.12")
    standing = [next_power(101) for _ in range(20)]
    assert standing == [Decimal("-299.12")] * 14 + [Decimal("356.24")] * 6


def test_and_nothing_but_a_power_is_corrected() -> None:
    current = Value(code(31, 7), -5, 33, -2, octets=1)
    sent = told(SmlSender(DZG), DZG, entry(2, 100, octets=5), current)
    assert sent.measurements["current_l1"] == {"value": Decimal("-0.05"), "unit": "A"}
    assert sent.corrected == ()


# --- the direction in the status word ---


def test_the_direction_of_an_emh_is_in_the_status_word() -> None:
    (delivery,) = described("sml-emh-ed300l-delivery")
    assert delivery["measurements"]["active_power_net"] == {"value": Decimal("-126.6"), "unit": "W"}
    assert delivery["measurements"]["active_power_sum"] == {"value": Decimal("126.6"), "unit": "W"}
    (consumption,) = described("sml-emh-ehz-hw8")
    assert consumption["measurements"]["active_power_net"]["value"] == Decimal("163.5")


def test_a_bit_of_another_maker_says_nothing_unless_the_settings_say_so() -> None:
    values = (entry(1, 100, status=0x1B0), entry(15, 1266))
    assert "active_power_net" not in told(SmlSender(ISKRA), ISKRA, *values).measurements
    asked = SmlSender(ISKRA, direction_bit=5)
    assert power(told(asked, ISKRA, *values)) == Decimal("-126.6")
    assert power(told(asked, ISKRA, entry(1, 100, status=0x182), entry(15, 1266))) == Decimal("126.6")


def test_the_net_power_of_a_meter_is_turned_round_only_where_the_settings_ask_for_it() -> None:
    values = (entry(1, 100, status=0x1B0), entry(16, 1266))
    assert SmlSender(EMH).direction_bit == 5
    assert power(told(SmlSender(EMH), EMH, *values)) == Decimal("126.6")
    assert power(told(SmlSender(EMH, direction_bit=5), EMH, *values)) == Decimal("-126.6")


IMPORTING, EXPORTING = 0x182, 0x1B0


@pytest.mark.parametrize(
    ("values", "exporting"),
    [
        ((entry(2, 1, status=IMPORTING), entry(1, 1, status=EXPORTING)), True),
        ((entry(2, 1, status=EXPORTING),), True),
        ((entry(2, 1, status=EXPORTING), entry(3, 1, status=IMPORTING)), True),
        ((Value(code(36, 7), 1, WATT, 0, EXPORTING), entry(2, 1, status=IMPORTING)), False),
    ],
    ids=["import total first", "another total", "the first of others", "of no total"],
)
def test_whose_status_word_has_the_direction(values: tuple[Value, ...], exporting: bool) -> None:
    sent = told(SmlSender(EMH), EMH, *values, entry(15, 1266))
    assert power(sent) == Decimal("-126.6" if exporting else "126.6")


def test_without_a_status_word_or_a_power_there_is_no_direction() -> None:
    assert list(told(SmlSender(EMH), EMH, entry(15, 1266)).measurements) == ["active_power_sum"]
    only_total = told(SmlSender(EMH), EMH, entry(1, 100, status=EXPORTING))
    assert list(only_total.measurements) == ["active_energy_import"]


def powers(sent: ToldValues) -> dict[str, str]:
    return {key.removeprefix("active_power_"): str(item["value"]) for key, item in sent.measurements.items()}


def test_a_negative_power_of_import_is_the_net_power_from_then_on() -> None:
    """The import is told all the same: it would stay for ever as it was before the power turned."""
    sender = SmlSender(ISKRA)
    for value in ("5.0", "0.5", "0.0"):
        sent = told(sender, ISKRA, entry(1, int(float(value) * 10)))
        assert powers(sent) == {"import": value}
    assert powers(told(sender, ISKRA, entry(1, -50))) == {"import": "0.0", "export": "5.0", "net": "-5.0"}
    assert powers(told(sender, ISKRA, entry(1, 50))) == {"import": "5.0", "export": "0.0", "net": "5.0"}
    (hager,) = described("sml-emh-ehz361")
    assert {key: str(item["value"]) for key, item in hager["measurements"].items() if "power" in key} == {
        "active_power_import": "0.0000",
        "active_power_export": "5632.1916",
        "active_power_net": "-5632.1916",
    }


@pytest.mark.parametrize(
    ("taken", "given", "left"), [(-50, 50, {"export": "5.0"}), (50, -50, {"import": "5.0"})]
)
def test_a_negative_power_beside_its_other_direction_is_no_quantity_and_told(
    taken: int, given: int, left: dict[str, str]
) -> None:
    values = (entry(1, taken), Value(code(2, 7), given, WATT, -1))
    sent = told(SmlSender(ISKRA), ISKRA, *values)
    assert powers(sent) == left
    assert [item["value"] for item in sent.objects.values()] == [Decimal(taken) / 10, Decimal(given) / 10]
    (wrong,) = sent.contradictory
    assert wrong.endswith(" is negative")
    assert not told(SmlSender(ISKRA), ISKRA, entry(1, 50), Value(code(2, 7), 0, WATT, -1)).contradictory
    (description,) = describe_capture(encode_telegram(ISKRA, values))
    assert description["contradictory"] == [wrong]


# --- the PIN ---

WHOLE_KWH = entry(1, 16786, 3, octets=5)


@pytest.mark.parametrize("name", [name for name in GOOD if "nopin" in name or name.startswith("sml-ebz-dd3")])
def test_without_pin(name: str) -> None:
    (telegram,) = described(name)
    assert telegram["pin"] == ("entered" if name == "sml-ebz-dd3-5digits" else "missing")


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ((entry(1, 16786, 3, octets=5),), True),
        ((entry(1, 16786, 3, octets=5), entry(2, 1, 3, octets=5)), True),
        ((entry(1, 16786, 3, octets=5), entry(16, 0, 0)), False),
        ((entry(1, 167868, 2, octets=5),), False),
        ((entry(1, 168248565, -1, octets=5),), False),
        ((entry(16, 0, 0),), False),
        ((Value(code(96, 1), b"12345678"),), None),
        ((Value(code(1, 8, 0, 96), 41, WATT_HOUR, 3),), None),
        ((WHOLE_KWH, Value(code(32, 7), 2301, 35, -1)), True),  # a voltage is no power
        ((WHOLE_KWH, Value(ObisCode(7, 0, 1, 7, 0, 255), 5, WATT, 0)), True),  # of a gas meter
        ((WHOLE_KWH, Value(code(16, 7), b"-", WATT)), True),
        ((Value(code(3, 8), 5, 32, 0),), None),  # reactive energy in varh
    ],
)
def test_what_tells_that_the_pin_is_missing(values: tuple[Value, ...], missing: bool | None) -> None:
    assert told(SmlSender(ISKRA), ISKRA, *values).pin_missing is missing


def test_a_unit_that_does_not_fit_makes_no_measurement() -> None:
    sent = told(SmlSender(ISKRA), ISKRA, Value(code(1), 5, WATT, 0), Value(code(16, 7), 5, 77, 0))
    assert sent.measurements == {}
    assert sent.objects["1-0:16.7.0"]["unit"] == "unit 77"


def test_a_capture_without_telegram_says_what_it_seems_to_be() -> None:
    raw = wire("sml-iskra-mt175")
    plain = bytes(octet for octet in raw if octet not in b"\x1b\x11\x13\x1a")
    seven = bytes(octet & 0x7F for octet in raw)
    for capture, words in (
        (b"", "empty"),
        (b"\x55" * 40, "no telegram"),
        (plain, "control characters"),
        (seven[20:-20], "eighth bits"),
    ):
        (only_one,) = describe_capture(capture)
        assert words in only_one["error"]["detail"], words


@pytest.mark.parametrize(
    ("server_id", "told_maker", "maker"),
    [
        (bytes(10), b"EBZ", "eBZ"),  # without its PIN, or told so by its owner
        (b"30301185", b"HAGER", "Hager"),
        (bytes.fromhex("01a815986480020102"), b"EMH", "EMH"),
        (bytes.fromhex("01a815986480020102"), b"\x80\x81\x82", ""),
        (bytes(10), b"XYZ", ""),  # nobody's that we know
        (ISKRA, b"EMH", "Iskraemeco"),  # the id goes before
    ],
)
def test_a_maker_that_the_id_does_not_name_is_told_by_the_telegram(
    server_id: bytes, told_maker: bytes, maker: str
) -> None:
    values = values_of(only(encode_telegram(server_id, [Value(MAKER, told_maker, None)])))
    assert identity_of(server_id, maker_of(values)).manufacturer == maker
    assert identity_of(server_id).serial_number == identity_of(server_id, maker_of(values)).serial_number


def test_the_direction_of_an_older_emh_is_known_by_its_maker() -> None:
    older = bytes.fromhex("01a815986480020102")
    sender = SmlSender(older, maker=b"EMH")
    exporting = told(sender, older, entry(1, 100, octets=5, status=0x01A2), entry(15, 1982))
    assert exporting.measurements["active_power_net"] == {"value": Decimal("-198.2"), "unit": "W"}
