"""SML frames: captures whole and cut anywhere, damage, junk, both checksums; and Hypothesis."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smart_meter_reader.codecs.crc16 import crc16_kermit, crc16_x25
from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.encode import Value, encode_frame, encode_message, encode_telegram
from smart_meter_reader.codecs.sml.frame import END, ESCAPE, MAX_FRAME_LENGTH, START, FrameReader, SmlFrame
from smart_meter_reader.codecs.sml.messages import CLOSE
from smart_meter_reader.codecs.sml.telegram import ValueList
from smart_meter_reader.exceptions import ChecksumError, FrameError, IncompleteError, MalformedError
from tests.codecs.sml.vectors import GOOD, wire

PLAIN = wire("sml-emh-ehz-hw8")
KERMIT = wire("sml-holley-dtz541-kermit")
ESCAPED = wire("sml-escape-inside")


def read_all(reader: FrameReader) -> list[SmlFrame | FrameError]:
    """Everything that the reader has, errors among it, until it wants more bytes."""
    found: list[SmlFrame | FrameError] = []
    while True:
        try:
            frame = reader.next_frame()
        except FrameError as error:
            found.append(error)
            continue
        if frame is None:
            return found
        found.append(frame)


def read(stream: bytes, chunks: Iterable[bytes] | None = None) -> list[SmlFrame | FrameError]:
    reader = FrameReader()
    found = []
    for chunk in chunks or [stream]:
        reader.receive_data(chunk)
        found += read_all(reader)
    return found


def frames(stream: bytes) -> list[SmlFrame]:
    return [each for each in read(stream) if isinstance(each, SmlFrame)]


def reasons(found: Iterable[SmlFrame | FrameError]) -> list[str]:
    return [each.reason if isinstance(each, FrameError) else each.checksum for each in found]


def only(stream: bytes) -> SmlFrame:
    (frame,) = read(stream)
    assert isinstance(frame, SmlFrame), frame
    return frame


def values_of(frame: SmlFrame) -> ValueList:
    (values,) = [message.values for message in frame.messages if message.values is not None]
    return values


@pytest.mark.parametrize("name", GOOD)
def test_captures_whole_and_byte_by_byte(name: str) -> None:
    frame = only(wire(name))
    assert frame.length == len(wire(name))
    assert [message.tag for message in frame.messages] == [0x0101, 0x0701, 0x0201]
    assert read(b"", [bytes([octet]) for octet in wire(name)]) == [frame]


@pytest.mark.parametrize("name", GOOD)
def test_amid_garbage_and_two_in_a_row(name: str) -> None:
    frame, raw = only(wire(name)), wire(name)
    noise = bytes(range(256)) * 3
    assert read(noise + raw + noise + raw + raw + noise) == [frame] * 3


@pytest.mark.parametrize("name", GOOD)
def test_no_single_flipped_bit_gives_a_value(name: str) -> None:
    raw = wire(name)
    for bit in range(8 * len(raw)):
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << bit % 8
        assert not frames(bytes(damaged)), bit


@pytest.mark.parametrize("name", ["sml-emh-ehz-hw8", "sml-escape-inside", "sml-holley-dtz541-kermit"])
def test_wherever_a_telegram_is_cut_the_next_one_is_read(name: str) -> None:
    frame, raw = only(wire(name)), wire(name)
    for cut in range(1, len(raw)):
        assert read(raw[:cut] + raw)[-1] == frame, cut


@pytest.mark.parametrize("lost", range(1, 316, 7))
def test_a_lost_octet_costs_one_telegram(lost: int) -> None:
    found = read(PLAIN[:lost] + PLAIN[lost + 1 :] + PLAIN + PLAIN)
    assert frames(PLAIN)[0] == found[-1]
    assert len([each for each in found if isinstance(each, SmlFrame)]) == 2


def test_both_checksums_of_the_catalogue() -> None:
    # The check values of the catalogue of parametrised CRC algorithms, of 31 to 39.
    assert (crc16_x25(b"123456789"), crc16_kermit(b"123456789")) == (0x906E, 0x2189)


def test_kermit_is_learned_and_does_not_shut_out_the_other() -> None:
    assert reasons(read(KERMIT + KERMIT + PLAIN + KERMIT)) == ["kermit", "kermit", "x25", "kermit"]


def test_a_checksum_that_fits_by_chance_is_no_checksum() -> None:
    """A damaged frame of one kind whose end is right for the other kind: its messages tell."""
    flipped = bytearray(KERMIT)
    flipped[200] ^= 0x10
    by_chance = bytes(flipped[:-2]) + crc16_x25(bytes(flipped[:-2])).to_bytes(2, "little")
    assert reasons(read(by_chance)) == ["checksum"]
    assert reasons(read(KERMIT + by_chance)) == ["kermit", "checksum"]
    flipped = bytearray(PLAIN)
    flipped[200] ^= 0x10
    by_chance = bytes(flipped[:-2]) + crc16_kermit(bytes(flipped[:-2])).to_bytes(2, "big")
    assert reasons(read(by_chance)) == ["checksum"]
    assert reasons(read(PLAIN + by_chance)) == ["x25", "checksum"]


def test_a_capture_made_anonymous_counts_by_its_transport() -> None:
    """Message checksums that are wrong under a right one of the transport were only ever somebody's edit."""
    payload = PLAIN[8:-8]
    edited = payload.replace(b"\x06EMH\x01\x02\x00\x00\x00\x01", b"\x06EMH\x01\x02\x00\x00\x00\x09")
    assert reasons(read(encode_frame(edited[:-1]))) == ["x25"]
    assert reasons(read(PLAIN + encode_frame(edited[:-1]))) == ["x25", "x25"]


def test_what_a_meter_used_before_tells_which_checksum_is_chance() -> None:
    messages = encode_message(1, CLOSE, b"\x71\x01", "kermit")
    assert reasons(read(encode_frame(messages))) == ["checksum"]
    assert reasons(read(PLAIN + encode_frame(messages))) == ["x25", "x25"]
    # Behind Kermit's, X.25's counts where that of every message is X.25's, too.
    good, wrong = (
        encode_message(1, CLOSE, b"\x71\x01") + tail for tail in (b"", messages[:-2] + b"\x00\x00")
    )
    assert reasons(read(encode_frame(wrong))) == ["x25"]
    assert reasons(read(KERMIT + encode_frame(good))) == ["kermit", "x25"]
    assert reasons(read(KERMIT + encode_frame(wrong))) == ["kermit", "checksum"]


def test_a_message_may_have_a_checksum_of_one_octet() -> None:
    number, raw = next(
        (number, raw)
        for number in range(2000)
        if (raw := encode_message(number, CLOSE, b"\x71\x01"))[-3:-2] != b"" and raw[-2] == 0
    )
    short = raw[:-4] + b"\x62" + raw[-3:-2] + b"\x00"
    (message,) = only(encode_frame(short)).messages
    assert (message.tag, message.fits_x25(), len(message.checksum)) == (CLOSE, True, 1), number


def test_a_number_of_any_width_and_a_key_with_an_escape() -> None:
    assert b"1b1b1b1b" in only(ESCAPED).messages[1].covered.hex().encode()
    widths = {entry.octets for name in GOOD for entry in values_of(only(wire(name))).entries}
    assert {1, 2, 3, 4, 5, 8} <= widths


@pytest.mark.parametrize(
    ("stream", "reason", "kind"),
    [
        (PLAIN[:-1] + b"\x75", "checksum", ChecksumError),
        (PLAIN[:150] + PLAIN, "new_start", IncompleteError),
        (PLAIN[:100] + ESCAPE + b"\x02\x00\x00\x00" + PLAIN, "escape", MalformedError),
        (START + bytes(MAX_FRAME_LENGTH + 1) + PLAIN, "too_long", IncompleteError),
        (encode_frame(b"\x76\x00"), "malformed", MalformedError),
        (encode_frame(b"\x77" * 40), "malformed", MalformedError),
        (encode_frame(b"\xf1" * 40), "malformed", MalformedError),
        (encode_frame(b"\x63\x00\x00"), "malformed", MalformedError),
    ],
)
def test_damage_is_told_and_dropped(stream: bytes, reason: str, kind: type[FrameError]) -> None:
    first = read(stream)[0]
    assert isinstance(first, kind)
    assert first.reason == reason
    assert frames(stream) == ([only(PLAIN)] if stream.endswith(PLAIN) else [])


@pytest.mark.parametrize(
    ("payload", "fill", "reason"),
    [(4, 4, "fill"), (8, 4, "fill"), (0, 1, "fill"), (2, 3, "fill"), (3, 3, "x25"), (0, 0, "x25")],
)
def test_how_many_octets_may_fill_it(payload: int, fill: int, reason: str) -> None:
    covered = START + bytes(payload) + ESCAPE + bytes([END, fill])
    (found,) = read(covered + crc16_x25(covered).to_bytes(2, "little"))
    assert reasons([found]) == [reason]
    assert isinstance(found, FrameError) or found.messages == ()


def test_a_telegram_has_4096_octets_before_its_end_at_the_most() -> None:
    def behind(payload: int) -> bytes:
        covered = START + bytes(payload) + ESCAPE + bytes([END, 0])
        return covered + crc16_x25(covered).to_bytes(2, "little")

    assert reasons(read(behind(MAX_FRAME_LENGTH - 8))) == ["malformed"]
    assert reasons(read(behind(MAX_FRAME_LENGTH - 7))) == ["too_long"]
    assert read(START + bytes(MAX_FRAME_LENGTH - 8)) == []
    (given_up,) = read(START + bytes(MAX_FRAME_LENGTH - 7))
    assert isinstance(given_up, IncompleteError)
    assert given_up.detail.endswith(f"no end in {MAX_FRAME_LENGTH} octets")


@pytest.mark.parametrize(
    ("stream", "frame", "words"),
    [
        (PLAIN[:150] + PLAIN, PLAIN[:150], "a telegram of 150 octets is damaged: another telegram begins"),
        (PLAIN[:100] + ESCAPE + b"\x02\x00\x00\x00" + PLAIN, PLAIN[:100], "02000000 behind 1b1b1b1b"),
        (PLAIN[:-1] + b"\x75" + PLAIN, PLAIN[:-1] + b"\x75", "octets were lost or changed on the way"),
    ],
)
def test_what_is_given_up_is_told_with_its_octets(stream: bytes, frame: bytes, words: str) -> None:
    error = read(stream)[0]
    assert isinstance(error, FrameError)
    assert error.frame == frame
    assert words in error.detail


def test_octets_of_no_telegram_are_counted_and_the_last_of_them_kept() -> None:
    reader = FrameReader()
    junk = bytes(range(0x20, 0x7F)) * 10
    for begin in range(0, len(junk), 100):
        reader.receive_data(junk[begin : begin + 100])
        assert read_all(reader) == []
    # Seven more may be the begin of a start.
    assert (reader.skipped, reader.unrecognised) == (len(junk) - 7, junk[:-7][-256:])
    reader.receive_data(PLAIN)
    assert read_all(reader) == [only(PLAIN)]
    assert (reader.skipped, reader.unrecognised) == (len(junk), junk[-256:])
    reader.receive_data(b"end")
    assert read_all(reader) == []
    reader.end_of_data()
    assert (reader.skipped, reader.unrecognised) == (len(junk) + 3, (junk + b"end")[-256:])


def test_nothing_is_unrecognised_before_something_came() -> None:
    reader = FrameReader()
    assert (reader.skipped, reader.unrecognised) == (0, b"")
    reader.receive_data(b"junk" + PLAIN)
    assert read_all(reader) == [only(PLAIN)]
    assert (reader.skipped, reader.unrecognised) == (4, b"junk")


@pytest.mark.parametrize("behind", [b"\x1a\x00\x00\x00", b"\x02\x00\x00\x00", ESCAPE])
def test_an_escape_outside_of_a_telegram_is_no_damage(behind: bytes) -> None:
    assert read(b"", [b"\x00" + ESCAPE + behind + b"\x00", PLAIN]) == [only(PLAIN)]


@pytest.mark.parametrize("count", range(1, 14))
def test_any_number_of_escape_octets_comes_back(count: int) -> None:
    octets = b"\x1b" * count + b"\x00"
    (entry,) = values_of(only(encode_telegram(b"ID", [Value(ObisCode(1, 0, 0, 0, 9, 255), octets)]))).entries
    assert entry.value == octets


def test_of_a_telegram_that_is_given_up_the_end_is_kept() -> None:
    reader = FrameReader()
    reader.receive_data(PLAIN[:-1] + b"\x75")
    assert reasons(read_all(reader)) == ["checksum"]
    assert reader.unrecognised == (PLAIN[:-1] + b"\x75")[-256:]
    assert len(PLAIN) > 256


def test_the_checksum_of_the_last_good_telegram_is_known() -> None:
    reader = FrameReader()
    assert reader.checksum == ""
    for telegram, checksum in ((KERMIT, "kermit"), (PLAIN[:-1] + b"\x75", "kermit"), (PLAIN, "x25")):
        reader.receive_data(telegram)
        read_all(reader)
        assert reader.checksum == checksum


def test_the_end_of_a_capture_in_the_middle_of_a_telegram() -> None:
    reader = FrameReader()
    reader.receive_data(PLAIN[:200])
    assert read_all(reader) == []
    with pytest.raises(IncompleteError) as caught:
        reader.end_of_data()
    assert (caught.value.reason, caught.value.frame) == ("cut", PLAIN[:200])
    reader.end_of_data()


def test_the_older_ones_can_be_left_out() -> None:
    reader = FrameReader()
    reader.receive_data(PLAIN * 5)
    assert reader.leave_out_older() == 3
    assert len(read_all(reader)) == 2
    for telegrams, left_out in ((1, 0), (2, 0), (3, 1)):
        reader.receive_data(b"\x00" + PLAIN * telegrams)
        assert reader.leave_out_older() == left_out
        assert len(read_all(reader)) == telegrams - left_out


JUNK = {
    "zeros": bytes(100_000),
    "escapes": ESCAPE * 25_000,
    "starts": START * 12_500,
    "doubled escapes": START + (ESCAPE + ESCAPE) * 12_500,
    "starts behind escapes": (ESCAPE + START) * 8_333,
    "starts without end": (START + bytes(900)) * 110,
    "ends that are wrong": (START + bytes(20) + ESCAPE + b"\x1a\x00\x00\x00") * 2_777,
    "random": random.Random(1).randbytes(100_000),
    "random of few": bytes(random.Random(2).choices(b"\x1b\x01\x1a\x00", k=100_000)),
}


@pytest.mark.parametrize("name", JUNK)
@pytest.mark.parametrize("piece", [100_000, 333, 17])
def test_junk_is_linear_and_bounded(name: str, piece: int) -> None:
    junk = JUNK[name]
    reader = FrameReader()
    for begin in range(0, len(junk), piece):
        reader.receive_data(junk[begin : begin + piece])
        read_all(reader)
        assert len(reader._buffer) <= MAX_FRAME_LENGTH + piece + 8
    # What a piece overlaps with the one before is looked at again: seven octets of each at most.
    assert reader.looked_at <= 4 * len(junk) + 8 * (len(junk) // piece + 1)
    reader.receive_data(bytes(8) + PLAIN + PLAIN)
    assert read_all(reader)[-1] == only(PLAIN)


def test_a_day_takes_no_more_memory_than_an_hour() -> None:
    reader = FrameReader()

    def hours(count: int) -> int:
        for _ in range(count * 120):  # one each half minute
            reader.receive_data(PLAIN)
            assert len(read_all(reader)) == 1
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = hours(1)
        assert hours(23) < first + 20_000
    finally:
        tracemalloc.stop()


codes = st.builds(ObisCode, *[st.integers(0, 255)] * 6)
numbers = st.integers(-(2**63), 2**64 - 1)
entries = st.builds(
    lambda code, value, unit, scaler, status: Value(
        code, value, unit, scaler, status, signed=isinstance(value, int) and value < 0
    ),
    codes,
    numbers | st.binary(min_size=1, max_size=60) | st.booleans() | st.none(),
    st.none() | st.integers(0, 255),
    st.none() | st.integers(-128, 127),
    st.none() | st.integers(0, 2**64 - 1),
)


@given(
    st.binary(min_size=1, max_size=20),
    st.lists(entries, max_size=40),
    st.sampled_from(["x25", "kermit"]),
    st.sampled_from([None, 17, [1, 5], [2, 1_700_000_000], [3, [1_700_000_000, 60, 60]]]),
)
def test_decode_reverses_encode(server_id: bytes, sent: list[Value], checksum: str, time: object) -> None:
    raw = encode_telegram(server_id, sent, checksum=checksum, sensor_time=time)  # type: ignore[arg-type]
    if len(raw) > MAX_FRAME_LENGTH:
        return
    frame = only(raw)
    values = values_of(frame)
    assert (frame.checksum, values.server_id) == (checksum, server_id)
    assert len(values.entries) + len(values.unread) == len(sent)
    by_code = {entry.code: entry for entry in values.entries}
    for each in sent:
        entry = by_code.get(each.code)
        if [other.code for other in sent].count(each.code) > 1 or entry is None:
            continue
        if isinstance(each.value, int) and not isinstance(each.value, bool):
            assert entry.value.scaleb(-(each.scaler or 0)) == each.value  # type: ignore[union-attr]
        else:
            assert entry.value == each.value


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_random_bytes_parse_or_raise_frame_errors(junk: bytes, places: list[int]) -> None:
    bounds = sorted({0, len(junk), *(place for place in places if place < len(junk))})
    pieces = [junk[a:b] for a, b in pairwise(bounds)]
    assert reasons(read(b"", pieces or [b""])) == reasons(read(junk))


@given(st.binary(max_size=200))
@example(START)
def test_any_payload_under_a_right_checksum_parses_or_is_malformed(payload: bytes) -> None:
    for each in read(encode_frame(payload)):
        assert isinstance(each, SmlFrame | MalformedError)


@given(st.data())
def test_a_changed_payload_under_a_right_checksum_parses_or_is_malformed(data: st.DataObject) -> None:
    payload = bytearray(PLAIN[8:-8])
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    for each in read(encode_frame(bytes(payload))):
        assert isinstance(each, SmlFrame | MalformedError | ChecksumError)
