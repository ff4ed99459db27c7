"""The frame reader: whole, byte by byte, inside garbage, under its cap, and on anything at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.iec62056_21.bcc import Bcc, judge_bcc, sum_bcc, usual_bcc, xor_bcc
from smart_meter_reader.codecs.iec62056_21.describe import describe_capture
from smart_meter_reader.codecs.iec62056_21.frame import (
    BLOCK_LIMIT,
    DataBlock,
    Frame,
    FrameReader,
    Identification,
    Request,
    ShortLine,
)
from smart_meter_reader.codecs.iec62056_21.message import manufacturer_name, swallowed_identification
from smart_meter_reader.codecs.iec62056_21.request import option_select, short_request, sign_on
from smart_meter_reader.codecs.parity import add_parity, count_parity_errors, strip_parity
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.json_text import dumps
from tests.codecs.iec62056_21.captures import CAPTURES, capture

SHORT = capture("iec-66c-kenanv-1")
READOUT = capture("iec-ml-en61107-0053189")
UNFRAMED = b"/ESY5Q3DA1004 V3.03\r\n\r\n1-0:1.8.0*255(00004637.1246412*kWh)\r\n!\r\n"


def frames_of(*parts: bytes, end: bool = False) -> list[Frame | FrameError]:
    reader = FrameReader()
    for part in parts:
        reader.receive_data(part)
    if end:
        reader.end_of_data()
    found: list[Frame | FrameError] = []
    while True:
        try:
            frame = reader.next_frame()
        except FrameError as error:
            found.append(error)
            continue
        if frame is None:
            return found
        found.append(frame)


def kinds(found: list[Frame | FrameError]) -> list[str]:
    return [frame.reason if isinstance(frame, FrameError) else type(frame).__name__ for frame in found]


def test_requests_as_documents_write_them() -> None:
    assert sign_on() == capture("iec-req-signon")
    assert option_select("0") == capture("iec-req-ack")
    for name in "12345bcd":
        assert short_request(f"#{name.upper()}") == capture(f"iec-req-{name}") + b"\r"


@pytest.mark.parametrize("name", [name for name in CAPTURES if name.startswith("iec-req")])
def test_parity_as_a_uart_sees_it(name: str) -> None:
    seen = bytes.fromhex(CAPTURES[name]["bytes_as_8n1_even_parity_hex"])
    assert add_parity(capture(name)) == seen
    assert strip_parity(seen) == capture(name)


@given(st.binary())
def test_parity_both_ways(received: bytes) -> None:
    assert strip_parity(add_parity(received)) == strip_parity(received)
    assert count_parity_errors(add_parity(received)) == 0


def test_bcc_of_kamstrups_example_is_the_sum() -> None:
    block = READOUT[READOUT.index(b"\x02") + 1 : -1]
    assert sum_bcc(block) == READOUT[-1]
    assert xor_bcc(block) != READOUT[-1]


@given(st.binary(max_size=60))
def test_bcc_is_judged_by_either_computation(block: bytes) -> None:
    assert judge_bcc(block, sum_bcc(block)) is Bcc.SUM
    assert judge_bcc(block, xor_bcc(block)) in (Bcc.XOR, Bcc.SUM)


@given(st.binary(max_size=60))
def test_a_bcc_that_fits_both_is_the_one_usual_for_the_make(block: bytes) -> None:
    assert judge_bcc(block, xor_bcc(block), Bcc.XOR) is Bcc.XOR
    assert judge_bcc(block, sum_bcc(block), Bcc.XOR) is (
        Bcc.XOR if sum_bcc(block) == xor_bcc(block) else Bcc.SUM
    )


def test_the_standards_bcc_is_accepted_and_told() -> None:
    body = b"1.8.0(000123.4*kWh)\r\n!\r\n\x03"
    (block,) = frames_of(b"\x02" + body + bytes([xor_bcc(body)]))
    assert block == DataBlock(body[:-1], Bcc.XOR)


def test_a_bcc_that_is_neither_is_an_error_and_the_next_message_is_read() -> None:
    damaged = READOUT[:-1] + b"\x00"
    assert kinds(frames_of(damaged + READOUT)) == [
        "Identification",
        "checksum",
        "Identification",
        "DataBlock",
    ]


@pytest.mark.parametrize(
    ("line", "mode", "baud", "ident"),
    [
        (b"/KAM0MC\r\n", "C", 300, "MC"),
        (b"/KAM MC\r\n", "A", 300, "MC"),
        (b"/KAM0MCC\r\n", "C", 300, "MCC"),
        (b"/LUGCUH50\r\n", "B", 2400, "UH50"),
        (b"/ISk5MT171-0133\r\n", "C", 9600, "MT171-0133"),
        (b"/KAM 685-382-OK-10\r\n", "A", 300, "685-382-OK-10"),
    ],
)
def test_identifications(line: bytes, mode: str, baud: int, ident: str) -> None:
    (frame,) = frames_of(line)
    assert isinstance(frame, Identification)
    assert (frame.mode, frame.baud, frame.ident) == (mode, baud, ident)


@pytest.mark.parametrize("message", [SHORT, READOUT, UNFRAMED, b"/?!\r\n/KAM0MC\r\n\x06000\r\n"])
@pytest.mark.parametrize("parity", [False, True])
def test_byte_by_byte_gives_the_same_frames(message: bytes, parity: bool) -> None:
    sent = add_parity(message) if parity else message
    whole = frames_of(sent)
    assert whole
    assert not [frame for frame in whole if isinstance(frame, FrameError)]
    assert frames_of(*(bytes([byte]) for byte in sent)) == whole


@pytest.mark.parametrize(
    "noise", [b"\x00\x00\x7f", b"\x022*\x02\x7f", b"\x00\xf8\x80", b"\r\n\r\n", b"\x06", b"/", b"*\x01"]
)
@pytest.mark.parametrize("parity", [False, True])
def test_inside_garbage(noise: bytes, parity: bool) -> None:
    for message in (SHORT, READOUT):
        sent = add_parity(message) if parity else message
        found = [frame for frame in frames_of(noise + sent) if not isinstance(frame, FrameError)]
        assert found == frames_of(message)


def test_an_echo_without_line_end_leaves_the_answer_whole() -> None:
    assert frames_of(b"/#1" + SHORT) == [Request(b"/#1"), *frames_of(SHORT)]


@pytest.mark.parametrize("place", range(0, len(SHORT) - 1, 7))
def test_wrong_parity_is_damage(place: int) -> None:
    sent = bytearray(add_parity(SHORT))
    sent[place] ^= 0x80
    assert kinds(frames_of(bytes(sent))) == ["parity"]


def test_a_message_cut_by_another_is_told_and_the_other_read() -> None:
    cut = READOUT[:40] + b"\r\n"
    assert kinds(frames_of(cut + READOUT)) == ["Identification", "incomplete", "Identification", "DataBlock"]


def test_an_identification_behind_a_value_that_was_cut_off_begins_the_next_message() -> None:
    """Apollon77/ioBroker.smartmeter#32: an EBZ whose telegram ends in garbage with a bracket in it."""
    whole = b"/EBZ5DD3BZ06ETA_107\r\n\r\n1-0:1.8.0*255(000422.20206866*kWh)\r\n!\r\n"
    cut = whole[:-5] + b"\r\n0-@P`R+*B*U-L(RLx"
    for parity in (False, True):
        stream = cut + whole
        *others, block = frames_of(add_parity(stream) if parity else stream)
        assert kinds([*others, block]) == ["Identification", "incomplete", "Identification", "DataBlock"]
        assert block == DataBlock(b"1-0:1.8.0*255(000422.20206866*kWh)\r\n!", Bcc.ABSENT)


def test_a_slash_in_a_value_begins_nothing() -> None:
    """Sanxing's SX330 writes a line (/SX330) without a code."""
    stray = UNFRAMED.replace(b"!\r\n", b"(/SX330)\r\n0.0.0(/ESY5Q3D)\r\n!\r\n")
    assert kinds(frames_of(stray)) == ["Identification", "DataBlock"]


@pytest.mark.parametrize("length", range(12, len(READOUT), 9))
def test_a_cut_readout_is_incomplete(length: int) -> None:
    last = frames_of(READOUT[:length], end=True)[-1]
    whole_text = b"!" in READOUT[:length] and b"\x03" not in READOUT[:length]
    if whole_text:
        assert isinstance(last, DataBlock)
        assert last.bcc is Bcc.ABSENT
    else:
        assert isinstance(last, FrameError)
        assert last.reason == "incomplete"


def test_an_unframed_readout_has_no_bcc() -> None:
    identification, block = frames_of(UNFRAMED)
    assert isinstance(identification, Identification)
    assert isinstance(block, DataBlock)
    assert block.bcc is Bcc.ABSENT


@pytest.mark.parametrize(
    "piece", [b"\x02(", b"\x02", b"(", b"/", b"1", b"(/", b"\x02(\r\n", b"1.8.0(1*kWh)\r\n"]
)
def test_junk_is_given_up_at_the_cap(piece: bytes) -> None:
    reader = FrameReader()
    held = []
    for _ in range(100_000 // len(piece)):
        reader.receive_data(piece)
        while not reader.is_empty:
            try:
                if reader.next_frame() is None:
                    break
            except FrameError as error:
                held.append(len(error.frame))
    assert max(held, default=0) <= BLOCK_LIMIT + 2 * len(piece)
    # After any junk the next identification is heard: one line end at most stands between.
    reader.receive_data(b"\x03\x03)\r\n" + b"/KAM0MC\r\n")
    heard = []
    while not reader.is_empty:
        try:
            frame = reader.next_frame()
        except FrameError:
            continue
        if frame is None:
            break
        heard.append(frame)
    assert Identification("KAM", "0", "MC") in heard


def comparable(found: list[Frame | FrameError]) -> list[object]:
    return [(frame.reason, frame.frame) if isinstance(frame, FrameError) else frame for frame in found]


_LINE_PIECES = st.sampled_from(
    [SHORT, READOUT, UNFRAMED, b"\x02", b"\x03", b"\r", b"(", b")", b"!", b"/", b"0507109 ", b"\xff", b"#"]
)


_STREAMS = st.lists(_LINE_PIECES | st.binary(max_size=8), max_size=12).map(b"".join)


@given(_STREAMS)
def test_anything_gives_the_same_frames_and_errors_in_pieces(received: bytes) -> None:
    pieces = (bytes([byte]) for byte in received)
    assert comparable(frames_of(*pieces, end=True)) == comparable(frames_of(received, end=True))


@given(_STREAMS)
def test_anything_is_described_as_answers_or_reasons(received: bytes) -> None:
    described = describe_capture(received)
    assert described
    for answer in described:
        assert ("error" in answer) != ("kind" in answer)
        assert dumps(answer)


def test_short_lines_end_with_cr_alone() -> None:
    assert frames_of(SHORT) == [ShortLine(SHORT[:-1])]


@pytest.mark.parametrize(("flag", "name"), [("KAM", "Kamstrup"), ("ISk", "Iskraemeco"), ("XYZ", "XYZ")])
def test_makers_have_names(flag: str, name: str) -> None:
    assert manufacturer_name(flag) == name


@pytest.mark.parametrize(
    ("maker", "usual"), [("KAM", Bcc.SUM), ("kam", Bcc.SUM), ("LGZ", Bcc.XOR), ("", Bcc.XOR)]
)
def test_how_a_make_computes_its_check_character(maker: str, usual: Bcc) -> None:
    assert usual_bcc(maker) is usual


@pytest.mark.parametrize(
    ("line", "place"),
    [(b"1.8.0(0012/EBZ5DD3", 10), (b"0012/EBZ5DD3", 0), (b"1.8.0(0012)/EBZ5DD3", 0)],
)
def test_an_identification_is_swallowed_only_by_a_value(line: bytes, place: int) -> None:
    assert swallowed_identification(line) == place
