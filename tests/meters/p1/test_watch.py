"""What a P1 line's watch says of losses: how many, of what kind, and the likely cause."""

from __future__ import annotations

import pytest

from smart_meter_reader.exceptions import ChecksumError, DamagedCipherError, DecryptionError, ReplayedError
from smart_meter_reader.meters.p1.watch import LineWatch

_CLOSED = {"damaged": DamagedCipherError, "replayed": ReplayedError}


def watch_with(good: int, *closed: str, damaged: int = 0, shorter: bool = False) -> str:
    watch = LineWatch("/dev/p1", 0.0, None)
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


def test_the_rate_and_the_kinds_are_told() -> None:
    text = watch_with(54, "damaged", damaged=5)
    assert text.startswith("6 of 60 telegrams in 60 s were lost (10 %: 5 checksum, 1 damaged)")
