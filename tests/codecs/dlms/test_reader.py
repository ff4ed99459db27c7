"""The reader: telegrams in their order, several in one frame, what waits, is dropped, and is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smart_meter_reader.codecs.dlms.cipher import DlmsOpener, encrypt
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.framing.joining import LLC
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.exceptions import DecryptionError, FrameError
from tests.codecs.dlms.vectors import Outcome, drain, read, reasons, telegrams

KEY, AK, TITLE = bytes(range(16)), bytes(range(16, 32)), b"KFM\x67\0\0\0\x09"


def notification(number: int) -> bytes:
    """One with this number for its invoke id, without a time, of a list with one total."""
    total = bytes.fromhex("0202090601000108 00ff06") + number.to_bytes(4, "big")
    return b"\x0f" + number.to_bytes(4, "big") + b"\0" + b"\x01\x01" + total


def frame(*apdus: bytes) -> bytes:
    return encode_hdlc(b"".join(LLC + apdu for apdu in apdus))


def sealed(counter: int, plaintext: bytes, ak: bytes | None = AK) -> bytes:
    return encrypt(plaintext, KEY, ak, TITLE, counter)


def numbers(outcomes: list[Outcome]) -> list[int | str]:
    """The invoke id of each telegram, or why there is none."""
    return [
        each.reason if isinstance(each, FrameError | DecryptionError) else each.invoke_id for each in outcomes
    ]


def only(outcomes: list[Outcome]) -> str:
    """What the only outcome, an error, says."""
    (error,) = outcomes
    assert isinstance(error, FrameError | DecryptionError)
    return error.detail


def test_telegrams_come_in_their_order_and_at_once() -> None:
    reader = DlmsReader()
    for number in (1, 2, 3):
        reader.receive_data(frame(notification(number)))
        assert numbers(list(drain(reader))) == [number]
    (telegram,) = telegrams(read(frame(notification(4))))
    assert (telegram.envelope.framing, telegram.envelope.authentication) == ("hdlc", "none")
    assert (telegram.envelope.frame_counter, telegram.envelope.system_title) == (None, b"")
    assert telegram.length == len(notification(4))


def test_several_notifications_in_one_frame_each_behind_its_llc() -> None:
    assert numbers(read(frame(notification(1), notification(2), notification(3)))) == [1, 2, 3]
    own = DlmsOpener(KEY, AK, "warn")
    mixed = frame(sealed(1, notification(1)), notification(2), sealed(2, notification(3)))
    outcomes = read(mixed, own)
    assert numbers(outcomes) == [1, 2, 3]
    assert [each.envelope.authentication for each in telegrams(outcomes)] == ["verified", "none", "verified"]


@pytest.mark.parametrize(
    ("behind", "octets"), [(b"\0", 1), (LLC, 3), (LLC[:2], 2), (b"\xe6\xe6\0" + notification(2), 26)]
)
def test_what_stands_behind_a_notification_and_is_none_is_told(behind: bytes, octets: int) -> None:
    outcomes = read(encode_hdlc(LLC + notification(1) + behind))
    assert numbers(outcomes) == [1, "malformed"]
    assert only(outcomes[1:]).startswith(f"{octets} octets stand behind a notification")


def test_what_an_error_leaves_of_a_frame_is_not_read() -> None:
    assert numbers(read(frame(notification(1), b"\xc4\x01", notification(2)))) == [1, "malformed"]
    assert "an APDU with the tag C4" in only(read(frame(b"\xc4\x01\x40")))
    assert "a notification makes no sense" in only(read(frame(notification(1)[:-1])))


def test_more_than_a_notification_in_what_was_encrypted_is_none() -> None:
    own = DlmsOpener(KEY, AK)
    assert "more than a notification was encrypted" in only(
        read(frame(sealed(1, notification(1) + b"\0")), own)
    )
    assert "an APDU with the tag C4" in only(read(frame(sealed(2, b"\xc4" + notification(1))), own))


def test_an_encrypted_telegram_tells_how_it_came() -> None:
    (telegram,) = telegrams(read(frame(sealed(7, notification(1))), DlmsOpener(KEY, AK)))
    assert (telegram.envelope.framing, telegram.envelope.authentication) == ("hdlc", "verified")
    assert (telegram.envelope.frame_counter, telegram.envelope.system_title) == (7, TITLE)


def test_why_a_tag_failed_is_told_until_one_fits() -> None:
    reader = DlmsReader(DlmsOpener(KEY, AK, "warn"))
    told = [reader.warning]
    for counter, ak in ((1, bytes(16)), (2, AK)):
        reader.receive_data(frame(sealed(counter, notification(counter), ak)))
        assert numbers(list(drain(reader))) == [counter]
        told.append(reader.warning)
    assert [isinstance(each, DecryptionError) for each in told] == [False, True, False]


@pytest.mark.parametrize(("policy", "outcome"), [("require", "not_encrypted"), ("warn", 1), ("off", 1)])
def test_a_plain_telegram_where_a_key_is_set(policy: str, outcome: str | int) -> None:
    own = DlmsOpener(KEY, AK, policy)  # type: ignore[arg-type]
    assert numbers(read(frame(notification(1)), own)) == [outcome]
    # An encrypted one without a tag is judged by the opener.
    assert numbers(read(frame(sealed(1, notification(2), None)), DlmsOpener(KEY))) == [2]


def test_counters_are_judged_by_the_time_that_the_bytes_came() -> None:
    reader, now = DlmsReader(DlmsOpener(KEY, AK)), datetime(2026, 1, 1, tzinfo=UTC)
    for counter, hours in ((5, 0), (5, 1)):
        reader.receive_data(frame(sealed(counter, notification(counter))), now + timedelta(hours=hours))
    assert numbers(list(drain(reader))) == [5, "replayed"]


def test_what_was_begun_is_given_up_at_the_end_and_not_before() -> None:
    segment = encode_hdlc(LLC + notification(1)[:10], segmented=True)
    reader = DlmsReader()
    reader.receive_data(segment)
    assert list(drain(reader)) == []
    reader.finish()
    outcomes = list(drain(reader))
    assert (numbers(outcomes), "the stream ends" in only(outcomes)) == (["incomplete"], True)
    assert list(drain(reader)) == []


def test_a_damaged_frame_ends_what_was_begun() -> None:
    segment = encode_hdlc(LLC + notification(1)[:10], segmented=True)
    damaged = bytearray(encode_hdlc(notification(1)[10:]))
    damaged[-3] ^= 1
    outcomes = read(segment + damaged + frame(notification(2)))
    assert numbers(outcomes) == ["checksum", "incomplete", 2]
    assert "a frame of it is damaged" in only(outcomes[1:2])


def test_a_frame_that_the_end_cuts_is_told() -> None:
    assert numbers(read(frame(notification(1)) + frame(notification(2))[:20])) == [1, "truncated"]


def test_a_segmented_telegram_is_one() -> None:
    apdu = LLC + notification(1)
    # Whose end is missing when another one begins, and is told before that.
    assert numbers(read(encode_hdlc(apdu[:10], segmented=True) + frame(notification(2)))) == ["incomplete", 2]
    assert numbers(read(encode_hdlc(apdu[:10], segmented=True) + encode_hdlc(apdu[10:]))) == [1]


def test_of_what_waits_only_the_newest_is_kept() -> None:
    reader = DlmsReader()
    assert reader.leave_out_older() == 0
    reader.receive_data(frame(notification(1)))
    assert reader.leave_out_older() == 0
    reader.receive_data(frame(notification(2)) + frame(notification(3), notification(4)))
    assert reader.leave_out_older() == 3
    assert numbers(list(drain(reader))) == [4]
    reader.receive_data(frame(notification(5)) + frame(b"\xc4\x01\x40"))
    assert reader.leave_out_older() == 1
    assert numbers(list(drain(reader))) == ["malformed"]


def test_a_notification_without_a_frame() -> None:
    reader = DlmsReader()
    reader.take_bare(notification(1))
    reader.take_bare(notification(2) + b"\0")
    outcomes = list(drain(reader))
    assert numbers(outcomes) == [1, 2, "malformed"]
    assert telegrams(outcomes)[0].envelope.framing == "none"


def test_octets_outside_of_frames_are_counted_and_those_behind_the_last_one_kept() -> None:
    reader = DlmsReader()
    reader.receive_data(b"\x55\xaa\x55" + frame(notification(1)) + b"\x11")
    assert reasons(list(drain(reader))) == []
    reader.finish()
    assert list(drain(reader)) == []
    assert (reader.skipped, reader.unrecognised) == (4, b"\x11")
    assert reader.examined > 0
