"""Which six octets can be a code, and what one means."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.dlms.codes import code_in, meaning_of
from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.quantities import Kind


@pytest.mark.parametrize(
    "octets", ["", "0100010800", "0100010800ff00", "1000010800ff", "4b464d5f3031", "ff0000000000"]
)
def test_what_can_be_no_code(octets: str) -> None:
    assert code_in(bytes.fromhex(octets)) is None


@pytest.mark.parametrize(
    "octets", ["0100010800ff", "0f00010800ff", "00ff600100ff", "01ffffffffff", "0110010800ff"]
)
def test_group_a_alone_tells_a_code(octets: str) -> None:
    """It has four bits; the others are octets."""
    raw = bytes.fromhex(octets)
    assert code_in(raw) == ObisCode(*raw)


@pytest.mark.parametrize(
    ("octets", "meaning"),
    [
        ("0100010800ff", ("1-0:1.8.0", "1.8.0", "active_energy_import", Kind.ENERGY)),
        ("0101010800ff", ("1-1:1.8.0", "1.8.0", "active_energy_import", Kind.ENERGY)),
        ("0100630100ff", ("1-0:99.1.0", "99.1.0", "", None)),
    ],
)
def test_what_a_code_means(octets: str, meaning: tuple[str, str, str, Kind | None]) -> None:
    assert tuple(meaning_of(ObisCode(*bytes.fromhex(octets)))) == meaning
