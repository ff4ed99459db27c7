"""Faults on demand: what the texts mean, and that the same seed gives the same trouble."""

from __future__ import annotations

import pytest

from smart_meter_reader.emulators.faults import Faults, parse_faults
from smart_meter_reader.meters.kmp.emulator import FAULTS

SUBJECTS = frozenset({"omit"})


def strikes(*texts: str, kind: str, count: int = 12, seed: int = 0) -> list[bool]:
    faults = Faults(parse_faults(texts, FAULTS, with_subject=SUBJECTS), seed)
    return [faults.strike(kind) for _ in range(count)]


def test_a_fault_alone_strikes_always_and_only_its_kind() -> None:
    assert strikes("crc", kind="crc") == [True] * 12
    assert strikes("crc", kind="drop") == [False] * 12


def test_a_count_strikes_the_first_answers_only() -> None:
    assert strikes("drop:2", kind="drop") == [True, True, *[False] * 10]


def test_a_fraction_strikes_every_third() -> None:
    assert strikes("crc:1/3", kind="crc") == [False, False, True] * 4


def test_a_probability_strikes_about_so_often_and_the_same_every_time() -> None:
    first = strikes("late:0.3", kind="late", count=1000)
    assert first == strikes("late:0.3", kind="late", count=1000)
    assert first != strikes("late:0.3", kind="late", count=1000, seed=1)
    assert 200 < sum(first) < 400
    assert not any(strikes("late:0", kind="late", count=100))


def test_several_faults_in_one_text_or_many() -> None:
    for texts in (["crc:1/2", "noise"], ["crc:1/2,noise"]):
        assert strikes(*texts, kind="noise", count=2) == [True, True]
        assert strikes(*texts, kind="crc", count=2) == [False, True]


def test_omit_takes_a_register() -> None:
    faults = Faults(parse_faults(["omit:power", "omit:1/2"], FAULTS, with_subject=SUBJECTS))
    assert faults.subjects("omit") == {"power"}
    assert [faults.strike("omit") for _ in range(2)] == [False, True]


@pytest.mark.parametrize("text", ["crcc", "crc:x", "crc:0/3", "crc:2.5", "drop:power", "crc:-1"])
def test_unknown_faults_are_explained(text: str) -> None:
    with pytest.raises(ValueError, match=r"there are crc|does not say when"):
        parse_faults([text], FAULTS, with_subject=SUBJECTS)


def test_a_flipped_bit_is_one_bit() -> None:
    faults = Faults(seed=3)
    for _ in range(100):
        frame = bytes(range(30))
        damaged = faults.flip_bit(frame)
        assert sum((a ^ b).bit_count() for a, b in zip(frame, damaged, strict=True)) == 1
