"""Notifications without a frame, as other programs print them; never what is left of a damaged frame."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.dlms.bare import find_notifications
from smart_meter_reader.codecs.dlms.describe import describe_capture
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.framing.joining import LLC, encode_blocks
from smart_meter_reader.codecs.dlms.framing.mbus_frame import encode_mbus
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.meters.dlms.decode import sniff
from tests.codecs.dlms.vectors import VECTORS, Vector, wire

# esphome-libs/dlms_parser tests/dumps/raw_salzburg_netz.log (Apache-2.0): a Kaifa of Salzburg Netz.
SALZBURG = bytes.fromhex(
    "0f0017fa980c07e60b0c0610360000ffc400021009060000010000ff090c07e60b0c0610360000ffc40002020906000060"
    "0100ff090e314b464d303230303233343830340202090600002a0000ff09104b464d313230303230303233343830340203"
    "09060100200700ff1208f402020fff1623020309060100340700ff12090c02020fff1623020309060100480700ff12090a"
    "02020fff16230203090601001f0700ff1200a502020ffe1621020309060100330700ff1200ad02020ffe16210203090601"
    "00470700ff12002502020ffe1621020309060100010700ff06000002ca02020f00161b020309060100020700ff06000000"
    "0002020f00161b020309060100010800ff060014416002020f00161e020309060100020800ff060000000002020f00161e"
    "020309060100030800ff06000012d202020f001620020309060100040800ff060005be6002020f001620"
)
# The same place, raw_energomera.log: an object list whose last value is a structure.
ENERGOMERA = bytes.fromhex(
    "0f4000004d0c07e60b03ff0f2619ffff4cff02070107020612002809060000190900ff0f02120000020216000001000206"
    "12000109060000600586ff0f0212000002021600000100020612000109060000" + "2a0000ff0f0212000002021600000100"
    "020612000109060000600100ff0f0212000002021600000100020612000109060000616200ff0f02120000020216000001"
    "00020612000109060000" + "61620aff0f0212000002021600000100020612000109060000600587ff0f02120000020216"
    "00000100"
    + "16010910454d52303232323137333630383731300920303132343135313733363038373130"
    + "00" * 17
    + "06000000100600"
    + "00ffff020209060000636204ff120003"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (LLC, b""), (b"\1\2\3", b"\0\0\0\0"), (random.Random(5).randbytes(300), b"\xff")],
)
def test_a_notification_alone(before: bytes, after: bytes) -> None:
    (told,) = describe_capture(before + SALZBURG + after)
    assert (told["framing"], told["authentication"]) == ("none", "none")
    assert told["time"] == "2022-11-12T16:54:00+01:00"
    assert told["objects"]["1-0:32.7.0"] == {"value": Decimal("229.2"), "unit": "V"}
    assert told["objects"]["1-0:31.7.0"] == {"value": Decimal("1.65"), "unit": "A"}
    assert told["measurements"]["active_energy_import"] == {"value": Decimal(1327456), "unit": "Wh"}
    assert sniff(before + SALZBURG + after) == Likeness.FRAMED


def test_several_in_their_order() -> None:
    capture = SALZBURG + LLC + ENERGOMERA + b"\r\n" + SALZBURG
    assert list(find_notifications(capture)) == [SALZBURG, ENERGOMERA, SALZBURG]
    names = [each["objects"]["0-0:42.0.0"]["value"] for each in describe_capture(capture)]
    assert names == ["KFM1200200234804", "EMR0222173608710", "KFM1200200234804"]


def test_where_there_are_frames_there_is_nothing_else() -> None:
    told = list(describe_capture(SALZBURG + encode_hdlc(LLC + SALZBURG) + SALZBURG))
    assert [each["framing"] for each in told] == ["hdlc"]


FRAMES = {
    "hdlc": encode_hdlc(LLC + SALZBURG),
    "two in one frame": encode_hdlc(LLC + SALZBURG + LLC + SALZBURG),
    "blocks": b"".join(map(encode_hdlc, (LLC + encode_blocks(SALZBURG, 400)[0],))),
    "mbus": encode_mbus(SALZBURG[:200], 0, last=False) + encode_mbus(SALZBURG[200:], 1, last=True),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_damaged_frame_gives_none(name: str) -> None:
    frame = FRAMES[name]
    assert all("error" not in each for each in describe_capture(frame))
    for bit in (
        *range(160),
        *range(160, len(frame) * 8 - 40, 97),
        *range(len(frame) * 8 - 40, len(frame) * 8),
    ):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        assert all("error" in each for each in describe_capture(bytes(damaged))), bit


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_frame_without_its_head_or_end_gives_none(cut: int) -> None:
    for frame in (FRAMES["hdlc"], FRAMES["two in one frame"]):
        assert not list(find_notifications(frame[cut:]))
        assert not list(find_notifications(frame[:-cut]))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_no_capture_with_frames_has_any(vector: Vector) -> None:
    if not vector["id"].startswith("raw"):
        assert not list(find_notifications(wire(vector)))


@pytest.mark.parametrize(
    "unit",
    [
        b"\x0f",
        SALZBURG[:40],
        SALZBURG[:18] + b"\x02\x84\xff\xff\xff\xff" + bytes(20),
        SALZBURG[:18] + b"\x01\x82\xff\xff",
    ],
)
def test_junk_is_none(unit: bytes) -> None:
    assert not list(find_notifications(unit * (100_000 // len(unit))))


TIME = "07ea0b1e010c000000ffc400"
# Structures of two numbers: the fewest values that a list has.
SMALL = bytes.fromhex("0f00000001" + "0c" + TIME + "0202" + "0600000001" + "0600000002")
OTHER = SMALL[:-1] + b"\3"


@pytest.mark.parametrize(
    ("capture", "found"),
    [
        (SMALL, [SMALL]),
        (b"\1\2" + SMALL + b"\1", [SMALL]),
        # The head of a frame: nothing behind it is found, and what stands before it is.
        (SMALL + b"\x7e\xa0" + OTHER, [SMALL]),
        (b"\x7e\xa0" + SMALL, []),
        (b"\x68\x05\x05\x68\x53" + SMALL, []),
        (LLC + b"\xdb" + SMALL, []),
        (b"\x7e\x9f" + SMALL, [SMALL]),
        (b"\x68\x05\x06\x68\x53" + SMALL, [SMALL]),
        # An LLC in front is no content; with something before that, it is the rest of a frame's head.
        (LLC + SMALL, [SMALL]),
        (b"\1" + LLC + SMALL, []),
        (SMALL + LLC + OTHER, [SMALL, OTHER]),
        (SMALL + b"\1" + LLC + OTHER, [SMALL]),
        (b"\1" + LLC + SMALL + bytes(4) + OTHER, [OTHER]),
        # What cannot be read hides none behind it.
        (SMALL[:20] + b"\xff" * 9 + OTHER, [OTHER]),
    ],
)
def test_where_a_notification_may_stand(capture: bytes, found: list[bytes]) -> None:
    assert list(find_notifications(capture)) == found


@pytest.mark.parametrize(
    ("behind", "followed"),
    [
        ("01027e", True),
        ("01027e5555", True),
        ("0116", True),
        ("011655", True),
        ("7e", False),
        ("017e", False),
        ("0102037e", False),
        ("16", False),
        ("010216", False),
    ],
)
def test_what_the_end_of_a_frame_follows_is_none(behind: str, followed: bool) -> None:
    end = bytes.fromhex(behind)
    assert list(find_notifications(SMALL + end)) == ([] if followed else [SMALL])
    # All of that frame are gone, and none that stood before it.
    assert list(find_notifications(SMALL + LLC + OTHER + end)) == ([] if followed else [SMALL, OTHER])
    assert list(find_notifications(SMALL + b"\r\n" + OTHER + end)) == [SMALL, OTHER][: 1 if followed else 2]


@pytest.mark.parametrize(
    ("octets", "listed"),
    [
        ("0f00000001" + "0c" + TIME + "0202" + "0600000001" + "0600000002", True),
        ("0f00000001" + "090c" + TIME + "0102" + "0600000001" + "0600000002", True),
        ("0f00000001" + "0c" + TIME + "0201" + "0600000001", False),
        # A time that is none; and lists without tags, of two values and of one.
        ("0f00000001" + "0c" + "07ff" * 6 + "0202" + "0600000001" + "0600000002", False),
        ("0f00000001" + "0c" + TIME + "0202160501" + "02" + "020200030100010800ff020600000005" * 2, True),
        ("0f00000001" + "0c" + TIME + "0202160501" + "01" + "020200030100010800ff020600000005", False),
    ],
)
def test_a_list_has_two_values_and_a_time(octets: str, listed: bool) -> None:
    apdu = bytes.fromhex(octets)
    assert list(find_notifications(apdu)) == ([apdu] if listed else [])


def test_none_is_found_inside_of_another() -> None:
    outer = (
        SMALL[:18]
        + bytes.fromhex("0202")
        + b"\x09"
        + bytes([len(SMALL)])
        + SMALL
        + bytes.fromhex("0600000001")
    )
    assert list(find_notifications(outer + SMALL)) == [outer, SMALL]


@pytest.mark.parametrize(("length", "count"), [(16 * 1024, 1), (16 * 1024 + 1, 0)])
def test_none_is_longer_than_sixteen_kibibytes(length: int, count: int) -> None:
    # A head of twenty octets, a number of five, and text behind four octets of length.
    apdu = SMALL[:20] + SMALL[-5:] + b"\x09\x82" + (length - 29).to_bytes(2, "big") + b"x" * (length - 29)
    assert len(list(find_notifications(apdu + b"\0" * 4))) == count
