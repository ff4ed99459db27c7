"""What the reader itself decides: no key, plain telegrams where one is set, lines without sense, garbage."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.other_protocols import other_protocol
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.framing.checksum import crc16_x25
from smart_meter_reader.codecs.p1.garbage import recognise
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.exceptions import (
    ChecksumError,
    DecryptionError,
    FrameError,
    MalformedError,
    OtherProtocolError,
    WrongTagError,
)
from tests.codecs.p1.streams import drain, reasons

KEY, AK, TITLE = bytes(range(16)), bytes(range(16, 32)), b"SAG5\x00\x00\x00\x01"
LINE = b"1-0:1.8.0(000001.000*kWh)\r\n"
COVERED = b"/ISk5\\2MT382\r\n\r\n" + LINE + b"!"
GOOD = encode_telegram(COVERED)
MALFORMED = b"/ISk5\\2MT382\r\n\r\n" + LINE + b"rubbish\r\n!\r\n"


def sealed(counter: int, *, ak: bytes = AK, telegram: bytes = GOOD) -> bytes:
    return encrypt_telegram(telegram, KEY, ak, TITLE, counter)


def hdlc(content: bytes) -> bytes:
    """ISO/IEC 13239: flag, type 3 with the length of all between the flags, check sequence, flag."""
    frame = bytes([0xA0 | (len(content) + 4) >> 8, (len(content) + 4) & 0xFF]) + content
    return b"\x7e" + frame + crc16_x25(frame).to_bytes(2, "little") + b"\x7e"


def mbus(content: bytes) -> bytes:
    """EN 13757-2, 5.3: a long frame."""
    return b"\x68" + bytes([len(content)]) * 2 + b"\x68" + content + bytes([sum(content) & 0xFF, 0x16])


def test_without_a_key_the_meter_is_named() -> None:
    reader = P1Reader()
    reader.receive_data(sealed(1))
    with pytest.raises(
        DecryptionError, match=f"system title {TITLE.hex()} sends encrypted telegrams"
    ) as error:
        reader.next_telegram()
    assert error.value.reason == "no_key"
    assert reader.next_telegram() is None


@pytest.mark.parametrize(("policy", "told"), [("require", "not_encrypted"), ("warn", "ok"), ("off", "ok")])
def test_a_plain_telegram_where_a_key_is_set(policy: str, told: str) -> None:
    reader = P1Reader(Opener(KEY, AK, policy))  # type: ignore[arg-type]
    reader.receive_data(GOOD)
    assert reasons(drain(reader)) == [told]


def test_the_warning_is_of_the_last_encrypted_telegram() -> None:
    reader = P1Reader(Opener(KEY, AK, "warn"))
    warnings = [reader.warning]
    for frame in (sealed(1, ak=bytes(16)), sealed(2)):
        reader.receive_data(frame)
        assert reader.next_telegram() is not None
        warnings.append(reader.warning)
    assert [type(warning) for warning in warnings] == [type(None), WrongTagError, type(None)]


def test_a_line_without_sense_and_nothing_that_vouches_for_it() -> None:
    reader = P1Reader()
    reader.receive_data(MALFORMED + encode_telegram(MALFORMED[:-2]))
    with pytest.raises(MalformedError, match="there is no checksum: 'rubbish'") as error:
        reader.next_telegram()
    assert (error.value.reason, error.value.frame) == ("malformed", MALFORMED[:-2])
    vouched = reader.next_telegram()
    assert vouched is not None
    assert vouched.bad_lines == ("rubbish",)
    lenient = P1Reader(lenient=True)
    lenient.receive_data(MALFORMED)
    looked_at = lenient.next_telegram()
    assert looked_at is not None
    assert looked_at.bad_lines == ("rubbish",)


def test_what_is_unrecognised_is_the_last_two_kibibytes_since_the_last_good_telegram() -> None:
    reader = P1Reader()
    noise = bytes(range(128, 256)) * 32
    for begin in range(0, len(noise), 100):
        reader.receive_data(noise[begin : begin + 100])
    assert reader.unrecognised == noise[-2048:]
    assert reader.skipped == len(noise)
    reader.receive_data(COVERED + b"0000\r\n")
    with pytest.raises(ChecksumError):
        reader.next_telegram()
    assert reader.unrecognised.endswith(COVERED + b"0000\r\n")
    reader.receive_data(GOOD)
    assert reader.next_telegram() is not None
    assert reader.unrecognised == b""
    reader.receive_data(b"abc")
    assert reader.unrecognised == b"abc"


def test_a_piece_however_long_is_kept_as_short() -> None:
    reader = P1Reader()
    reader.receive_data(b"\xff" * 1_000_000 + b"end")
    assert reader.unrecognised == b"\xff" * 2045 + b"end"


@pytest.mark.parametrize("piece", [1, 50, 100_000])
def test_frames_of_dlms_are_no_encrypted_telegrams(piece: int) -> None:
    """They carry frames that begin with DB as well, cut into pieces: it is told as what it is."""
    stream = hdlc(b"\x02\x23\x13\xe6\xe7\x00" + sealed(1)[:200]) + hdlc(b"\x02\x23\x13" + sealed(1)[200:])
    reader = P1Reader()
    for begin in range(0, 2 * len(stream), piece):
        reader.receive_data((stream * 2)[begin : begin + piece])
    reader.finish()
    told = []
    while True:
        try:
            found = reader.next_telegram()
        except (FrameError, DecryptionError) as error:
            told.append(error)
            continue
        if found is None:
            break
    others = [error for error in told if isinstance(error, OtherProtocolError)]
    assert others
    assert "client dlms reads it" in str(others[0])


@pytest.mark.parametrize(
    ("received", "protocol"),
    [
        (hdlc(b"\x02\x23\x13abc"), "hdlc"),
        (b"noise\x7e" + hdlc(b"\x02\x23\x13abc") + b"noise", "hdlc"),
        (hdlc(b"x" * 0x700), "hdlc"),
        (hdlc(b"\x02\x23\x13abc")[:-1], None),
        (hdlc(b"\x02\x23\x13abc").replace(b"abc", b"abd"), None),
        (hdlc(b"\x02\x23\x13abc").replace(b"\x7e\xa0", b"\x7e\xb0"), None),
        (mbus(b"\x53\xff\x00abc"), "dlms"),
        (mbus(b"\x53\xff\x1fabc"), "dlms"),
        (mbus(b"\x08\x01\x20abc"), "mbus"),
        (mbus(b"\x08\x01\x72abc"), "mbus"),
        (mbus(b"\x53\xff\x00"), "mbus"),  # nothing in it
        (mbus(b"\x53\xff\x00a"), "dlms"),
        (b"h" + mbus(b"\x08\x01\x72abc"), "mbus"),
        (b"hh" + mbus(b"\x08\x01\x72abc") + b"h", "mbus"),
        (mbus(b"\x08\x01\x72abc").replace(b"\x06\x06\x68", b"\x06\x07\x68"), None),
        (mbus(b"\x08\x01\x72abc").replace(b"\x06\x06\x68", b"\x06\x06\x67"), None),
        (mbus(b"\x08\x01\x72abc")[:-1], None),
        (mbus(b"\x08\x01\x72abc").replace(b"abc", b"abd"), None),
        (b"\x68\x03\x04\x68abc", None),
        (b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", "sml"),
        (b"\x1b\x1b\x1b\x1b\x01\x01\x01", None),
        (b"", None),
        (b"\x7e\xa0", None),
        (b"\x68\x01\x01", None),
        (b"h", None),
        (b"\x7e", None),
    ],
)
def test_frames_of_other_protocols(received: bytes, protocol: str | None) -> None:
    assert other_protocol(received) == protocol
    assert recognise(received) == (protocol or "unknown")


@pytest.mark.parametrize(
    ("character", "text"), [*((each, True) for each in b" ~\r\n"), (0x1F, False), (0x7F, False)]
)
def test_a_signal_is_upside_down_where_less_than_six_tenths_are_text(character: int, text: bool) -> None:
    for characters, garbage in ((39, "unknown"), (38, "inverted")):
        received = bytes([character]) * characters + b"\x80" * (65 - characters)
        assert recognise(received) == (garbage if text else "inverted")
    assert recognise(b"\x7f" * 100) == "unknown"  # no bit says that it is


def test_parity_is_seen_where_nearly_all_bytes_and_nearly_each_of_them_are_even() -> None:
    even = add_parity(LINE + LINE)
    nearly = add_parity(b"\r\n1-0:1.8.0(23)\r\n") * 30
    kinds = len(set(nearly))
    assert (len(even) % 9, kinds % 3) == (0, 0)
    assert recognise(even + b"\x80" * (len(even) // 9 - 1)) == "parity"
    assert recognise(even + b"\x80" * (len(even) // 9)) == "unknown"
    # Of so many bytes an odd one or two make no difference, but they are a quarter of those that occur.
    odd = [byte for byte in range(128, 256) if byte.bit_count() % 2][: kinds // 3]
    assert recognise(nearly + bytes(odd[1:])) == "parity"
    assert recognise(nearly + bytes(odd)) == "inverted"


def test_of_telegrams_that_wait_only_the_newest_is_kept() -> None:
    reader = P1Reader()
    reader.receive_data(GOOD * 3)
    assert reader.leave_out_older() == 2
    assert reasons(drain(reader)) == ["ok"]


def test_text_with_parity_and_signals_that_are_upside_down() -> None:
    text = COVERED + b"\r\n" + LINE * 3
    assert recognise(add_parity(text)) == "parity"
    assert recognise(text) == "unknown"
    # A character that is repeated says no more than once.
    assert recognise(text + add_parity(b"9") * 5000) == "unknown"
    assert recognise(bytes(byte ^ 0xFF for byte in text)) == "inverted"
    assert recognise(bytes(byte ^ 0xFF for byte in text)[:63]) == "unknown"
    assert recognise(bytes(byte ^ 0xFF for byte in text)[:64]) == "inverted"
    # A telegram among some noise is still one.
    assert recognise(text + b"\xff" * 20) == "unknown"
