"""Which national dialect a telegram is, and what its first line says of maker and model."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.p1.dialect import dialect_of, maker_and_model

DUTCH = ("0-0:1.0.0", "1-0:1.8.1")


@pytest.mark.parametrize(
    ("header", "version", "codes", "dialect"),
    [
        ("XMX5LGBBFG1009394887", "502", (), "belgium"),
        ("LUX5\\253", "50217", (), "belgium"),  # the version of eMUCS is Fluvius' own
        ("Lux5\\253663639_A", "", (), "luxembourg"),
        ("FLU5\\253769484_A", "", (), "belgium"),
        ("EST5\\253710000_A", "", (), "austria"),
        ("ADN9 6534", "", (), "sweden"),
        ("ELL5\\253833635_A", "", (), "sweden"),
        ("LGF5E360", "", (), "sweden"),
        ("ESO5", "", (), "lithuania"),
        ("SAG5SAG-METER", "", (), "hungary"),
        ("HLY5/D545-METER", "", (), "hungary"),
        ("WSE5", "", (), "hungary"),
        ("ESY5Q3DB1024", "", (), "germany"),
        ("HAG5eHZ010C_EHZ1vA02", "", (), "germany"),
        ("EBZ5DD32R06DTA_107", "", (), "germany"),
        ("LOG5LK13BE803049", "", (), "germany"),
        # Made for the Dutch market under the same letters: DSMR has totals by tariff only.
        ("LGF5E360", "50", DUTCH, "dsmr-5"),
        ("SAG5", "42", DUTCH, "dsmr-4"),
        ("SAG5", "42", (*DUTCH, "1-0:1.8.0"), "hungary"),
        ("SAG5", "60", DUTCH, "hungary"),
        ("ESY5", "50", DUTCH, "germany"),  # which makes none for it
        # Iskraemeco for Wallonia.
        ("ISk5\\2MIE5T-200", "", (), "belgium"),
        ("ISk5MIE7", "", (), "belgium"),
        ("ISk5\\2MT382-1000", "", (), ""),
        ("ISk5\\2MIE", "", (), ""),
        # By codes.
        ("AUX5", "", ("0-0:96.50.68",), "hungary"),
        ("AUX5", "", ("0-0:42.0.0", "1-0:15.8.0"), "hungary"),
        ("AUX5", "", ("0-0:42.0.0",), ""),
        ("AUX5", "", ("1-0:15.8.0",), ""),
        ("XYZ5", "", ("1-1:1.8.0",), "switzerland"),
        ("XYZ5", "", ("1-1:1.8.1",), "switzerland"),
        ("XYZ5", "50", ("1-1:1.8.0",), "switzerland"),
        ("XYZ5", "40", (), "dsmr-4"),
        ("XYZ5", "50", (), "dsmr-5"),
        ("XYZ5", "60", (), ""),
        ("KAM5", "", ("1-0:23.7.0",), "sweden"),
        ("Kam5MT382", "", ("1-0:23.7.0",), "sweden"),
        ("KAM5", "", (), ""),
        ("KAM4", "", ("1-0:23.7.0",), ""),
        ("XYZ5", "", ("0-0:96.14.0",), "dsmr-2.2"),
        ("XYZ5", "", ("0-0:96.14.0", "0-0:1.0.0"), ""),
        ("XYZ5", "", (), ""),
    ],
)
def test_a_dialect_is_recognised(header: str, version: str, codes: tuple[str, ...], dialect: str) -> None:
    assert dialect_of(header, version, codes) == dialect


@pytest.mark.parametrize(
    ("header", "identifier", "maker", "model"),
    [
        ("ISk5\\2MT382-1000", "", "Iskraemeco", "MT382-1000"),
        ("ISk5MT382", "", "Iskraemeco", "MT382"),
        ("EMH4\\@01LZQ", "", "", "01LZQ"),
        ("HLY5/D545-METER", "", "Holley", "/D545-METER"),
        ("ADN9 6534", "", "Aidon", "6534"),
        ("AUX59203281", "9203281", "Sanxing", ""),  # which has nothing but its number there
        ("AUX59203281", "9203282", "Sanxing", "9203281"),
        # Sagemcom bears other letters, and is known by its number or by its T210-D.
        ("FLU5\\253769484_A", "1SAG3101021605", "Sagemcom", "53769484_A"),
        ("FLU5\\253769484_A", "31SAG01021605", "", "53769484_A"),
        ("EST5T210-D", "", "Sagemcom", "T210-D"),
        ("LGF5E360", "1SAG3101021605", "Landis+Gyr", "E360"),
        ("EST5xT210-D", "", "", "xT210-D"),
        ("XY", "", "", ""),
        ("X-Y5", "", "", ""),
        ("XYZ", "", "", ""),
    ],
)
def test_who_made_it(header: str, identifier: str, maker: str, model: str) -> None:
    assert maker_and_model(header, identifier) == (maker, model)
