"""Every published capture, exactly: whole, byte by byte, amid garbage, two in a row."""

from __future__ import annotations

import random

import pytest

from smart_meter_reader.codecs.dlms.positional import find_positions
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from tests.codecs.dlms.vectors import (
    BY_ID,
    VECTORS,
    Outcome,
    Vector,
    as_text,
    opener,
    positions,
    read,
    reasons,
    telegrams,
    told,
    wire,
)


def check(vector: Vector, outcomes: list[Outcome]) -> None:
    """What came out is what the collector says, one by one and in order."""
    expected = told(vector)
    assert [isinstance(each, DlmsTelegram) for each in outcomes] == [each is not None for each in expected]
    for outcome, values in zip(outcomes, expected, strict=True):
        if isinstance(outcome, DlmsTelegram) and values:
            assert {code: as_text(each["value"]) for code, each in outcome.objects.items()} == values


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
@pytest.mark.parametrize("piece", [None, 1, 7])
def test_captures(vector: Vector, piece: int | None) -> None:
    check(vector, read(wire(vector), opener(vector), piece))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_values_of_lists_without_codes_are_the_collectors(vector: Vector) -> None:
    found = telegrams(read(wire(vector), opener(vector)))
    for telegram, expected in zip(found, [each for each in positions(vector) if each], strict=False):
        assert telegram.layout == "positional"
        assert not telegram.unknown_list
        raw = dict(enumerate(value for _, value in expected))
        for each in telegram.objects.values():
            assert as_text(each["value"]) in raw.values()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_amid_garbage(vector: Vector) -> None:
    source = random.Random(vector["id"])
    for _ in range(4):
        # No flag, so that the garbage begins no frame that is waited for.
        junk = bytes(octet for octet in source.randbytes(300) if octet not in b"\x7e\x68\x0f")
        stream = junk + wire(vector) + junk
        assert len(telegrams(read(stream, opener(vector)))) == sum(each is not None for each in told(vector))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_two_in_a_row(vector: Vector) -> None:
    once = len(telegrams(read(wire(vector), opener(vector))))
    twice = read(wire(vector) * 2, opener(vector))
    if "key_hex" in vector:
        assert len(telegrams(twice)) == once
        assert once == 0 or "replayed" in reasons(twice)  # the same frame again was recorded
    else:
        assert len(telegrams(twice)) == 2 * once


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        (
            "hdlc-kaifa-no-list2-it-net",
            {"active_power_import": "4097 W", "voltage_l1": "239.2 V", "voltage_l2": "0.0 V"}
            | {"voltage_l3": "239.7 V", "current_l1": "12.056 A", "current_l3": "13.412 A"},
        ),
        (
            "hdlc-kaifa-se-1phase",
            {"voltage_l1": "244.2 V", "current_l1": "0.066 A", "active_energy_import": "204 Wh"},
        ),
        ("hdlc-kaifa-se-3phase-positional", {"voltage_l1": "243.4 V", "active_energy_import": "137166 Wh"}),
        ("hdlc-kaifa-se-obis", {"voltage_l1": "232.2 V", "active_energy_import": "1142 Wh"}),
        (
            "hdlc-kamstrup-no-list3-2017",
            {"voltage_l1": "231 V", "current_l1": "9.96 A", "active_energy_import": "4272440 Wh"},
        ),
        ("hdlc-kamstrup-se-list3-wh", {"active_energy_import": "32014158 Wh"}),
        ("hdlc-kamstrup-dk-glo30", {"power_factor_l1": "0.31", "active_energy_import": "63074980 Wh"}),
        (
            "hdlc-lg-e450-netz-burgenland-1",
            {"voltage_l2": "237 V", "current_l3": "0.26 A", "active_energy_import": "31358606 Wh"},
        ),
        ("hdlc-lg-e450-ch-vse2026", {"voltage_l1": "236 V", "current_l1": "0.09 A"}),
        ("hdlc-lg-e450-ch-baden", {"current_l1": "0.51 A"}),
        ("hdlc-lg-e360-vse2026", {"voltage_l1": "235.7 V", "active_power_import": "11 W"}),
        ("hdlc-iskra-am550-ch-vse2026", {"voltage_l1": "234.7 V", "current_l1": "0.12 A"}),
        (
            "hdlc-iskra-am550-si-5s",
            {"active_power_import": "1393 W", "voltage_l3": "229.6 V", "current_l3": "5.97 A"}
            | {"active_power_import_l3": "1325 W"},
        ),
        (
            "hdlc-iskra-am550-si-15min",
            {"switch_position": "1", "tariff": "1", "active_energy_import_tariff_2": "39244 Wh"}
            | {"active_energy_export": "177927 Wh", "reactive_energy_export": "43253 varh"},
        ),
        ("mbus-sagemcom-t210d-len01", {"voltage_l1": "233.4 V", "power_factor": "0.094"}),
        ("raw-egd-xt211-spec", {"active_power_import": "3 W", "tariff": "T3", "switch_position": "1"}),
    ],
)
def test_what_the_numbers_are_worth(identifier: str, expected: dict[str, str]) -> None:
    (telegram,) = telegrams(read(wire(identifier), opener(identifier)))
    for key, text in expected.items():
        each = telegram.measurements[key]
        assert f"{each['value']} {each['unit']}".rstrip() == text, key
    assert telegram.unscaled == ()


def test_three_notifications_in_one_frame() -> None:
    found = telegrams(read(wire("hdlc-lg-e450-three-in-one")))
    energies = [str(each.measurements["active_energy_import"]["value"]) for each in found]
    assert energies == BY_ID["hdlc-lg-e450-three-in-one"]["expected_from_source"]["active_energy_import"]


def test_a_list_that_nobody_knows_is_told_as_it_is() -> None:
    (telegram,) = telegrams(read(wire("hdlc-iskra-am550-si-5s")))
    assert telegram.layout == "positional"
    # One value fewer, and it is another list.
    from smart_meter_reader.codecs.dlms.axdr import OCTETS, UINT32, Item

    assert find_positions([Item(OCTETS, b"ISK1"), *[Item(UINT32, 1)] * 5]) is None


def test_lists_of_meters_of_which_no_capture_is_here() -> None:
    from smart_meter_reader.codecs.dlms.axdr import OCTETS, UINT8, UINT16, UINT32, UINT64, Item

    def codes(*items: Item) -> list[str]:
        found = find_positions(items)
        assert found is not None
        return [code.partition(":")[2] for code in found.codes]

    names = [Item(OCTETS, text) for text in (b"KFM_001", b"7340157000000001", b"MA304T4")]
    clock = Item(OCTETS, bytes.fromhex("07e50507050e2f2dff800000"))
    # amsreader-firmware #242: a meter behind current transformers.
    transformers = codes(*names, *[Item(UINT32, 1)] * 10, clock, *[Item(UINT64, 1)] * 4)
    assert transformers[-5:] == ["1.0.0", "1.8.0", "2.8.0", "3.8.0", "4.8.0"]
    # #869: Elektro Ljubljana every quarter of an hour.
    quarter = codes(Item(OCTETS, b"77000001"), Item(UINT8, 0), *[Item(UINT32, 1)] * 2)
    assert quarter == ["", "", "1.8.0", "2.8.0"]
    number = Item(OCTETS, b"999999999999")
    totals = codes(number, *[Item(UINT32, 1)] * 8)
    assert totals == ["96.1.0", *(f"{c}.{d}.0" for d in (7, 8) for c in (1, 2, 3, 4))]
    phases = codes(number, *[Item(UINT16, 50)] * 7, *[Item(UINT32, 1)] * 6)
    assert phases[:5] == ["96.1.1", "14.7.0", "31.7.0", "51.7.0", "71.7.0"]
    assert phases[5:8] == ["32.7.0", "52.7.0", "72.7.0"]
    # The same types behind a name are another list, whose totals must add up.
    assert find_positions([Item(OCTETS, b"ISK1"), *[Item(UINT32, 1)] * 8]) is None
