"""What `scan` and `decode auto` make of captures: which meter, which client, and whether it encrypts."""

from __future__ import annotations

import pytest

from smart_meter_reader.cli.decode.auto import likeliest
from smart_meter_reader.cli.read.other_meter import looks_like
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.meters.dlms.decode import sniff
from smart_meter_reader.meters.dlms.lines import KAMSTRUP_LINE, MBUS_LINE
from smart_meter_reader.meters.dlms.probe import DlmsHearing
from smart_meter_reader.meters.registry import meter_drivers
from tests.codecs.dlms.vectors import BY_ID, VECTORS, Vector, wire


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_capture_is_taken_for_dlms(vector: Vector) -> None:
    drivers = [driver for driver in meter_drivers().values() if driver.sniff]
    found = likeliest(wire(vector), drivers)
    assert found is not None
    assert found.protocol == "dlms"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_behind_another_client_it_is_told_which_one_reads_it(vector: Vector) -> None:
    good = vector["crc_ok"] and vector["id"] != "hdlc-lg-e450-ch-gbt-bad-order"
    for client in ("dsmr", "kamstrup", "sml"):
        said = looks_like(client, "/dev/x", wire(vector))
        assert ("client dlms" in said) if good else True, client


def test_a_plain_meter_is_found_with_its_line() -> None:
    hearing = DlmsHearing("/dev/x", KAMSTRUP_LINE)
    stream = wire("hdlc-kamstrup-no-list3-2017")
    assert hearing.receive_data(stream[:200]) is None
    found = hearing.receive_data(stream[200:])
    assert found is not None
    assert found.description == (
        "Kamstrup 6841121BN243101040, serial number 5706567200000009: DLMS at 2400 Bd 8N1"
    )
    assert dict(found.keys) == {"baud": 2400, "format": "8N1", "interval": "10s"}
    assert dict(DlmsHearing("socket://x:1", MBUS_LINE)._keys()) == {"interval": "10s"}


def test_an_encrypted_meter_asks_for_keys() -> None:
    found = DlmsHearing("/dev/x", MBUS_LINE).receive_data(wire("mbus-kaifa-netz-noe-glo20"))
    assert found is not None
    assert found.encrypts
    assert found.protocol == "encrypted DLMS"
    assert any(".secrets.toml" in note for note in found.notes)


def test_damage_is_a_clue() -> None:
    hearing = DlmsHearing("/dev/x", MBUS_LINE)
    assert hearing.judge() == ""
    assert hearing.receive_data(wire("hdlc-lg-zmf100-misprint")) is None
    assert "1 frames of DLMS came damaged" in str(hearing.judge())


@pytest.mark.parametrize(
    ("capture", "likeness"),
    [
        (b"", Likeness.NONE),
        (b"/ISK5 text\r\n1-0:1.8.0(000001.000*kWh)\r\n!", Likeness.NONE),
        (wire("raw-egd-xt211-spec"), Likeness.FRAMED),
        (wire("hdlc-lg-zmf100-misprint"), Likeness.FRAMED),
        (wire("mbus-kmswest-undecryptable"), Likeness.CHECKED),
    ],
)
def test_how_much_it_looks_like_dlms(capture: bytes, likeness: Likeness) -> None:
    assert sniff(capture) is likeness
    assert len(BY_ID) >= 38
