"""Elgama's frames, which have no system title: opened, cut, damaged, among others, in pieces of any size."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram, encrypt_untitled
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.encryption.header import find_header, is_whole, may_begin, parse_frame
from tests.codecs.p1.streams import read, reasons, telegrams
from tests.codecs.p1.test_field import wire

# UtilitechAS/amsreader-firmware#1177, encrypted anew with keys that everybody may know (DLMS UA 1000-2).
STREAM = wire("pl-elgama-enc")
PLAIN = wire("pl-elgama-plain")
KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(0xD0, 0xE0))
WRONG = bytes(range(1, 17))
PIECES = [1, 7, 64, 512, None]


def opener(policy: Policy = "require") -> Opener:
    return Opener(KEY, AUTHENTICATION_KEY, policy)


def frames() -> list[bytes]:
    return [STREAM[begin : begin + 545] for begin in range(0, len(STREAM), 545)]


@pytest.mark.parametrize("piece", PIECES)
def test_the_telegrams_of_a_gama_150(piece: int | None) -> None:
    found = telegrams(outcomes := read(STREAM, piece, opener()))
    assert reasons(outcomes) == ["ok"] * 4
    assert [telegram.frame_counter for telegram in found] == [57, 58, 59, 60]
    assert {telegram.authentication for telegram in found} == {"verified"}
    (plain,) = telegrams(read(PLAIN))
    assert all(telegram.measurements == plain.measurements for telegram in found)
    assert found[0].identity.model == "G15"


@pytest.mark.parametrize("piece", PIECES)
def test_what_is_wrong_is_told_once_for_each_frame(piece: int | None) -> None:
    assert reasons(read(STREAM, piece)) == ["no_key"] * 4
    assert reasons(read(STREAM, piece, Opener(WRONG, WRONG))) == ["wrong_encryption_key"] * 4
    assert reasons(read(STREAM, piece, Opener(WRONG, policy="off"))) == ["wrong_encryption_key"] * 4
    assert reasons(read(STREAM, piece, Opener(KEY, WRONG))) == ["wrong_authentication_key"] * 4


def test_who_has_no_key_is_told_which_meter_encrypts() -> None:
    first = read(STREAM)[0]
    assert "EGM5G15 sends encrypted telegrams" in str(first)


@pytest.mark.parametrize("policy", ["warn", "off"])
def test_without_the_authentication_key_the_checksum_vouches(policy: Policy) -> None:
    assert reasons(read(STREAM, 64, Opener(KEY, policy=policy))) == ["ok"] * 4
    damaged = bytearray(frames()[0])
    damaged[100] ^= 1
    assert "ok" not in reasons(read(bytes(damaged), 64, Opener(KEY, policy=policy)))


@pytest.mark.parametrize("place", [15, 20, 200, 530, 541])
def test_a_damaged_byte_costs_its_frame(place: int) -> None:
    damaged = bytearray(STREAM)
    damaged[545 + place] ^= 0x55
    read_out = telegrams(read(bytes(damaged), 64, opener()))
    # The tag vouches for what it covers, whatever the checksum behind it says.
    assert [telegram.frame_counter for telegram in read_out if telegram.checksum == "ok"] == [57, 59, 60]


def test_a_damaged_frame_does_not_accuse_the_key() -> None:
    damaged = bytearray(frames()[0])
    damaged[200] ^= 1
    assert reasons(read(bytes(damaged), None, opener())) == ["damaged"]
    assert reasons(read(bytes(damaged), None, Opener(WRONG, WRONG))) == ["wrong_encryption_key"]


def test_the_tag_vouches_for_a_frame_whose_checksum_was_damaged() -> None:
    frame = frames()[0]
    (found,) = telegrams(read(frame[:-6] + b"0000\r\n", None, opener()))
    assert (found.checksum, found.authentication) == ("bad", "verified")


@pytest.mark.parametrize("cut", [5, 12, 15, 100, 540])
@pytest.mark.parametrize("piece", [1, 64, None])
def test_a_cut_frame_does_not_swallow_the_next(cut: int, piece: int | None) -> None:
    first, second, *_ = frames()
    read_out = telegrams(read(first[:cut] + second, piece, opener()))
    assert [telegram.frame_counter for telegram in read_out][-1:] == [58]


@pytest.mark.parametrize("piece", PIECES)
def test_among_plain_and_other_encrypted_telegrams(piece: int | None) -> None:
    titled = encrypt_telegram(PLAIN.rstrip(), KEY, AUTHENTICATION_KEY, b"EGM\0\0\0\0\1", 5)
    stream = PLAIN + frames()[0] + titled + frames()[1] + PLAIN
    assert reasons(read(stream, piece, opener("off"))) == ["ok"] * 5


@pytest.mark.parametrize("piece", PIECES)
def test_an_ordinary_telegram_that_begins_alike_is_plain(piece: int | None) -> None:
    assert reasons(read(PLAIN + PLAIN, piece)) == ["ok", "ok"]
    assert not may_begin(PLAIN)
    assert may_begin(PLAIN[:12])


def test_a_recorded_frame_is_refused() -> None:
    assert reasons(read(STREAM + frames()[1], None, opener())) == ["ok"] * 4 + ["replayed"]


def test_encoding_gives_the_captured_frame() -> None:
    frame = frames()[0]
    telegram = PLAIN[: PLAIN.index(b"!") + 1]
    assert encrypt_untitled(telegram, KEY, AUTHENTICATION_KEY, 57) == frame
    assert find_header(frame) == (0, len(frame) - 2)
    parsed = parse_frame(frame[:-2])
    assert is_whole(parsed)
    assert parsed.nonce == bytes(8) + (57).to_bytes(4, "big")


def test_the_checksum_of_a_frame_may_have_small_letters() -> None:
    whole = [each[:-6] + each[-6:-2].lower() for each in frames()]
    assert any(each[-4:].upper() != each[-4:] for each in whole)
    assert all(is_whole(parse_frame(each)) for each in whole)


def test_only_lines_of_data_count_as_a_telegram() -> None:
    sealed = encrypt_untitled(b"/EGM5G15\r\n\r\nno telegram at all\r\n!", KEY, AUTHENTICATION_KEY, 1)
    assert reasons(read(sealed, None, opener())) == ["not_a_telegram"]


FIRST = b"/EGM5G15\r\n\r\n1-0:1.8.0(000001.000*kWh)\r\n"


@pytest.mark.parametrize("policy", ["require", "off"])
def test_zeros_that_fill_up_the_ciphertext_are_none_of_the_text(policy: Policy) -> None:
    sealed = encrypt_untitled(FIRST + b"\0\0\0!", KEY, AUTHENTICATION_KEY, 1)
    (found,) = telegrams(read(sealed, None, opener(policy)))
    assert found.objects == telegrams(read(encode_telegram(FIRST + b"!")))[0].objects


@pytest.mark.parametrize("text", [FIRST.rstrip(b"\r\n"), FIRST + b"0-0:96.13.0(\xe9)\r\n"])
def test_what_is_no_text_in_whole_lines_speaks_against_the_key(text: bytes) -> None:
    """The checksum is over the ciphertext, so it is right whatever the key is."""
    sealed = encrypt_untitled(text + b"!", KEY, AUTHENTICATION_KEY, 1)
    assert reasons(read(sealed, None, opener())) == ["not_a_telegram"]
    assert "ok" not in reasons(read(sealed, None, opener("off")))


def test_a_plain_telegram_with_the_mark_in_a_text_is_no_frame() -> None:
    odd = encode_telegram(b"/EGM5G15\r\n\r\n\0\x82\0\x01\x301-0:1.8.0(1.0*kWh)\r\n!")
    assert find_header(odd) is None
