"""`read` and `doctor` at the port of another kind of meter: who is there, and why there is no reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smart_meter_reader.cli.read.one_reading import one_reading
from smart_meter_reader.cli.read.other_meter import looks_like, other_meter, who_reads
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.found import Found
from smart_meter_reader.meters.kmp.client import KamstrupClient
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.meters.p1.client import DsmrClient
from smart_meter_reader.meters.p1.emulator import P1Meter
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.transport import LineSettings
from tests.peers.lines import Noise

ROOT = Path(__file__).parents[3]
FIELD = {
    case["id"]: case
    for case in json.loads((ROOT / "tests/data/p1/p1_field.json").read_text("utf-8"))["entries"]
}
HDLC = bytes.fromhex(FIELD["at-kelag-hdlc"]["bytes_hex"])
P1 = bytes.fromhex(FIELD["be-badcrc"]["bytes_hex"])
SML = bytes.fromhex("1b1b1b1b01010101760512345678") + bytes(80)


async def ignore(message: Message) -> None:
    pass


@pytest.mark.parametrize(
    ("client", "received", "said"),
    [
        ("kamstrup", HDLC, "encrypted DLMS"),
        ("dsmr", HDLC, "it is read with the client dlms"),
        ("iec62056_21", SML, "this port sends SML"),
        ("dsmr", bytes.fromhex("4020010000000000000d"), ""),
        ("dsmr", P1, ""),
        ("kamstrup", b"\xff\x00\xfe" * 40, ""),
        ("kamstrup", b"", ""),
    ],
)
def test_what_came_tells_another_protocol_for_sure_or_not_at_all(
    client: str, received: bytes, said: str
) -> None:
    told = looks_like(client, "/dev/x", received)
    assert said in told if said else told == ""


async def reading_of(client: KamstrupClient | DsmrClient, port: str, name: str) -> tuple[ExplainedError, str]:
    missed = await one_reading(client, ignore, 60.0, print)
    assert missed is not None
    return missed.error, await other_meter(name, port, missed, print)


@pytest.mark.usefixtures("hurrying_loop")
async def test_p1_behind_the_client_of_an_infrared_head_is_told() -> None:
    async with on_pty(P1Meter("dsmr-5", interval=0.2)) as port:
        settings = KamstrupSettings(port=port, retries=0)
        error, said = await reading_of(KamstrupClient("heat", settings), port, "kamstrup")
    assert error.reason == "damaged_answers"
    assert "this looks like P1 (Iskraemeco" in said
    assert "the client dsmr" in said


@pytest.mark.usefixtures("hurrying_loop")
async def test_a_heat_meter_behind_the_client_of_p1_is_found_by_asking() -> None:
    told: list[str] = []
    async with on_pty(KamstrupMeter()) as port:
        settings = DsmrSettings(port=port)
        missed = await one_reading(DsmrClient("power", settings), ignore, 60.0, told.append)
        assert missed is not None
        said = await other_meter("dsmr", port, missed, told.append)
    assert missed.error.reason == "silence"
    assert "this answers KMP (Kamstrup" in said
    assert "the client kamstrup" in said
    assert any("not a byte came yet" in each for each in told)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"interval": "10s"}, "the client dlms"),
        (
            {"baud": 2400, "format": "8E1", "interval": "10s"},
            'the client dlms with baud = 2400, format = "8E1"',
        ),
        ({"secondary_address": "70000000"}, 'the client dlms with secondary_address = "70000000"'),
    ],
)
def test_all_the_settings_that_read_the_other_meter_are_told(keys: dict[str, str | int], told: str) -> None:
    found = Found("/dev/x", "M-Bus", LineSettings(baud=2400), "heat", keys=keys, client="dlms")
    assert who_reads("answers", found, found.keys).endswith(told)


async def test_dlms_in_hdlc_ends_the_reading_with_its_reason() -> None:
    """UtilitechAS/amsreader-firmware#787."""
    async with on_pty(Noise(HDLC)) as port:
        error, said = await reading_of(DsmrClient("power", DsmrSettings(port=port)), port, "dsmr")
    assert (error.reason, said) == ("hdlc", "")


@pytest.mark.usefixtures("hurrying_loop")
async def test_an_inverted_line_is_told_as_that_at_whatever_speed() -> None:
    telegram = bytes(byte ^ 0xFF for byte in P1)
    async with on_pty(Noise(telegram)) as port:
        error, said = await reading_of(DsmrClient("power", DsmrSettings(port=port)), port, "dsmr")
    assert (error.reason, said) == ("inverted", "")


async def test_the_clock_that_ends_it_says_what_was_waited_for() -> None:
    async with on_pty(Noise(b"")) as port:
        missed = await one_reading(DsmrClient("power", DsmrSettings(port=port)), ignore, 0.5, print)
    assert missed is not None
    assert missed.error.reason == "timeout"
    assert "waiting for a telegram at 115200 Bd 8N1; not a byte came yet" in missed.error.detail
