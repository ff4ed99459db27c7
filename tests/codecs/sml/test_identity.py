"""Server ids: the number on the front of the meter (DIN 43863-5), EMH's of EDL21, and ids of nobody."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.sml.identity import ServerIdentity, identity_of, text_of


@pytest.mark.parametrize(
    ("server_id", "identity"),
    [
        # The module's own example: 1 DZG 00 42082910.
        ("0a01445a47000282225e", ServerIdentity("1DZG0042082910", "DZG", 42082910)),
        ("0901445a47000282225e", ServerIdentity("1DZG0042082910", "DZG", 42082910)),
        ("0a01454d48ab00000007", ServerIdentity("1EMHAB00000007", "EMH", 7)),
        ("0a01656d680000000007", ServerIdentity("1EMH0000000007", "EMH", 7)),
        ("06454d48010203040506", ServerIdentity("06454D48010203040506", "EMH", 0x03040506)),
        ("06656d68010203040506", ServerIdentity("06656D68010203040506", "EMH", 0x03040506)),
        # Nobody's, in one way each.
        ("", ServerIdentity("")),
        ("00000000000000000000", ServerIdentity("")),
        ("0b01445a47000282225e", ServerIdentity("0B01445A47000282225E")),
        ("0a02445a47000282225e", ServerIdentity("0A02445A47000282225E")),
        ("0a01445a31000282225e", ServerIdentity("0A01445A31000282225E")),
        ("0a01445a4700028222", ServerIdentity("0A01445A4700028222")),
        ("06454d31010203040506", ServerIdentity("06454D31010203040506")),
        ("06314d48010203040506", ServerIdentity("06314D48010203040506")),
        ("07454d48010203040506", ServerIdentity("07454D48010203040506")),
        ("454d483132", ServerIdentity("EMH12")),
        ("656d683132", ServerIdentity("emh12")),
        ("45480a", ServerIdentity("45480A")),
    ],
)
def test_who_a_meter_is(server_id: str, identity: ServerIdentity) -> None:
    assert identity_of(bytes.fromhex(server_id)) == identity


@pytest.mark.parametrize("server_id", ["", "00000000000000000000", "454d483132"])
@pytest.mark.parametrize(
    ("maker", "flag"),
    [("ESY", "ESY"), ("esy", "ESY"), ("ESYX", "ESY"), ("XYZ", ""), ("ES", ""), ("E1Y", ""), ("\xc9SY", "")],
)
def test_the_telegrams_maker_is_that_of_an_id_that_names_none(server_id: str, maker: str, flag: str) -> None:
    assert identity_of(bytes.fromhex(server_id), maker.encode("latin-1")).flag == flag


def test_the_maker_in_an_id_is_not_the_telegrams() -> None:
    assert identity_of(bytes.fromhex("0a01445a47000282225e"), b"ESY").flag == "DZG"


@pytest.mark.parametrize(("flag", "maker"), [("ESY", "EasyMeter"), ("XYZ", "XYZ"), ("", "")])
def test_the_makers_name_or_its_letters(flag: str, maker: str) -> None:
    assert ServerIdentity("1", flag).manufacturer == maker


@pytest.mark.parametrize(
    ("octets", "text"), [("", "0x"), ("4142", "AB"), ("41c3", "0x41c3"), ("4100", "0x4100")]
)
def test_octets_are_text_or_digits(octets: str, text: str) -> None:
    assert text_of(bytes.fromhex(octets)) == text
