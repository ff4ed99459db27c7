"""`scan` and `align` at a head on a meter that sends SML."""

from __future__ import annotations

import pytest

from smart_meter_reader.cli.scan.scanning import scan_port
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import on_pty, on_tcp
from smart_meter_reader.meters.found import Unread
from smart_meter_reader.meters.head import Sign
from smart_meter_reader.meters.sml.emulator import FAULTS, SmlMeter
from smart_meter_reader.meters.sml.lines import LINE
from smart_meter_reader.meters.sml.probe import SmlHearing, head_probe
from tests.codecs.sml.vectors import wire


def ignore(port: str, words: str) -> None:
    pass


async def test_a_scan_names_the_meter_and_the_missing_pin() -> None:
    async with on_tcp(SmlMeter("ebz-dd3", interval=0.05, pin=False)) as place:
        report = await scan_port(f"socket://{place}", ignore, 5.0)
    found = report.found
    assert found is not None
    assert (found.client, found.manufacturer, found.kind) == ("sml", "eBZ", "electricity")
    assert found.serial_number == "1EBZ0100000023"
    assert dict(found.keys) == {"interval": "10s"}
    assert "PIN missing: only kWh" in found.notes[0]


async def test_a_scan_of_a_device_goes_through_the_speeds() -> None:
    async with on_pty(SmlMeter(interval=0.05)) as port:
        report = await scan_port(port, ignore, 0.5)
    assert report.found is not None
    assert report.found.line == LINE
    assert report.found.client == "sml"


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (wire("sml-iskra-mt175")[:100], "damaged or cut"),
        (wire("sml-easymeter-lost-bytes"), "damaged or cut"),
        (wire("sml-iskra-mt175")[20:-20], "control characters"),
        (b"\x00" * 99, ""),
    ],
)
def test_what_is_no_whole_telegram_leaves_a_word(stream: bytes, words: str) -> None:
    hearing = SmlHearing("/dev/x", LINE)
    assert hearing.receive_data(stream) is None
    outcome = hearing.judge()
    told = outcome.words if isinstance(outcome, Unread) else outcome
    assert isinstance(told, str)
    assert words in told if words else not told


async def test_signs_at_the_head() -> None:
    for fault, sign in ((), Sign.PUSHED), (("crc",), Sign.DAMAGED):
        emulated = SmlMeter(faults=parse_faults(fault, FAULTS), interval=0.05)
        async with on_pty(emulated) as port, head_probe(port) as probe:
            assert {await probe() for _ in range(3)} == {sign}
