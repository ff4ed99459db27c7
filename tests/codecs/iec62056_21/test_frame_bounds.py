"""The frame reader at its bounds: caps, what breaks off, what is no frame, and what it counts as skipped."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.iec62056_21.bcc import Bcc, sum_bcc, xor_bcc
from smart_meter_reader.codecs.iec62056_21.frame import (
    BLOCK_LIMIT,
    LINE_LIMIT,
    DataBlock,
    Frame,
    FrameReader,
    Identification,
    Request,
    ShortLine,
)
from smart_meter_reader.codecs.iec62056_21.message import leading_noise, parse_identification
from smart_meter_reader.codecs.iec62056_21.request import (
    MODE_D_BAUD,
    SHORT_ANSWER_BAUD,
    SIGN_ON_BAUD,
    momentary_sign_on,
    short_request,
    sign_on,
)
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.exceptions import FrameError, ProtocolError

KAM = Identification("KAM", "0", "MC")


def read(received: bytes, *, end: bool = False) -> tuple[list[Frame | tuple[str, bytes]], FrameReader]:
    """The frames, of errors reason and bytes; and the reader."""
    reader = FrameReader()
    reader.receive_data(received)
    if end:
        reader.end_of_data()
    found: list[Frame | tuple[str, bytes]] = []
    while True:
        try:
            frame = reader.next_frame()
        except FrameError as error:
            found.append((error.reason, error.frame))
            continue
        if frame is None:
            return found, reader
        found.append(frame)


def frames(received: bytes, *, end: bool = False) -> list[Frame | tuple[str, bytes]]:
    return read(received, end=end)[0]


@pytest.mark.parametrize(
    ("received", "in_request"),
    [
        (b"", False),
        (b"/", False),
        (b"/?", True),
        (b"/?!", True),
        (b"/#1", True),
        (add_parity(b"/#1"), True),
        (b"/KAM", False),
        (b"0507109", False),
        (b"/#1\r", False),
    ],
)
def test_an_echo_that_lost_its_line_end_is_known(received: bytes, in_request: bool) -> None:
    assert read(received)[1].in_request is in_request


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (b"/#1", [Request(b"/#1")]),
        (b"/?!", [Request(b"/?!")]),
        (b"/", []),
        (b"/K", [("incomplete", b"/K")]),
        (b"/KAM0M", [("incomplete", b"/KAM0M")]),
        (b"\x06000", []),
        (b"0507109 ", [ShortLine(b"0507109 ", ended=False)]),
        (b"\x021.8.0(1*kWh)\r\n", [("incomplete", b"\x021.8.0(1*kWh)\r\n")]),
        (b"\x021.8.0(1*kWh)\r\n!\r\n", [DataBlock(b"1.8.0(1*kWh)\r\n!\r\n", Bcc.ABSENT)]),
        (b"\x021.8.0(1*kWh)\r\n!\r\n\x03", [("incomplete", b"\x021.8.0(1*kWh)\r\n!\r\n\x03")]),
        (b"1.8.0(1*kWh)\r\n", [("incomplete", b"1.8.0(1*kWh)")]),
        (b"1.8.0(1*kWh)\r\n2.8.0(2*k", [("incomplete", b"1.8.0(1*kWh)\r\n2.8.0(2*k")]),
    ],
)
def test_where_the_stream_ends(received: bytes, expected: list[object]) -> None:
    found, reader = read(received, end=True)
    assert found == expected
    assert reader.is_empty
    # And another stream is read from its beginning.
    reader.receive_data(b"/KAM0MC\r\n")
    assert reader.next_frame() == KAM


@pytest.mark.parametrize("begin", [b"/", b"x"])
def test_a_line_without_end_is_given_up_at_its_cap(begin: bytes) -> None:
    for length, skipped in ((LINE_LIMIT, 0), (LINE_LIMIT + 1, LINE_LIMIT + 1)):
        found, reader = read(begin + b"x" * (length - 1))
        assert (found, reader.skipped, reader.is_empty) == ([], skipped, bool(skipped))


def test_a_message_without_end_is_given_up_at_its_cap() -> None:
    whole = b"\x021(" + b"9" * (BLOCK_LIMIT - 3)
    assert frames(whole) == []
    assert frames(whole + b"9") == [("length", whole + b"9")]
    assert frames(whole + b"9" + b"/KAM0MC\r\n")[1:] == [KAM]


def test_data_lines_without_end_are_given_up_at_the_same_cap() -> None:
    line = b"1.8.0(0000001.000000*kWh)01234"
    assert len(line) == 30
    count = BLOCK_LIMIT // 32
    assert frames((line + b"\r\n") * count) == []
    assert frames((line + b"\r\n") * (count + 1)) == [("incomplete", b"\r\n".join([line] * (count + 1)))]


@pytest.mark.parametrize(
    "line", [b"!", b" !", b"!1A2B", b" !1A2B", b"1.8.0(1*kWh)!", b"1.8.0(1*kWh)! ", b"!1A2B(x)"]
)
def test_an_exclamation_mark_at_either_end_of_a_line_closes_a_readout(line: bytes) -> None:
    sent = b"2.8.0(2*kWh)\r\n" + line
    assert frames(sent + b"\r\n") == [DataBlock(sent, Bcc.ABSENT)]
    assert frames(line + b"\r\n") == [DataBlock(line, Bcc.ABSENT)]


def test_a_line_of_text_between_data_lines_is_of_the_readout() -> None:
    lines = b"1.8.0(1*kWh)\r\nsome text\r\n2.8.0(2*kWh)\r\n!"
    for end in (b"\r\n", b"\r", b"\n"):
        assert frames(lines.replace(b"\r\n", end) + end) == [DataBlock(lines, Bcc.ABSENT)]
    # Without a readout before it, it is noise, and so is a line that nobody can read.
    assert frames(b"some text\r\n!\r\n") == [DataBlock(b"!", Bcc.ABSENT)]
    assert frames(lines.replace(b"some", b"so\x01e") + b"\r\n") == [
        DataBlock(lines.replace(b"some text\r\n", b""), Bcc.ABSENT)
    ]


def test_a_short_answer_ends_a_readout_that_was_not_closed() -> None:
    assert frames(b"1.8.0(1*kWh)\r\n0507109 1296626\r") == [
        ("incomplete", b"1.8.0(1*kWh)"),
        ShortLine(b"0507109 1296626"),
    ]


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (b"\x06000\r\n", [Request(b"000")]),
        (b"\x06251\r\n", [Request(b"251")]),
        (b"\x0600\r\n", []),
        (b"\x060000\r\n", []),
        (b"\x06/KAM0MC\r\n", [KAM]),
        (b"\x0600\x021.8.0(1*kWh)\r\n!\r\n\x03", []),
        (b"\x0605071 12966\r", [ShortLine(b"05071 12966")]),  # noise before an answer
        (b"\x0612345\r", [ShortLine(b"12345")]),
        (b"\x061234\r", []),
    ],
)
def test_an_option_select_has_three_characters(received: bytes, expected: list[object]) -> None:
    assert frames(received) == expected


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"/KAM0MC", True),
        (b"/KAM0", True),
        (b"/KAM", False),
        (b"/1AM0MC", False),
        (b"/K1M0MC", False),
        (b"/KA10MC", False),
        (b"/KAM\x01MC", False),
        (b"/KAM0M\x01", False),
    ],
)
def test_an_identification_is_three_letters_and_a_speed(line: bytes, found: bool) -> None:
    assert [type(frame) for frame in frames(line + b"\r\n")] == ([Identification] if found else [])


def test_what_follows_a_slash_that_begins_nothing_is_read() -> None:
    assert frames(b"/0507109 1296626\r") == [ShortLine(b"0507109 1296626")]
    assert frames(b"/1.8.0(1*kWh)\r\n!\r\n") == [DataBlock(b"1.8.0(1*kWh)\r\n!", Bcc.ABSENT)]


def test_a_line_that_another_message_cuts_is_told_where_it_held_values() -> None:
    found, reader = read(b"0507109 12/KAM0MC\r\n")
    assert (found, reader.skipped) == ([("incomplete", b"0507109 12"), KAM], 0)
    # Behind another frame too, and behind a value that has ended.
    assert frames(b"/KAM0MC\r\n0507109 12/KAM0MC\r\n") == [KAM, ("incomplete", b"0507109 12"), KAM]
    assert frames(b"1.8.0(1234)/KAM0MC\r\n") == [("incomplete", b"1.8.0(1234)"), KAM]
    found, reader = read(b"xyz 12/KAM0MC\r\n")
    assert (found, reader.skipped) == ([KAM], 6)


@pytest.mark.parametrize(
    ("stream", "kept"),
    [
        (b"\x021.8.0(1*kWh)\r\n/KAM0MC\r\n", b"\x021.8.0(1*kWh)\r\n"),
        (b"\x021.8.0(1*kWh)\r/KAM0MC\r\n", b"\x021.8.0(1*kWh)\r"),
        (b"\x021.8.0(1*kWh)\n/KAM0MC\r\n", b"\x021.8.0(1*kWh)\n"),
        (add_parity(b"\x021.8.0(1*kWh)\r/KAM0MC\r\n"), add_parity(b"\x021.8.0(1*kWh)\r")),
        (b"\x021.8.0(1*kWh)\r\n\x02", b"\x021.8.0(1*kWh)\r\n"),
        (b"\x021.8.0(1\x02", b"\x021.8.0(1"),
    ],
)
def test_a_message_that_begins_inside_another_is_read(stream: bytes, kept: bytes) -> None:
    found, reader = read(stream)
    begun, *others = found
    assert begun == ("incomplete", kept)
    assert others == ([] if stream.endswith(b"\x02") else [KAM])
    assert reader.skipped == 0


def test_a_slash_that_is_no_first_of_its_line_begins_nothing_inside_a_message() -> None:
    body = b"0.0.0(a/b)\r\n1.8.0(/KAM0MC)\r\n!\r\n\x03"
    assert frames(b"\x02" + body + bytes([xor_bcc(body)])) == [DataBlock(body[:-1], Bcc.XOR)]


@pytest.mark.parametrize(("maker", "told"), [(b"KAM", Bcc.SUM), (b"LGZ", Bcc.XOR)])
def test_a_check_character_that_fits_both_ways_is_judged_as_the_make_reckons(maker: bytes, told: Bcc) -> None:
    body = b"1.8.0(1.7777777*kWh)\r\n!\r\n\x03"
    assert sum_bcc(body) == xor_bcc(body)
    found = frames(b"/" + maker + b"0X\r\n\x02" + body + bytes([xor_bcc(body)]))
    assert found[1:] == [DataBlock(body[:-1], told)]


BODY = b"1.8.0(1*kWh)\r\n!\r\n\x03"
WHOLE = b"\x02" + BODY + bytes([xor_bcc(BODY)])
BLOCK = DataBlock(BODY[:-1], Bcc.XOR)


@pytest.mark.parametrize(
    ("received", "expected", "skipped"),
    [
        (WHOLE, [BLOCK], 0),
        # A line of values before a message was not closed; one without a digit is noise.
        (b"2.8.0(2*kWh)\r\n" + WHOLE, [("incomplete", b"2.8.0(2*kWh)"), BLOCK], 0),
        (b"2.8.0(2*kWh)\r\n/KAM0MC\r\n", [("incomplete", b"2.8.0(2*kWh)"), KAM], 0),
        (b"ab" + WHOLE, [BLOCK], 2),
        # An STX of noise before another one, before a short answer, and before an empty line of a message.
        (b"\x02abc" + WHOLE, [BLOCK], 4),
        (b"\x02x\r0507109 1296626\r", [ShortLine(b"0507109 1296626")], 3),
        (b"\x02\r\n" + BODY + bytes([xor_bcc(b"\r\n" + BODY)]), [DataBlock(b"\r\n" + BODY[:-1], Bcc.XOR)], 0),
        # A request, its echo before an answer, and what is like one.
        (b"\x06000\r\n", [Request(b"000")], 0),
        (b"/#1x\r", [Request(b"/#1x")], 0),
        (b"/#1234\r", [Request(b"/#1234")], 0),
        (b"/#11234\r", [Request(b"/#1"), ShortLine(b"1234")], 0),
        (b"\x060507109 1296626\r", [ShortLine(b"0507109 1296626")], 1),
        (b"/0507109 1296626\r", [ShortLine(b"0507109 1296626")], 1),
        (b"x-507109 1296626\n", [ShortLine(b"-507109 1296626")], 1),
        # A value that was cut off swallows the identification behind it.
        (b"1.8.0(0012/KAM0MC\r\n", [("incomplete", b"1.8.0(0012"), KAM], 0),
        (b"1.8.0(1\r\n!\r\n", [DataBlock(b"1.8.0(1\r\n!", Bcc.ABSENT)], 0),
        # A slash in a parenthesis that opens the line begins nothing.
        (b"1.8.0(1)\r\n(/ESY5Q3D)\r\n!\r\n", [DataBlock(b"1.8.0(1)\r\n(/ESY5Q3D)\r\n!", Bcc.ABSENT)], 0),
    ],
)
def test_frames_beside_one_another_and_what_is_skipped(
    received: bytes, expected: list[object], skipped: int
) -> None:
    found, reader = read(received)
    assert (found, reader.skipped) == (expected, skipped)


def test_a_reader_is_empty_when_nothing_is_begun_or_waits() -> None:
    reader = FrameReader()
    seen: list[object] = [reader.is_empty]
    for received in (b"0", b"507109 1296626\r", b"1.8.0(1)\r\n"):
        reader.receive_data(received)
        seen.append(reader.is_empty)
    assert seen == [True, False, False, False]
    seen = [reader.next_frame(), reader.is_empty]  # the line of values is left
    reader.receive_data(b"!\r\n")
    seen += [reader.is_empty, reader.next_frame(), reader.is_empty]
    block = DataBlock(b"1.8.0(1)\r\n!", Bcc.ABSENT)
    assert seen == [ShortLine(b"0507109 1296626"), False, False, block, True]
    assert (BLOCK_LIMIT, LINE_LIMIT) == (65_536, 1024)


@pytest.mark.parametrize("sent", [WHOLE, b"/KAM0MC\r", b"1.8.0(1*kWh)!\r", b"0507109 1296626\r"])
def test_no_frame_comes_of_wrong_parity(sent: bytes) -> None:
    damaged = bytearray(add_parity(sent))
    assert len(frames(bytes(damaged))) == 1
    damaged[3] ^= 0x80
    assert frames(bytes(damaged)) == [("parity", bytes(damaged))]


def test_wrong_parity_is_counted() -> None:
    sent = bytearray(add_parity(b"0507109 1296626\r"))
    sent[0] ^= 0x80
    sent[3] ^= 0x80
    reader = FrameReader()
    reader.receive_data(bytes(sent))
    with pytest.raises(FrameError, match="parity: 2 of 16 bytes have wrong parity") as error:
        reader.next_frame()
    assert error.value.frame == bytes(sent)
    reader.receive_data(add_parity(b"/KAM0MC\r\n"))
    assert reader.next_frame() == KAM


def test_what_is_skipped_is_counted_but_for_line_ends() -> None:
    for noise, count in ((b"\x00\x7f\x00", 3), (b"\r\n\r\n", 0), (b"xyz\r\n", 4), (b"\x06/", 1), (b"a/", 1)):
        found, reader = read(noise + b"KAM0MC\r\n" if noise.endswith(b"/") else noise + b"/KAM0MC\r\n")
        assert (found, reader.skipped) == ([KAM], count), noise


@pytest.mark.parametrize(
    ("line", "noise"),
    [
        (b"0507109 1296626", 0),
        (b"\x00\x02\x7f0507109", 3),
        (b"2*\x020507109 1296626", 3),
        (b"-507109 1296626", 0),
        (b"x-507109", 1),
        (b"00188 x12345", 0),  # a field of five digits is no noise
        (b"x123 12345", 0),  # nor is anything before a field that a blank parts from it
        (b"*1.8.0(12345)", 0),
    ],
)
def test_noise_before_a_short_answer(line: bytes, noise: int) -> None:
    assert leading_noise(line) == noise


@pytest.mark.parametrize(
    ("line", "mode", "baud", "ident"),
    [
        ("/XYZ0X", "C", 300, "X"),
        ("/XYZ1X", "C", 600, "X"),
        ("/XYZ2X", "C", 1200, "X"),
        ("/XYZ3X", "C", 2400, "X"),
        ("/EMH4\\@01LZQJL0014E", "C", 4800, "01LZQJL0014E"),
        ("/LGZ5\\2\\W3ZMD120", "C", 9600, "3ZMD120"),
        ("/XYZ6X", "C", 19200, "X"),
        ("/XYZ7X", "A", 300, "X"),
        ("/XYZAX", "B", 600, "X"),
        ("/XYZBX", "B", 1200, "X"),
        ("/XYZCX", "B", 2400, "X"),
        ("/XYZDX", "B", 4800, "X"),
        ("/XYZEX", "B", 9600, "X"),
        ("/XYZFX", "B", 19200, "X"),
        ("/XYZGX", "A", 300, "X"),
    ],
)
def test_what_an_identification_says(line: str, mode: str, baud: int, ident: str) -> None:
    """IEC 62056-21, 6.3.2 and table of 6.3.14: 0 to 6 in mode C, A to F in mode B."""
    told = parse_identification(line)
    assert (told.mode, told.baud, told.ident) == (mode, baud, ident)


def test_what_is_asked() -> None:
    """IEC 62056-21, 6.3.1: up to 32 letters, digits, blanks; 5511-634, 4: what MULTICAL answers."""
    # 6.4: modes A to C begin at 300 Bd, mode D is at 2400; 5511-634, 4: short answers come at 1200.
    assert (SIGN_ON_BAUD, MODE_D_BAUD, SHORT_ANSWER_BAUD) == (300, 2400, 1200)
    assert sign_on("12345678") == b"/?12345678!\r\n"
    assert sign_on("x" * 32) == b"/?" + b"x" * 32 + b"!\r\n"
    assert momentary_sign_on() == b"/#!\r\n"
    assert short_request("#J") == b"/#J\r"
    for address in ("x" * 33, "1!", "1\r\n", "\xe9"):
        with pytest.raises(ProtocolError, match="is no device address"):
            sign_on(address)
    for name in ("#A", "#0", "1", "#10", ""):
        with pytest.raises(ProtocolError, match="is no short request: one of #1, #2"):
            short_request(name)
