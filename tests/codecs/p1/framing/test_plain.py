"""Framing of plain telegrams: cut anywhere, damaged anywhere, in noise, without ends, without checksum."""

from __future__ import annotations

import gc
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.framing.checksum import crc16_arc, crc16_x25
from smart_meter_reader.codecs.p1.framing.plain import MAX_TELEGRAM
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.meters.p1.emulator import Encryption, P1Meter
from tests.codecs.p1.streams import drain, read, reasons, telegrams
from tests.codecs.p1.vectors import PLAIN, Vector, wire

GOOD = wire("nl-dsmr50-isk")
OTHER = wire("be-fluvius-171")
UNCHECKED = wire("nl-dsmr22-isk")
HOLLEY = b"/HLY5/D545-METER\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.0(00003668.743*kWh)\r\n!"


def expected(vector: Vector) -> list[str]:
    ok = vector["crc"]["ok"]
    if "note" in vector["crc"] and "truncated" in vector["crc"]["note"]:
        return ["truncated"]
    return ["absent"] if ok is None else ["ok"] if ok else ["checksum"]


@pytest.mark.parametrize("vector", PLAIN, ids=lambda v: v["id"])
def test_published_streams(vector: Vector) -> None:
    """Whole, byte by byte, with lost CRs, after noise, and with NULs between any two bytes."""
    received = wire(vector)
    noise = random.Random(vector["id"]).randbytes(2000)
    for stream, piece in (
        (received, None),
        (received, 1),
        (received, 7),
        (received.replace(b"\r\n", b"\n"), None),
        (noise + received, 100),
        (bytes(byte for pair in zip(received, bytes(len(received)), strict=True) for byte in pair), 11),
    ):
        assert reasons(read(stream, piece)) == expected(vector)


def test_all_published_telegrams_in_one_stream() -> None:
    vectors = [vector for vector in PLAIN if expected(vector) in (["ok"], ["absent"])]
    stream = b"".join(wire(vector) for vector in vectors)
    for piece in (None, 1, 1000):
        assert reasons(read(stream, piece)) == [expected(vector)[0] for vector in vectors]


@given(st.integers(0, len(GOOD) - 1))
def test_a_start_in_the_middle_costs_nothing_more(start: int) -> None:
    outcomes = read(GOOD[start:] + OTHER, 64, one_meter=True)
    assert reasons(outcomes) == (["ok", "ok"] if start == 0 else ["ok"])
    assert telegrams(outcomes)[-1].header == "FLU5\\253769484_A"


@given(st.integers(20, len(GOOD) - 7), st.integers(1, 300))
def test_a_lost_end_costs_one_telegram(cut: int, piece: int) -> None:
    outcomes = read(GOOD + GOOD[:cut] + OTHER + GOOD, piece)
    assert [telegram.header[:4] for telegram in telegrams(outcomes)] == ["ISk5", "FLU5", "ISk5"]


WHOLE = [vector for vector in PLAIN if expected(vector) in (["ok"], ["absent"])]
# Of each kind some are cut all over; all of them at each place where they begin and end.
CUT_ALL_OVER = (
    "nl-dsmr50-isk",
    "be-fluvius-171",
    "at-t210dr-plain",
    "nb-nocrc14",
    "de-easymeter-q3d-b1024",
)


@pytest.mark.parametrize("vector", WHOLE, ids=lambda v: v["id"])
@pytest.mark.parametrize("before", [False, True])
def test_a_telegram_cut_anywhere_takes_none_along(vector: Vector, before: bool) -> None:
    """Within its first line, its checksum or its line end too: "!99" and "/ISK" is no checksum 99/I."""
    received = wire(vector)
    end = received.index(b"\n!") + 2
    (good,) = telegrams(read(received))
    cuts = range(1, len(received))
    middle = cuts[30 : end - 40 : 3 + before] if vector["id"] in CUT_ALL_OVER else ()
    for cut in (*cuts[:30], *middle, *cuts[end - 40 :]):
        stream = (received if before else b"") + received[:cut] + received
        outcomes = read(stream, one_meter=True)
        last = outcomes[-1]
        assert isinstance(last, Telegram), cut
        assert (last.header, last.objects, last.checksum) == (good.header, good.objects, good.checksum), cut
        # Only what was all there may count once more: the cut lies behind its last character.
        found = len(telegrams(outcomes))
        assert found == 1 + before or (found == 2 + before and cut >= end), cut


def test_an_encrypted_telegram_cut_anywhere_takes_none_along() -> None:
    encryption = Encryption(bytes(range(16)), bytes(range(16, 32)))
    meter = P1Meter("austria", encryption=encryption, interval=10.0)
    first, cut_one, last = (meter.next_telegram() for _ in range(3))
    for cut in range(1, len(cut_one)):
        opener = Opener(encryption.key, encryption.authentication_key)
        outcomes = read(first + cut_one[:cut] + last, 64, opener, one_meter=True)
        assert [telegram.frame_counter for telegram in telegrams(outcomes)] == [1, 3], cut


@given(st.integers(1, len(GOOD) - 10), st.integers(1, 300))
def test_a_lost_start_costs_one_telegram(cut: int, piece: int) -> None:
    outcomes = read(GOOD + OTHER[cut:] + GOOD, piece)
    assert [telegram.header[:4] for telegram in telegrams(outcomes)] == ["ISk5", "ISk5"]


@given(st.data())
def test_a_lost_piece_costs_the_telegrams_it_touches(data: st.DataObject) -> None:
    stream = GOOD + OTHER + GOOD + OTHER
    begin = data.draw(st.integers(len(GOOD), len(GOOD) + len(OTHER) - 9))
    end = data.draw(st.integers(begin + 1, len(GOOD) + len(OTHER) - 8))
    outcomes = read(stream[:begin] + stream[end:], data.draw(st.integers(1, 500)))
    found = telegrams(outcomes)
    assert [telegram.header[:4] for telegram in (found[0], *found[-2:])] == ["ISk5", "ISk5", "FLU5"]
    assert all(telegram.checksum == "ok" for telegram in found)


@given(st.integers(0, len(GOOD) - 3), st.integers(0, 7))
def test_no_turned_bit_is_published(position: int, bit: int) -> None:
    """A bit in the '!' or in the checksum may hide the end; then the next telegram must still arrive."""
    damaged = bytearray(GOOD)
    damaged[position] ^= 1 << bit
    found = telegrams(read(bytes(damaged) + OTHER, one_meter=True))
    # Nulling a byte out is the same as losing it, and so is a lower-case digit in the checksum none.
    assert [telegram.header[:4] for telegram in found if telegram.header[:4] != "ISk5"] == ["FLU5"]
    for telegram in found[:-1]:
        assert telegram.objects == telegrams(read(GOOD))[0].objects


@settings(max_examples=50)
@given(st.binary(max_size=600), st.binary(max_size=600), st.integers(1, 300))
def test_noise_around_a_telegram(before: bytes, after: bytes, piece: int) -> None:
    outcomes = read(before + b"\r\n" + GOOD + after, piece)
    assert [telegram.header for telegram in telegrams(outcomes)] == ["ISk5\\2MT382-1000"]


@given(
    st.lists(
        st.sampled_from(
            [
                b"/",
                b"/ISk5\\2",
                b"\r\n",
                b"!",
                b"\n!0000\r\n",
                b"(",
                b"1-0:1.8.0(1*kWh)\r\n",
                b"\xdb\x08",
                b"\0",
                b"\xff",
            ]
        ),
        max_size=60,
    ),
    st.integers(1, 50),
)
def test_pieces_of_telegrams_are_survived(pieces: list[bytes], piece: int) -> None:
    outcomes = read(b"".join(pieces) + b"\r\n" + GOOD, piece)
    assert telegrams(outcomes)[-1].header == "ISk5\\2MT382-1000"


@pytest.mark.parametrize("field", ["{:04x}", "{:X}", "{:x}", "{:04X}\0", "{:X} "])
def test_checksums_written_otherwise(field: str) -> None:
    """Lower case and without leading zeros: dsmr_parser PR 173. The telegram is made to begin with a zero."""
    body = next(
        covered
        for number in range(10_000)
        if crc16_arc(covered := b"/ISk5\r\n\r\n1-0:1.8.0(%09d*Wh)\r\n!" % number) < 0x1000
    )
    stream = body + field.format(crc16_arc(body)).encode() + b"\r\n"
    assert reasons(read(stream)) == ["ok"]
    assert reasons(read(stream, 1)) == ["ok"]


@pytest.mark.parametrize("field", [b"G3F2", b"6EE#", b"#", b"\xff\xff", b"6E E"])
def test_a_damaged_checksum_is_not_an_absent_one(field: bytes) -> None:
    assert reasons(read(GOOD[: GOOD.index(b"\n!") + 2] + field + b"\r\n")) == ["checksum"]


def test_a_meter_that_sends_checksums_always_does() -> None:
    stripped = GOOD[: GOOD.index(b"\n!") + 2] + b"\r\n"
    assert reasons(read(GOOD + stripped, one_meter=True)) == ["ok", "checksum"]
    assert reasons(read(stripped + stripped, one_meter=True)) == ["absent", "absent"]
    # A file may hold telegrams of several meters of one make.
    assert reasons(read(GOOD + stripped, one_meter=False)) == ["ok", "absent"]


def test_holley_has_a_second_slash_and_another_checksum() -> None:
    for algorithm in (crc16_x25, crc16_arc):
        outcomes = read(HOLLEY + b"%04X\r\n" % algorithm(HOLLEY))
        assert reasons(outcomes) == ["ok"]
        assert telegrams(outcomes)[0].header == "HLY5/D545-METER"
    other = HOLLEY.replace(b"HLY", b"ISK")
    assert reasons(read(other + b"%04X\r\n" % crc16_x25(other))) == ["checksum"]


def test_a_telegram_that_begins_inside_another() -> None:
    """As it was captured: the end of a message line got lost, and the next telegram followed at once."""
    cut = b"/HLY5/D545-METER\r\n\r\n1-3:0.2.8(50)\r\n0-0:96.13.0(FFFFFFFF"
    outcomes = read(cut + HOLLEY + b"%04X\r\n" % crc16_x25(HOLLEY))
    assert reasons(outcomes) == ["truncated", "ok"]


def test_a_text_with_a_slash_is_no_start() -> None:
    body = b"/ISk5\r\n\r\n0-0:96.13.0(see http://www.example.org/abc)\r\n1-0:1.8.0(1*kWh)\r\n!"
    assert telegrams(read(body + b"\r\n"))[0].measurements["text_message"]["value"].startswith("see")  # type: ignore[union-attr]
    assert reasons(read(encode_telegram(body))) == ["ok"]


def test_a_telegram_without_checksum_is_complete_at_its_line_end() -> None:
    reader = P1Reader()
    reader.receive_data(UNCHECKED.rstrip(b"\r\n"))
    assert drain(reader) == []
    reader.receive_data(b"\r\n")
    assert reasons(drain(reader)) == ["absent"]


def test_a_telegram_with_checksum_is_complete_at_its_last_digit() -> None:
    reader = P1Reader()
    reader.receive_data(GOOD.rstrip(b"\r\n"))
    assert reasons(drain(reader)) == ["ok"]


def test_the_longest_message_passes_and_a_longer_one_is_given_up() -> None:
    text = b"30" * 5000
    body = b"/Lux5\r\n\r\n0-0:96.13.0(" + text + b")\r\n!"
    assert reasons(read(encode_telegram(body), 300)) == ["ok"]
    endless = b"/Lux5\r\n\r\n" + b"1-0:1.8.0(000001.000*kWh)\r\n" * (2 * MAX_TELEGRAM // 28)
    assert reasons(read(endless + GOOD, 300)) == ["overlong", "ok"]


def test_noise_costs_little_memory_and_no_report() -> None:
    """A minute of noise at 115,200 Bd: 64 KiB at most, no error, and the next telegram is read."""
    noise = random.Random(1).randbytes(60 * 11_520)
    # The lower of two, since what else happens in this process is counted as well.
    assert min(_peak_of(noise), _peak_of(noise)) < 64 * 1024


def _peak_of(noise: bytes) -> int:
    """The most that a reader keeps of what it makes nothing of, in bytes."""
    reader = P1Reader()
    outcomes = []
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for begin in range(0, len(noise), 1024):
            reader.receive_data(noise[begin : begin + 1024])
            outcomes += drain(reader)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    reader.receive_data(GOOD)
    assert reasons(outcomes + drain(reader)) == ["ok"]
    assert reader.skipped > 0.9 * len(noise)
    return peak - before


def test_telegrams_with_power_failure_logs_leave_nothing_behind() -> None:
    """dsmr-parser 1.11 keeps a few entries of each log for ever; here 1,200 more may leave 15 kB."""
    meter = P1Meter("dsmr-4", interval=10.0)
    telegrams_sent = [meter.next_telegram() for _ in range(150)]
    reader = P1Reader()

    def run() -> int:
        count = 0
        for telegram in telegrams_sent:
            reader.receive_data(telegram)
            count += len(drain(reader))
        return count

    def left() -> int:
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(8):
            run()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        assert run() == run() == 150
        # Caches of bounded size may be fuller than before, and others in this process remember things, too;
        # a leak would be 1,200 times something, each time.
        assert min(left(), left()) < 15_000
    finally:
        tracemalloc.stop()
