"""Recordings of M-Bus that can be given away: no number is left, the values are, and they replay."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.mbus.address import Secondary
from smart_meter_reader.codecs.mbus.describe import describe_capture
from smart_meter_reader.codecs.mbus.encode import answer, bcd_record, integer_record
from smart_meter_reader.codecs.mbus.header import Header
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.meters.mbus.comments import comment
from smart_meter_reader.meters.mbus.emulator import meter_of
from smart_meter_reader.meters.mbus.redaction import redact
from smart_meter_reader.recordings.player import Player
from smart_meter_reader.recordings.pseudonyms import Pseudonyms, leaks
from smart_meter_reader.recordings.tape import Tape
from smart_meter_reader.recordings.text import FROM_METER, TO_METER, Burst, Recording
from smart_meter_reader.transport import opening_by
from tests.codecs.mbus.captures import CAPTURES
from tests.codecs.mbus.encoded import text_record
from tests.meters.mbus.buses import bus, client
from tests.peers.heard import once

NUMBER = "48151623"


def given_away(*bursts: tuple[str, bytes]) -> tuple[list[bytes], Pseudonyms]:
    names = Pseudonyms()
    events = [
        Burst(place, TO_METER if way == ">" else FROM_METER, octets)
        for place, (way, octets) in enumerate(bursts)
    ]
    rewritten = redact(events, names, None)
    found = [event.payload for event in rewritten.events if isinstance(event, Burst)]
    assert [len(each) for each in found] == [len(octets) for _, octets in bursts]
    return found, names


def test_a_frame_without_content_stays_as_long_as_it_is() -> None:
    short = bytes.fromhex("680000680816")
    (found,), _ = given_away(("<", short))
    assert found == short


def test_every_form_of_a_number_is_replaced_and_the_rest_is_as_it_was() -> None:
    records = [
        bcd_record(int(NUMBER), b"\x78"),
        integer_record(37351, b"\x06"),
        text_record("Kerkstraat 12", b"\xfd\x10"),
        integer_record(int(NUMBER), b"\xff\x0f", octets=8),
        b"\x0f" + bytes.fromhex(NUMBER),
    ]
    raw = answer(Header(NUMBER, "KAM", 0x34, 4), records, 1).encode()
    (found,), names = given_away(("<", raw))
    assert not leaks(found, names.originals)
    assert not leaks(found, [NUMBER, "Kerkstraat 12"])
    (told,) = describe_capture(found).frames
    assert told["id"] == "00000001"
    assert told["records"][0]["value"] == told["records"][3]["value"] == Decimal(1)
    assert told["measurements"]["heat_energy"] == {"value": Decimal(37351), "unit": "kWh"}
    assert told["manufacturer_data"] == "00000000"


@pytest.mark.parametrize("name", CAPTURES)
def test_every_capture_stays_what_it_was_but_for_its_numbers(name: str) -> None:
    raw = bytes.fromhex(CAPTURES[name]["bytes_hex"])
    (found,), names = given_away(("<", raw))
    assert not leaks(found, names.originals)
    before, after = describe_capture(raw).frames, describe_capture(found).frames
    assert [each.get("error", {}).get("kind") for each in before] == [
        each.get("error", {}).get("kind") for each in after
    ]
    assert [each.get("measurements") for each in before] == [each.get("measurements") for each in after]


def test_a_selection_fits_the_number_that_the_meter_has_now() -> None:
    raw = answer(Header(NUMBER, "KAM", 0x34, 4), [integer_record(1, b"\x06")], 1).encode()
    whole, partial = Secondary(NUMBER).selection().encode(), Secondary("4815FFFF").selection().encode()
    found, _ = given_away((">", whole), ("<", raw), (">", partial))
    told = [describe_capture(each).frames[0] for each in found]
    assert told[0]["secondary_address"][:8] == told[1]["id"] == "00000001"
    assert told[2]["secondary_address"][:8] == "0000FFFF"


def test_damaged_frames_say_nothing_and_stay_damaged() -> None:
    raw = bytearray(answer(Header(NUMBER, "KAM", 0x34, 4), [bcd_record(int(NUMBER), b"\x78")], 1).encode())
    raw[-2] ^= 1
    (found,), _ = given_away(("<", bytes(raw)))
    assert not leaks(found, [NUMBER])
    assert all("error" in each for each in describe_capture(found).frames)


async def test_a_recording_replays_after_it_was_redacted() -> None:
    tape = Tape()
    async with on_pty(bus(meters=[meter_of("multical_403", address=1, number=NUMBER)])) as path:
        with opening_by(tape.open):
            _, real = await once(client(path, secondary_address=NUMBER))
    names = Pseudonyms()
    events = redact(tape.events(), names, None).events
    assert not leaks(b"".join(each.payload for each in events if isinstance(each, Burst)), [NUMBER])
    recording = Recording(events, client="mbus")
    with opening_by(Player(recording, speed=0.0).open):
        info, played = await once(client("replayed", secondary_address="00000001"))
    assert info["type"] == "info"
    assert info["serial_number"] == "1"
    assert real["type"] == played["type"] == "reading"
    assert played["measurements"] == real["measurements"]


@given(st.lists(st.tuples(st.sampled_from("<>"), st.binary(max_size=80)), max_size=6))
def test_whatever_passed_is_as_long_afterwards(bursts: list[tuple[str, bytes]]) -> None:
    given_away(*bursts)


def test_comments_say_what_passed() -> None:
    raw = answer(Header(NUMBER, "KAM", 0x34, 4), [integer_record(37351, b"\x06")], 1).encode()
    assert "heat_energy=37351 kWh" in comment(Burst(0, FROM_METER, raw))
    assert "request REQ_UD2 to 1, FCB" in comment(Burst(0, TO_METER, bytes.fromhex("107b017c16")))
    assert "wake-up" in comment(Burst(0, TO_METER, b"\x55" * 500))
    assert comment(Burst(0, FROM_METER, b"\x00\x01")) == ""
    assert "checksum" in comment(Burst(0, FROM_METER, raw[:-2] + b"\x00\x16"))
