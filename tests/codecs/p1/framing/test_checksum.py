"""CRC-16/ARC and X-25 against their published check values, a bitwise reference, and real telegrams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.p1.framing.checksum import crc16_arc, crc16_x25, verify
from tests.codecs.p1.vectors import PLAIN, Vector, wire


def bitwise(covered: bytes, polynomial: int, register: int) -> int:
    """The definition: one bit after the other, least significant first."""
    for byte in covered:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ polynomial if register & 1 else register >> 1
    return register


def test_check_values_of_the_catalogue() -> None:
    assert crc16_arc(b"123456789") == 0xBB3D
    assert crc16_x25(b"123456789") == 0x906E
    assert crc16_arc(b"") == 0


@given(st.binary(max_size=300))
def test_arc_is_what_the_definition_says(covered: bytes) -> None:
    assert crc16_arc(covered) == bitwise(covered, 0xA001, 0)


@given(st.binary(max_size=300))
def test_x25_is_what_the_definition_says(covered: bytes) -> None:
    assert crc16_x25(covered) == bitwise(covered, 0x8408, 0xFFFF) ^ 0xFFFF


@pytest.mark.parametrize("length", [1, 2, 1023, 4096, 16_384, 20_000])
def test_arc_of_long_and_of_even_messages(length: int) -> None:
    covered = bytes(range(256)) * (length // 256) + bytes(length % 256)
    assert crc16_arc(covered) == bitwise(covered, 0xA001, 0)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 15))
def test_a_turned_bit_is_noticed(covered: bytes, bit: int) -> None:
    damaged = bytearray(covered)
    damaged[bit % len(covered)] ^= 1 << bit % 8
    assert crc16_arc(bytes(damaged)) != crc16_arc(covered)


@pytest.mark.parametrize("vector", [v for v in PLAIN if v["crc"]["ok"]], ids=lambda v: v["id"])
def test_published_telegrams_verify_with_both_line_ends(vector: Vector) -> None:
    telegram = wire(vector)
    covered = telegram[: telegram.index(b"\n!") + 2]
    expected = int(vector["crc"]["in_telegram"], 16)
    assert verify(covered, expected) == covered
    assert verify(covered.replace(b"\r\n", b"\n"), expected) == covered


def test_x25_counts_only_where_it_is_used() -> None:
    covered = b"/HLY5/D545-METER\r\n\r\n1-0:1.8.0(00003668.743*kWh)\r\n!"
    assert verify(covered, crc16_x25(covered)) is None
    assert verify(covered, crc16_x25(covered), x25=True) == covered
    assert verify(covered, crc16_arc(covered), x25=True) == covered
