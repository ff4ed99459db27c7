"""One long frame of M-Bus that carries DLMS (EN 13757-2, 5.3): its head, its lengths, and what is damage."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.dlms.framing.mbus_frame import LONGEST, MbusFrame, encode_mbus, read_frame

FRAME = encode_mbus(b"abc", 2, last=True)


def changed(place: int, octet: int, frame: bytes = FRAME) -> bytes:
    return frame[:place] + bytes([octet]) + frame[place + 1 :]


def long_frame(length: int) -> bytes:
    """A frame of ``length`` octets of content, as Sagemcom writes those above 255."""
    frame = encode_mbus(bytes(length - 5), 0, last=False)
    assert frame[1:3] == bytes([length & 0xFF]) * 2
    return frame


def test_a_frame_as_it_is_written() -> None:
    assert FRAME.hex() == "6808086853ff120167616263f216"


def test_it_is_known_as_soon_as_it_is_there() -> None:
    for before in (b"", b"\x68\x00"):
        raw, begin = before + FRAME, len(before)
        for end in range(1, len(FRAME)):
            assert read_frame(raw[: begin + end], begin) == "more", end
        assert read_frame(raw + b"\x68", begin) == MbusFrame(2, True, b"\x01\x67", b"abc", FRAME)


@pytest.mark.parametrize("sequence", [0, 1, 15])
@pytest.mark.parametrize("last", [False, True])
def test_number_and_end_come_back(sequence: int, last: bool) -> None:
    raw = encode_mbus(b"\x0f\x00", sequence, last=last, tsaps=b"\x05\x66")
    assert read_frame(raw, 0) == MbusFrame(sequence, last, b"\x05\x66", b"\x0f\x00", raw)


@pytest.mark.parametrize(("control", "begins"), [(0x53, True), (0x73, True), (0x5B, False), (0x13, False)])
def test_it_is_sent_with_either_frame_count_bit(control: int, begins: bool) -> None:
    assert read_frame(changed(4, control)[:5], 0) == ("more" if begins else "no")


@pytest.mark.parametrize(("ci", "begins"), [(0x00, True), (0x1F, True), (0x20, False), (0x72, False)])
def test_ci_numbers_the_piece_and_nothing_else(ci: int, begins: bool) -> None:
    assert read_frame(changed(6, ci)[:7], 0) == ("more" if begins else "no")


@pytest.mark.parametrize("place", [1, 2, 3])
def test_one_wrong_octet_in_the_head_is_damage_of_what_goes_to_all(place: int) -> None:
    damaged = changed(place, FRAME[place] ^ 0x10)
    assert [read_frame(damaged[:end], 0) for end in range(1, 7)] == ["more"] * 6
    assert read_frame(damaged, 0) == "damaged"
    assert read_frame(changed(5, 0x01, damaged), 0) == "no"
    assert read_frame(changed(6, 0x72, damaged), 0) == "no"


def test_two_wrong_octets_in_the_head_are_another_thing() -> None:
    assert read_frame(changed(2, 0x18, changed(3, 0x78)), 0) == "no"
    assert read_frame(changed(2, 0x18, changed(3, 0x78))[:4], 0) == "no"


def test_a_good_head_may_go_to_one_alone() -> None:
    frame = changed(5, 0x01)
    frame = changed(len(frame) - 2, sum(frame[4:-2]) & 0xFF, frame)
    assert isinstance(read_frame(frame, 0), MbusFrame)


@pytest.mark.parametrize("place", range(7, len(FRAME)))
def test_a_wrong_octet_behind_the_head_is_damage(place: int) -> None:
    assert read_frame(changed(place, FRAME[place] ^ 0x10), 0) == "damaged"


@pytest.mark.parametrize("length", [5, 6, 255, 256, 257, 258])
def test_lengths_above_255_begin_anew(length: int) -> None:
    frame = long_frame(length)
    read = read_frame(frame, 0)
    assert isinstance(read, MbusFrame)
    assert (len(read.piece), read.raw) == (length - 5, frame)
    assert read_frame(frame[:-1], 0) == "more"
    assert len(frame) <= LONGEST
    assert (len(frame) == LONGEST) is (length == 258)


@pytest.mark.parametrize("length", [3, 4])
def test_a_length_that_has_no_room_for_the_head_is_none(length: int) -> None:
    assert read_frame(bytes([0x68, length, length, 0x68]) + FRAME[4:], 0) == "no"


@pytest.mark.parametrize(("octets", "sequence"), [(254, 0), (1, 16)])
def test_what_does_not_fit_is_not_written(octets: int, sequence: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_mbus(bytes(octets), sequence, last=True)
