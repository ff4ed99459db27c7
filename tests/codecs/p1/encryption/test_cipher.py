"""Encrypted telegrams: vectors, streams with everything in them, and why a frame does not open."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smart_meter_reader.codecs.ciphering.aes import AesGcm
from smart_meter_reader.codecs.ciphering.counters import FrameCounter
from smart_meter_reader.codecs.ciphering.keys import LUXEMBOURG_AUTHENTICATION_KEY, Policy, parse_key
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.encryption.header import find_header, parse_frame
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.exceptions import DecryptionError
from tests.codecs.p1.streams import Outcome, drain, read, reasons, telegrams
from tests.codecs.p1.vectors import BY_ID, ENCRYPTED, Vector, keys, wire

KEY, AK = keys("enc-at-rekeyed-0000165e")
TITLE = b"SAG5\x00\x01\x23\x45"
STREAM_IDS = [f"enc-at-rekeyed-0000{counter}" for counter in ("165e", "165f", "1663", "1664")]
FRAMES = [wire(name) for name in STREAM_IDS]
PLAIN = wire("at-t210dr-plain")
WRONG = bytes(16)


def opener(policy: Policy = "require", key: bytes = KEY, ak: bytes | None = AK) -> Opener:
    return Opener(key, ak, policy)


def opened(stream: bytes, piece: int | None = None, by: Opener | None = None) -> list[Outcome]:
    return read(stream, piece, by or opener())


def sealed(counter: int, telegram: bytes = PLAIN, *, ak: bytes = AK, security: int = 0x30) -> bytes:
    return encrypt_telegram(telegram, KEY, ak, TITLE, counter, security=security)


def counters(outcomes: list[Outcome]) -> list[int | None]:
    return [telegram.frame_counter for telegram in telegrams(outcomes)]


# --- vectors ---


@pytest.mark.parametrize(
    "vector", [v for v in ENCRYPTED if v["key_hex"] and v["verified"].get("gcm_tag")], ids=lambda v: v["id"]
)
@pytest.mark.parametrize("piece", [None, 1, 100])
def test_published_frames_open(vector: Vector, piece: int | None) -> None:
    outcomes = read(wire(vector), piece, Opener(*keys(vector)))
    (telegram,) = telegrams(outcomes)
    assert telegram.authentication == "verified"
    # One fixture lost the blank line behind the header before it was encrypted; its tag vouches for that.
    assert telegram.checksum == ("ok" if vector["verified"]["inner_crc"]["ok"] else "bad")
    decoded = vector["expected"].get("decoded_plaintext")
    if decoded:
        assert set(decoded["obis"]) <= set(telegram.objects)
        assert telegram.header == decoded["header"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("enc-at-dsmr_parser-damaged", "damaged"),
        ("enc-neg-tag-bitflip", "wrong_authentication_key"),
        ("enc-neg-fc-changed", "wrong_encryption_key"),
        ("enc-neg-wrong-key", "wrong_encryption_key"),
        ("enc-neg-truncated", "truncated"),
    ],
)
def test_negative_vectors_publish_nothing(name: str, reason: str) -> None:
    for piece in (None, 1):
        assert reasons(read(wire(name), piece, Opener(*keys(name)))) == [reason]


@pytest.mark.parametrize("vector", [v for v in ENCRYPTED if not v["key_hex"]], ids=lambda v: v["id"])
def test_real_frames_without_their_key(vector: Vector) -> None:
    assert reasons(read(wire(vector))) == ["no_key"]
    assert reasons(opened(wire(vector))) == ["wrong_encryption_key"]


def test_green_book_worked_example() -> None:
    """DLMS UA 1000-2, security suite 0: the same primitive, without a telegram around it."""
    vector = BY_ID.get("enc-dlms-greenbook-suite0") or {
        "key_hex": "000102030405060708090a0b0c0d0e0f",
        "aad_hex": "30d0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
        "iv_hex": "4d4d4d0000bc614e01234567",
        "plaintext_hex": "c0010000080000010000ff0200",
        "ciphertext_hex": "411312ff935a47566827c467bc",
        "tag_hex": "7d825c3be4a77c3fcc056b6b",
    }
    key, ak = keys(vector)
    title = bytes.fromhex(vector["iv_hex"])[:8]
    frame = encrypt_telegram(bytes.fromhex(vector["plaintext_hex"]), key, ak, title, 0x01234567)
    assert frame.endswith(bytes.fromhex(vector["ciphertext_hex"] + vector["tag_hex"]))
    with pytest.raises(DecryptionError) as error:
        Opener(key, ak).open(parse_frame(frame))
    assert error.value.reason == "not_a_telegram"  # authentic, but a DLMS request


# --- streams ---


@pytest.mark.parametrize("piece", [None, 1, 13, 511, 512])
def test_frames_in_a_row(piece: int | None) -> None:
    assert counters(opened(b"".join(FRAMES), piece)) == [0x165E, 0x165F, 0x1663, 0x1664]


def test_db_occurs_inside_ciphertext() -> None:
    assert any(frame.count(b"\xdb") > 1 for frame in FRAMES)
    stream = b"".join(sealed(counter) for counter in range(1, 200))
    assert stream.count(b"\xdb") > 300
    assert counters(opened(stream, 100)) == list(range(1, 200))


@example(498, 1)  # all of the next header but its last byte is in the frame that fails
@given(st.integers(1, 510), st.integers(1, 600))
def test_a_cut_frame_does_not_swallow_the_next(cut: int, piece: int) -> None:
    outcomes = opened(FRAMES[0] + FRAMES[1][:cut] + FRAMES[2] + FRAMES[3], piece)
    assert counters(outcomes) == [0x165E, 0x1663, 0x1664]
    assert len(outcomes) <= 4


@settings(max_examples=300)
@example(0, 1, 1)  # the byte that begins a frame
@example(13, 0x10, 512)  # the security byte
@given(st.integers(0, 510), st.integers(1, 255), st.integers(1, 600))
def test_one_wrong_byte_costs_one_frame_and_is_told(position: int, mask: int, piece: int) -> None:
    spoilt = bytearray(FRAMES[1])
    spoilt[position] ^= mask
    outcomes = opened(FRAMES[0] + bytes(spoilt) + FRAMES[2], piece)
    assert counters(outcomes) == [0x165E, 0x1663]
    assert len(outcomes) == 3


@given(st.integers(1, 510), st.integers(1, 600))
def test_a_frame_without_its_beginning(cut: int, piece: int) -> None:
    assert counters(opened(FRAMES[0][cut:] + FRAMES[1] + FRAMES[2], piece)) == [0x165F, 0x1663]


@given(st.integers(34, 490))
def test_a_splice_of_two_frames_is_refused(cut: int) -> None:
    """A real capture was one: of the right length, and its beginning decrypts to a plausible 1.8.0."""
    splice = FRAMES[0][:cut] + FRAMES[1][cut:]
    policies: tuple[Policy, ...] = ("require", "warn", "off")
    for policy in policies:
        outcomes = opened(splice + FRAMES[2], by=opener(policy))
        assert reasons(outcomes) == ["damaged", "ok"] or splice in FRAMES[:2]
        assert counters(outcomes)[-1] == 0x1663


def test_a_splice_does_not_accuse_the_key() -> None:
    """When the port is opened the first frame may be the beginning of one and all of the next."""
    assert reasons(opened(FRAMES[0][:14] + FRAMES[1])) == ["damaged", "ok"]
    assert reasons(opened(FRAMES[0], by=opener(key=WRONG))) == ["wrong_encryption_key"]


FALSE_HEADERS = [
    b"\xdb\x08SAG5\x00\x01\x23\x45\x82\x01\xf2\x30",
    b"\xdb\x08SAG5\x00\x01\x23\x45\x82\x3f\xff\x30",
    b"\xdb\x08\xdb\x08\xdb\x08\xdb\x08\xdb\x08\x82\x01\xf2\x30",
    b"\xdb\x08abcdefgh\x7f\x20",
    b"\xdb\x08abcdefgh\x83\x00\x20\x00\x10",
    b"\xdb",
    b"\xdb\x08",
]


@pytest.mark.parametrize("header", FALSE_HEADERS, ids=lambda h: h.hex())
@pytest.mark.parametrize("piece", [None, 1, 100])
def test_false_headers(header: bytes, piece: int | None) -> None:
    stream = FRAMES[0] + header + FRAMES[1] + header + b"garbage" + FRAMES[2]
    assert counters(opened(stream, piece)) == [0x165E, 0x165F, 0x1663]


@pytest.mark.parametrize("header", FALSE_HEADERS, ids=lambda h: h.hex())
@pytest.mark.parametrize("piece", [None, 1, 100])
def test_false_headers_before_plain_telegrams(header: bytes, piece: int | None) -> None:
    outcomes = read(header + PLAIN + header + PLAIN, piece)
    assert len(telegrams(outcomes)) == 2


@settings(max_examples=50)
@given(st.binary(max_size=700), st.binary(max_size=700), st.integers(1, 300))
def test_garbage_around_frames(before: bytes, after: bytes, piece: int) -> None:
    assert counters(opened(before + FRAMES[0] + after + FRAMES[1], piece)) == [0x165E, 0x165F]


def test_plain_and_encrypted_in_one_stream() -> None:
    outcomes = read(PLAIN + FRAMES[0] + PLAIN + FRAMES[1] + PLAIN, 50, opener("warn"))
    assert [telegram.authentication for telegram in telegrams(outcomes)] == [
        "none",
        "verified",
        "none",
        "verified",
        "none",
    ]


@pytest.mark.parametrize("form", [b"\x82\x01\xf2", b"\x83\x00\x01\xf2"])
def test_long_forms_of_the_length(form: bytes) -> None:
    frame = FRAMES[0][:10] + form + FRAMES[0][13:]
    assert counters(opened(frame)) == [0x165E]


@pytest.mark.parametrize(("size", "form"), [(30, 1), (100, 2)])
def test_short_forms_of_the_length(size: int, form: int) -> None:
    telegram = encode_telegram(b"/EST5\r\n\r\n1-0:1.7.0(%0*d*W)\r\n!" % (size, 1))
    frame = sealed(7, telegram)
    content = frame[13:]
    length = bytes([len(content)]) if form == 1 else b"\x81" + bytes([len(content)])
    assert counters(opened(frame[:10] + length + content)) == [7]


@given(st.binary(max_size=2000))
def test_any_bytes_give_frames_or_errors(stream: bytes) -> None:
    assert telegrams(opened(b"\xdb\x08" + stream)) == []


@given(st.binary(max_size=100), st.integers(0, 2**32 - 1))
def test_what_was_encrypted_is_decrypted(text: bytes, counter: int) -> None:
    body = b"/EST5\r\n\r\n0-0:96.13.0(" + text.hex().encode() + b")\r\n!"
    (telegram,) = telegrams(opened(sealed(counter, encode_telegram(body))))
    assert telegram.frame_counter == counter
    assert telegram.objects["0-0:96.13.0"] == {"value": text.hex(), "unit": ""}


# --- why it does not open ---


def test_reasons_are_told_apart() -> None:
    frame = sealed(1)
    assert reasons(read(frame)) == ["no_key"]
    assert reasons(opened(frame, by=opener(key=WRONG))) == ["wrong_encryption_key"]
    assert reasons(opened(frame, by=opener(ak=WRONG))) == ["wrong_authentication_key"]
    assert reasons(opened(frame, by=opener(ak=None))) == ["no_authentication_key"]
    assert reasons(opened(frame[:-1] + bytes([frame[-1] ^ 1]), by=opener())) == ["wrong_authentication_key"]
    assert reasons(opened(frame[:200] + bytes([frame[200] ^ 1]) + frame[201:])) == ["damaged"]
    assert reasons(opened(PLAIN)) == ["not_encrypted"]
    assert reasons(opened(sealed(1, b"\x0f\x00\x00\x00" * 20))) == ["not_a_telegram"]


@pytest.mark.parametrize(
    ("begin", "reason"),
    [
        (b"/EST5\r\n\r\n1-0:1.", "damaged"),
        (b"/EST5 ~710000_A\r\n", "damaged"),
        # The octal escapes of "\\253" and "\\2", as C and with it some gateways read them.
        (b"/EST5\xab710000_A\r\n", "damaged"),
        (b"/EST5\x02710000_A\r\n", "damaged"),
        (b"/EST5\\2537100001\x01", "damaged"),  # behind the first block
        (b"/EST5\\253710000\x01", "wrong_encryption_key"),
        (b"/EST5\x1f710000_A\r\n", "wrong_encryption_key"),
        (b"/EST5\x7f710000_A\r\n", "wrong_encryption_key"),
        (b"XEST5\\253710000_A\r\n", "wrong_encryption_key"),
    ],
)
def test_of_a_damaged_frame_the_first_block_tells_whether_the_key_is_right(begin: bytes, reason: str) -> None:
    spoilt = bytearray(sealed(1, encode_telegram(begin + b"\r\n1-0:1.8.0(000001.000*kWh)\r\n!")))
    spoilt[-15] ^= 1
    assert reasons(opened(bytes(spoilt))) == [reason]


def test_proven_keys_are_not_doubted() -> None:
    """After one good frame a bad one is damaged, whatever it looks like."""
    good, tag, text = sealed(1), bytearray(sealed(2)), bytearray(sealed(3))
    tag[-1] ^= 1
    text[13 + 3] ^= 1  # the frame counter: everything decrypts to garbage
    outcomes = opened(good + bytes(tag) + bytes(text) + sealed(4))
    assert reasons(outcomes) == ["ok", "damaged", "damaged", "ok"]


@pytest.mark.parametrize("policy", ["require", "warn"])
def test_a_proven_authentication_key_is_not_doubted_where_there_is_no_checksum(policy: Policy) -> None:
    unchecked = PLAIN[: PLAIN.index(b"\n!") + 2] + b"\r\n"
    spoilt = bytearray(sealed(2, unchecked))
    spoilt[-1] ^= 1
    assert reasons(opened(sealed(1) + bytes(spoilt), by=opener(policy))) == ["ok", "damaged"]


@pytest.mark.parametrize(("security", "reason"), [(0x30, "damaged"), (0x10, "wrong_encryption_key")])
def test_what_opens_without_its_tag_proves_the_encryption_key_where_it_was_encrypted(
    security: int, reason: str
) -> None:
    """As a wrong authentication key has it, for whom the policy is to warn."""
    garbled = bytearray(sealed(2))
    garbled[13 + 3] ^= 1  # the frame counter: everything decrypts to garbage
    stream = sealed(1, security=security) + bytes(garbled)
    assert reasons(opened(stream, by=opener("warn", ak=WRONG))) == ["ok", reason]


@pytest.mark.parametrize(
    ("policy", "expected"), [("require", ["wrong_authentication_key"]), ("warn", ["ok"]), ("off", ["ok"])]
)
def test_policies_with_a_wrong_authentication_key(policy: Policy, expected: list[str]) -> None:
    outcomes = opened(sealed(1), by=opener(policy, ak=WRONG))
    assert reasons(outcomes) == expected
    for telegram in telegrams(outcomes):
        assert telegram.authentication == ("failed" if policy == "warn" else "none")


@pytest.mark.parametrize("policy", ["require", "warn"])
def test_a_right_tag_is_told(policy: Policy) -> None:
    assert [telegram.authentication for telegram in telegrams(opened(sealed(1), by=opener(policy)))] == [
        "verified"
    ]


def test_who_does_not_look_at_tags_is_told_of_none_and_is_held_to_no_counter() -> None:
    by = opener("off")
    by.counters.recall({TITLE: FrameCounter(1000)})
    (telegram,) = telegrams(opened(sealed(5), by=by))
    assert telegram.authentication == "none"
    assert by.counters.values == {TITLE: FrameCounter(1000)}


@pytest.mark.parametrize("policy", ["warn", "off"])
def test_without_tag_the_checksum_decides(policy: Policy) -> None:
    """Never published without verification: no checksum inside, or a wrong one, and no tag."""
    unchecked = PLAIN[: PLAIN.index(b"\n!") + 2] + b"\r\n"
    assert reasons(opened(sealed(1, unchecked), by=opener(policy, ak=WRONG))) == ["wrong_authentication_key"]
    wrong = PLAIN[: PLAIN.index(b"\n!") + 2] + b"0000\r\n"
    assert reasons(opened(sealed(1, wrong), by=opener(policy, ak=WRONG))) == ["damaged"]


def test_the_tag_vouches_where_there_is_no_checksum() -> None:
    unchecked = PLAIN[: PLAIN.index(b"\n!") + 2] + b"\r\n"
    (telegram,) = telegrams(opened(sealed(1, unchecked)))
    assert (telegram.checksum, telegram.authentication) == ("absent", "verified")


def test_encryption_without_authentication() -> None:
    """Security byte 20: no tag at all."""
    frame = sealed(1, security=0x20)
    assert reasons(opened(frame)) == ["not_authenticated"]
    outcomes = opened(frame, by=opener("warn"))
    assert [(t.checksum, t.authentication) for t in telegrams(outcomes)] == [("ok", "none")]
    assert reasons(opened(frame, by=opener("warn", key=WRONG))) == ["wrong_encryption_key"]


@pytest.mark.parametrize("policy", ["require", "warn"])
def test_only_who_does_not_accept_it_is_told_how(policy: Policy) -> None:
    reader = P1Reader(opener(policy))
    reader.receive_data(sealed(1, security=0x20))
    (outcome,) = drain(reader)
    refusal = outcome if isinstance(outcome, DecryptionError) else reader.warning
    assert ("set authentication" in str(refusal)) == (policy == "require")


def test_authentication_without_encryption() -> None:
    """Security byte 10: the telegram in the clear, with a tag."""
    frame = sealed(1, security=0x10)
    assert PLAIN in frame
    assert [t.authentication for t in telegrams(opened(frame))] == ["verified"]
    refused = opened(frame, by=opener(ak=WRONG))
    assert reasons(refused)[0] == "wrong_authentication_key"
    assert telegrams(refused) == []  # nor as the plain telegram that it looks like inside


def test_luxembourg_needs_no_authentication_key() -> None:
    for ak in (LUXEMBOURG_AUTHENTICATION_KEY, b""):  # b"": node-dsmr-parser's fixture without AAD
        stream = sealed(1, ak=ak) + sealed(2, ak=ak)
        outcomes = opened(stream, by=opener(ak=None))
        assert [t.authentication for t in telegrams(outcomes)] == ["verified", "verified"]


def test_a_counter_that_repeats_or_falls_is_refused() -> None:
    outcomes = opened(sealed(5) + sealed(5) + sealed(4) + sealed(6))
    assert reasons(outcomes) == ["ok", "replayed", "replayed", "ok"]
    assert counters(outcomes) == [5, 6]


def test_a_forged_counter_does_not_block_the_meter() -> None:
    forged = bytearray(sealed(5))
    forged[14:18] = b"\xff\xff\xff\xff"
    assert counters(opened(sealed(5) + bytes(forged) + sealed(6))) == [5, 6]


@pytest.mark.parametrize("policy", ["warn", "off"])
@pytest.mark.parametrize("key", [KEY, bytes(16)])
@pytest.mark.parametrize("security", [0x10, 0x20, 0x30])
def test_a_frame_that_nothing_authenticates_does_not_block_the_meter(
    policy: Policy, key: bytes, security: int
) -> None:
    forged = encrypt_telegram(PLAIN, key, bytes(16), TITLE, 0xFFFF_FFFF, security=security)
    genuine = [sealed(counter) for counter in range(5, 9)]
    outcomes = opened(genuine[0] + forged + b"".join(genuine[1:]), by=opener(policy))
    assert [counter for counter in counters(outcomes) if counter != 0xFFFF_FFFF] == [5, 6, 7, 8]


@pytest.mark.parametrize("policy", ["warn", "off"])
def test_what_nothing_authenticates_is_not_repeated_all_the_same(policy: Policy) -> None:
    by = opener(policy, ak=bytes(16))
    assert counters(opened(sealed(5) + sealed(6) + sealed(5) + sealed(6) + sealed(7), by=by)) == [5, 6, 7]


def test_a_recorded_frame_with_a_spoilt_tag_does_not_pass_as_unauthenticated() -> None:
    spoilt = bytearray(sealed(5))
    spoilt[-1] ^= 1
    outcomes = opened(sealed(6) + bytes(spoilt), by=opener("warn"))
    assert counters(outcomes) == [6]
    assert reasons(outcomes) == ["ok", "replayed"]


def test_counters_are_kept_per_meter() -> None:
    other = encrypt_telegram(PLAIN, KEY, AK, b"SAG5\x00\x01\xd1\x7f", 1)
    assert counters(opened(sealed(5) + other + sealed(6))) == [5, 1, 6]


# --- keys ---


@pytest.mark.parametrize(
    "text",
    [
        "000102030405060708090a0b0c0d0e0f",
        "00010203 04050607 08090A0B 0C0D0E0F",
        "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f",
        " 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F\n",
    ],
)
def test_keys_with_and_without_blanks(text: str) -> None:
    assert parse_key(text) == bytes(range(16))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "this one has 0"),
        ("000102030405060708090a0b0c0d0e", "this one has 30"),
        ("000102030405060708090a0b0c0d0e0f00", "this one has 34"),
        ("000102030405060708090a0b0c0d0e0g", "hexadecimal digits \\(0-9, A-F\\)"),
        ("secretsecretsecretsecretsecretse", "hexadecimal digits \\(0-9, A-F\\)"),
    ],
)
def test_bad_keys_are_refused_without_being_told(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        parse_key(text)
    assert not text.strip() or text not in str(error.value)


def test_keys_do_not_show() -> None:
    made = opener()
    frame = parse_frame(sealed(1))
    for text in (repr(made), str(made), repr(frame), repr(AesGcm(KEY))):
        assert KEY.hex() not in text
        assert AK.hex() not in text
        assert repr(KEY) not in text
    with pytest.raises(ValueError, match="has 15 bytes"):
        Opener(KEY[:15], AK)


@given(st.binary(max_size=300))
def test_headers_are_found_inside_the_stream(stream: bytes) -> None:
    found = find_header(stream)
    if found is not None:
        start, length = found
        assert stream[start : start + 2] == b"\xdb\x08"
        assert length > 15


def test_noise_is_no_frame() -> None:
    noise = random.Random(3).randbytes(300_000)
    assert opened(noise, 997) == []


def test_a_flood_of_false_headers_is_read_in_pieces_of_any_size() -> None:
    flood = (b"\xdb\x08abcdefgh\x82\x01\xf2\x30" * 200)[:-3]
    for piece in (None, 7, 64):
        assert counters(opened(flood + FRAMES[0] + FRAMES[1], piece)) == [0x165E, 0x165F]
