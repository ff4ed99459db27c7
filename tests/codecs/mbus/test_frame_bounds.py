"""M-Bus frames at their bounds: what is passed over, waited for or told as damage, and what is counted."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.mbus.frame import (
    ANY,
    LAST_PRIMARY,
    RSP_UD_CONTROLS,
    SELECTED,
    FrameReader,
    LongFrame,
    ShortFrame,
    SingleCharacter,
)
from smart_meter_reader.exceptions import (
    ChecksumError,
    ForbiddenCommandError,
    FrameError,
    IncompleteError,
)
from tests.codecs.mbus.captures import MULTICAL_403, SHARKY
from tests.codecs.mbus.test_frame import Found, read, read_all, told

# RSP_UD of meter 1, without data: C 08, A 01, CI 72, checksum 7B.
SHORTEST = bytes.fromhex("680303680801727b16")
REQUEST = bytes.fromhex("105b015c16")


def reader_of(received: str, *, ended: bool = False) -> tuple[FrameReader, list[Found]]:
    reader = FrameReader()
    reader.receive_data(bytes.fromhex(received))
    if ended:
        reader.finish()
    return reader, read_all(reader)


def error_of(received: str) -> tuple[str, str]:
    """Reason and bytes of the only error that a whole stream gives, which must have nothing else."""
    (error,) = read(bytes.fromhex(received))
    assert isinstance(error, FrameError)
    return error.reason, error.frame.hex()


def test_the_frame_without_data_is_the_shortest() -> None:
    assert read(SHORTEST) == [LongFrame(0x08, 0x01, 0x72, b"")]
    assert read(SHORTEST, 1) == read(SHORTEST)
    assert LongFrame(0x08, 0x01, 0x72, b"").encode() == SHORTEST
    # EN 13757-2, 5.5 and 5.7.5.
    assert {control: read(LongFrame(control, 1, 0x72, b"").encode()) for control in RSP_UD_CONTROLS} == {
        control: [LongFrame(control, 1, 0x72, b"")] for control in (0x08, 0x18, 0x28, 0x38)
    }
    assert (LAST_PRIMARY, SELECTED, ANY) == (250, 253, 254)


def test_252_octets_behind_the_ci_are_the_most() -> None:
    longest = LongFrame(0x08, 0xFF, 0x72, bytes([0xFF] * 252))
    raw = longest.encode()
    assert (len(raw), raw[:4].hex(), raw[-1]) == (261, "68ffff68", 0x16)
    assert read(raw) == [longest]


@pytest.mark.parametrize("control", [0x40, 0x5A, 0x5B, 0x7A, 0x7B])
@pytest.mark.parametrize("address", [0, 1, 255])
def test_every_request_both_ways(control: int, address: int) -> None:
    raw = ShortFrame(control, address).encode()
    assert raw == bytes((0x10, control, address, (control + address) % 256, 0x16))
    assert read(raw, 1) == [ShortFrame(control, address)]


@pytest.mark.parametrize("control", [0x00, 0x41, 0x53, 0x59, 0x60, 0x73, 0x7C])
def test_no_other_short_frame_is_sent_or_found(control: int) -> None:
    with pytest.raises(ValueError, match=f"{control:02X}h is no C field"):
        ShortFrame(control, 1).encode()
    assert read(bytes((0x10, control, 1, control + 1, 0x16))) == []


@pytest.mark.parametrize(
    ("control", "address", "ci", "length"),
    [
        (0x43, 253, 0x52, 8),
        (0x5B, 253, 0x52, 8),
        (0x53, 253, 0x51, 8),
        (0x53, 253, 0x56, 8),
        (0x53, 1, 0x52, 8),
        (0x53, 255, 0x52, 8),
        (0x53, 253, 0x52, 7),
        (0x53, 253, 0x52, 9),
    ],
)
def test_what_is_like_a_selection_and_none_is_never_sent(
    control: int, address: int, ci: int, length: int
) -> None:
    frame = LongFrame(control, address, ci, bytes(length))
    assert frame.from_reader is True
    with pytest.raises(ForbiddenCommandError, match=f"CI {ci:02X}h changes a meter"):
        frame.encode()


@pytest.mark.parametrize("control", [0x53, 0x73])
def test_a_selection_is_sent(control: int) -> None:
    frame = LongFrame(control, 253, 0x52, bytes(8))
    assert read(frame.encode()) == [frame]
    assert LongFrame(0x08, 253, 0x52, bytes(8)).from_reader is False


@pytest.mark.parametrize(
    "begun",
    [
        "10",
        "105b",
        "105b01",
        "105b015c",
        "68",
        "6803",
        "680303",
        # Of no length that a frame has, and one of the others is another octet.
        "68000068",
        "6800006808",
        "68030468080172",
        "68030369080172",
    ],
)
def test_what_may_become_a_frame_is_waited_for_until_the_end(begun: str) -> None:
    reader, found = reader_of(begun)
    assert (found, reader.pending.hex(), reader.skipped_bytes) == ([], begun, 0)
    reader.finish()
    assert read_all(reader) == []
    assert (reader.pending, reader.skipped_bytes) == (b"", len(begun) // 2)


def test_a_frame_with_a_right_head_is_told_where_it_does_not_end() -> None:
    reader, found = reader_of("68030368080172")
    assert (found, reader.pending.hex()) == ([], "68030368080172")
    reader.finish()
    (error,) = read_all(reader)
    assert isinstance(error, IncompleteError)
    assert (error.reason, error.frame.hex()) == ("incomplete", "68030368080172")
    assert "2 bytes are missing at its end" in error.detail
    assert (reader.pending, reader.skipped_bytes) == (b"", 0)


@pytest.mark.parametrize("noise", ["1041", "1053", "68030469", "00", "55e5"])
def test_what_cannot_become_a_frame_is_passed_over_at_once(noise: str) -> None:
    reader, found = reader_of(noise)
    assert (found, reader.pending, reader.skipped_bytes) == ([], b"", len(noise) // 2)


@pytest.mark.parametrize(
    ("received", "reason"),
    [
        ("105b015d16", "checksum"),
        ("680303680801720016", "checksum"),
        ("680303680801727b17", "stop"),
        ("680303680801720017", "incomplete"),  # neither sum nor stop stand where the length says
        # One octet of the head is another one, and all the rest fits.
        ("680304680801727b16", "length"),
        ("680403680801727b16", "length"),
        ("680003680801727b16", "length"),
        ("680903680801727b16", "length"),
        ("680303690801727b16", "start"),
        # Lengths of 0 and 4, and the content of the second one is a frame of no octets.
        ("68000468001672008816", "length"),
        # Whole, but for what every frame has.
        ("680000680816", "length"),
        ("6802026808091116", "length"),
    ],
)
def test_one_damaged_frame_is_told_with_its_bytes(received: str, reason: str) -> None:
    assert error_of(received) == (reason, received)
    # Nothing of it is counted as skipped, and what stands behind it is.
    reader, _ = reader_of(received + "5555", ended=True)
    assert reader.skipped_bytes == 2


@pytest.mark.parametrize(
    "received",
    [
        "105b015c17",
        "680000680817",
        "680304690801727b16",
        "68010169555516",
        "680303690801720016",  # a wrong start, and no checksum that fits
        "680303690801727b17",
        "680304680801720016",
        "680304680801727b17",
    ],
)
def test_what_is_no_frame_is_no_damage_and_hides_none_behind_it(received: str) -> None:
    assert read(bytes.fromhex(received) + MULTICAL_403) == read(MULTICAL_403)
    reader, found = reader_of(received, ended=True)
    assert (found, reader.pending, reader.skipped_bytes) == ([], b"", len(received) // 2)


def test_a_whole_damaged_frame_is_told_before_the_end() -> None:
    for received in ("680000680816", "680304680801727b16", "105b015d16", "680303680801727b17"):
        _, found = reader_of(received)
        assert [isinstance(each, FrameError) for each in found] == [True], received


def test_a_frame_that_begins_with_68_inside_is_one_where_its_checksum_fits() -> None:
    assert read(bytes.fromhex("68030368680172db16")) == [LongFrame(0x68, 0x01, 0x72, b"")]
    # A 68 of noise before one of 68h octets that is cut: told once, without the noise.
    (error,) = read(b"\x68" + SHARKY[:50])
    assert isinstance(error, IncompleteError)
    assert error.frame == SHARKY[:50]


def test_an_e5_behind_noise_is_noise_in_another_piece_too() -> None:
    assert read(b"\x55\xe5\x55", 1) == []
    assert read(b"\x55\xe5" + REQUEST + b"\xe5", 1) == [*read(REQUEST), SingleCharacter()]


def test_skipped_octets_are_counted_once() -> None:
    reader = FrameReader()
    counts = []
    for piece in (b"\x55\x55\x55", MULTICAL_403, b"\x55", REQUEST + b"\xe5", b"\x10\x41\x00", b"\x10\x40"):
        reader.receive_data(piece)
        read_all(reader)
        counts.append(reader.skipped_bytes)
    assert counts == [3, 3, 4, 4, 7, 7]
    reader.finish()
    assert (read_all(reader), reader.skipped_bytes) == ([], 9)


def test_octets_of_damaged_frames_are_not_counted_as_skipped() -> None:
    # A cut frame claims the begin of the one behind it; behind that, counting goes on.
    reader = FrameReader()
    reader.receive_data(MULTICAL_403[:-20] + SHORTEST + b"\x55" * 30 + REQUEST + b"\x55")
    found = read_all(reader)
    assert [each.reason for each in found if isinstance(each, FrameError)] == ["incomplete"]
    assert [each for each in found if not isinstance(each, FrameError)] == [*read(SHORTEST), *read(REQUEST)]
    assert reader.skipped_bytes == 31
    # One damaged frame inside of another: the longer one decides.
    outer = bytes.fromhex("6810106808105b015d16") + bytes(11) + b"\x17"
    reader = FrameReader()
    reader.receive_data(outer + b"\x55" * 3)
    assert [each.reason for each in read_all(reader) if isinstance(each, FrameError)] == [
        "incomplete",
        "checksum",
    ]
    assert reader.skipped_bytes == 3


def test_what_is_pending_is_a_copy() -> None:
    reader, _ = reader_of("1040")
    pending = reader.pending
    reader.receive_data(b"\x01")
    assert (pending, reader.pending) == (b"\x10\x40", b"\x10\x40\x01")


def test_bytes_after_an_end_are_waited_for_again() -> None:
    reader, _ = reader_of("1040", ended=True)
    reader.receive_data(REQUEST[:3])
    assert (read_all(reader), reader.pending) == ([], REQUEST[:3])
    reader.receive_data(REQUEST[3:])
    assert read_all(reader) == [ShortFrame(0x5B, 1)]


def test_an_error_says_what_it_saw() -> None:
    said = {
        "105b015d16": "checksum 5D received, 5C calculated",
        "680303680801727b17": "17h where 16h ends a frame",
        "680303680801720017": "it does not end where its length says",
        "680304680801727b16": "the two length octets differ",
        "680303690801727b16": "69h in the place of the second 68h",
        "680000680816": "a length of 0, and no frame has fewer than 3 octets",
    }
    for received, words in said.items():
        (error,) = read(bytes.fromhex(received))
        assert isinstance(error, FrameError)
        assert words in error.detail
        assert isinstance(error, ChecksumError) == (error.reason == "checksum")
    assert told(read(b"")) == []
