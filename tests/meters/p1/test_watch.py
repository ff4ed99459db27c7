"""What a P1 line's watch says of losses: how many, of what kind, and the likely cause."""

from __future__ import annotations

import pytest

from smart_meter_reader.exceptions import (
    ChecksumError,
    DamagedCipherError,
    DecryptionError,
    OtherProtocolError,
    ReplayedError,
)
from smart_meter_reader.meters.p1.watch import P1Watch

_CLOSED = {"damaged": DamagedCipherError, "replayed": ReplayedError}


def watch_with(good: int, *closed: str, damaged: int = 0, shorter: bool = False) -> str:
    watch = P1Watch("/dev/p1", 0.0, None)
    for number in range(good):
        watch.note_good(float(number), 500)
    for _ in range(damaged):
        watch.note_damaged(ChecksumError("checksum", "wrong", b"x" * (400 if shorter else 500)))
    for reason in closed:
        watch.note_closed(50.0, _CLOSED.get(reason, DecryptionError)(reason, "why"))
    return watch.sum_up(60.0, 60.0)


def test_nothing_is_said_of_a_clean_line() -> None:
    assert watch_with(60) == ""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (watch_with(54, damaged=6), "bytes were changed on the way"),
        (watch_with(54, damaged=6, shorter=True), "another program reads the same port"),
        (watch_with(57, "damaged", "damaged", "damaged"), "bytes were changed on the way"),
        (watch_with(58, "replayed", "replayed"), "sent them twice"),
        (watch_with(0, "wrong_encryption_key"), "check the keys"),
        (watch_with(0, "no_key"), "check the keys"),
    ],
)
def test_the_cause_is_the_likely_one(text: str, cause: str) -> None:
    assert cause in text


WHOLE = b"/ISk5\\2MT382\r\n\r\n1-0:1.8.1(000016.854*kWh)\r\n!"


def test_whole_telegrams_with_a_wrong_checksum_are_told_as_that() -> None:
    watch = P1Watch("/dev/p1", 0.0, None)
    for _ in range(60):
        watch.received += len(WHOLE)
        watch.note_damaged(ChecksumError("checksum", "wrong", WHOLE))
    assert watch.proven  # so that nobody tries another speed
    assert "the checksum never fits" in watch.sum_up(60.0, 60.0)
    death = watch.death(WHOLE, 60.0)
    assert death.reason == "checksum"
    assert "the checksum never fits" in death.detail


def test_what_was_damaged_before_a_good_telegram_is_no_cause() -> None:
    watch = P1Watch("/dev/p1", 0.0, None)
    watch.note_damaged(ChecksumError("checksum", "wrong", WHOLE))
    watch.sum_up(60.0, 60.0)
    watch.note_good(61.0, 500)
    assert watch.death(b"", 60.0).reason == "silence"


def test_noise_does_not_prove_the_speed() -> None:
    watch = P1Watch("/dev/p1", 0.0, None)
    watch.note_damaged(ChecksumError("checksum", "wrong", b"/XYZ\n\r1-0:1.8.0(\xf0\r\n!"))
    assert not watch.proven


def test_another_protocol_is_no_matter_of_keys() -> None:
    watch = P1Watch("/dev/p1", 0.0, None)
    watch.note_closed(1.0, OtherProtocolError("hdlc", "this port sends HDLC frames"))
    assert watch.sum_up(60.0, 60.0).endswith("this port sends HDLC frames")


def test_the_rate_and_the_kinds_are_told() -> None:
    text = watch_with(54, "damaged", damaged=5)
    assert text.startswith("6 of 60 telegrams in 60 s were lost (10 %: 5 checksum, 1 damaged)")


@pytest.mark.parametrize(
    ("received", "damaged", "deadline"), [(0, 0, 15.0), (900, 0, 30.0), (900, 2, 30.0), (900, 3, 15.0)]
)
def test_who_waits_for_one_telegram_is_told_soon_why_none_comes(
    received: int, damaged: int, deadline: float
) -> None:
    watch = P1Watch("/dev/p1", 0.0, None, for_one=True)
    watch.received = received
    for _ in range(damaged):
        watch.note_damaged(ChecksumError("checksum", "wrong", WHOLE))
    assert watch.deadline == deadline
    assert f"for {deadline:.0f} s" in watch.death(b"", deadline).detail


def test_a_timeout_that_was_set_counts_for_one_telegram_too() -> None:
    assert P1Watch("/dev/p1", 0.0, 100.0, for_one=True).deadline == 100.0
