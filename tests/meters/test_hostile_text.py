"""Every client against a meter that sends escape sequences in every text: none of them comes through."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.cli import main
from smart_meter_reader.codecs.kmp import GetRegisterResponse, RegisterValue, encode_response
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.emulators.stream import EmulatedLine, EmulatedMeter, on_pty
from smart_meter_reader.guard.guard import Guard, MeterPolicy
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.iec62056_21.client import Iec62056_21Client
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings
from smart_meter_reader.meters.kmp.client import KamstrupClient
from smart_meter_reader.meters.kmp.emulated_values import values_of
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.meters.p1.client import DsmrClient
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.replay import ReplayClient, ReplaySettings
from smart_meter_reader.recordings.text import FROM_METER, Burst, Recording, format_recording
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.sinks.stdout import reading_table
from tests.fuzz.harmless import harmful

ESC = "\x1b]0;owned\x07\x1b[31m\x9b31m\x85\x7f\r"
SOON = Schedule(interval=timedelta(milliseconds=20))


def telegram(serial: str, message: str = ESC) -> bytes:
    body = (
        f"/XMX5M{ESC.strip()}X\r\n\r\n0-0:96.1.1({serial}{ESC})\r\n1-3:0.2.8(50{ESC})\r\n0-0:96.13.0(T{message})\r\n"
        f"1-0:1.8.1(000123.456*kWh)\r\n1-0:1.7.0(00.100*k{ESC}W)\r\n1-0:{ESC}(1)\r\n9-9:9.9.9({ESC}*{ESC})\r\n"
        f"0-1:24.1.0(003)\r\n0-1:96.1.0(G{serial}{ESC})\r\n0-1:24.2.1(260101000000W)(1.0*m3)\r\n"
        f"0-2:24.1.0(003)\r\n0-2:96.1.0(D{ESC})\r\n0-2:24.2.1(260101000000W)()\r\n!"
    )
    return encode_telegram(body.encode("latin-1"))


TELEGRAMS = telegram("A") + telegram("B")
# As a meter sends them that knows no checksum: each twice, since two must agree.
READOUTS = b"".join(
    f"/KAM0M\r\n\r\n0.0({serial}{ESC})\r\nC.1{ESC}(x{ESC}*k{ESC})\r\n6.8(0456.631*GJ)\r\n!\r\n".encode(
        "ascii", "ignore"
    )
    for serial in ("A", "A", "B", "B")
)
TEXT = RegisterValue(1001, 0x36, 0, ESC.encode("latin-1"))
RAW = RegisterValue(60, 0x3F, 0, bytes.fromhex("9E99999999"))


class Sending:
    """A meter that sends the same again and again."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream

    async def serve(self, line: EmulatedLine) -> None:
        while True:
            await line.write(self._stream)
            await asyncio.sleep(0.05)


class _Enough(Exception):  # noqa: N818 - ends a client that would read for ever
    pass


async def published(client: Client, count: int) -> list[Message]:
    """What the client publishes and the guard lets through, up to so many readings."""
    guard = Guard({"m": MeterPolicy()})
    messages: list[Message] = []

    async def publish(message: Message) -> None:
        messages.extend(guard.check(message))
        if sum(each["type"] == "reading" for each in messages) >= count:
            raise _Enough

    with pytest.raises(_Enough):
        async with asyncio.timeout(20):
            await client.run(publish)
    return messages


def kamstrup_meter() -> KamstrupMeter:
    """Texts, numbers of 255 bytes and a number that would be 100 MB long, in every register asked for."""

    def fixed(name: str, unit: int, sign_exponent: int, mantissa: bytes) -> tuple[int, bytes]:
        register = resolve_register(name).id
        return register, RegisterValue(register, unit, sign_exponent, mantissa).encode()

    return KamstrupMeter(
        values=values_of(
            "403",
            0,
            dict(
                (
                    fixed("volume", 0x36, 0, ESC.encode("latin-1")),
                    fixed("power", 0x16, 0, b"\xff" * 255),
                    fixed("volume_flow", 0x29, 0x3F, b"\xff" * 8),
                    fixed("flow_temperature", 0x25, 0x7F, b"\x01"),
                    fixed("return_temperature", 0x3F, 0, bytes.fromhex("9E99999999")),
                    fixed("info_code", 0x3B, 0, b"\xff" * 200),
                )
            ),
        ),
        reply_delay=0.0,
    )


KAMSTRUP = (
    "heat_energy",
    "volume",
    "power",
    "volume_flow",
    "flow_temperature",
    "return_temperature",
    "info_code",
)


def dsmr(port: str) -> Client:
    return DsmrClient("m", DsmrSettings(port=port))


def iec(port: str) -> Client:
    return Iec62056_21Client(
        "m", Iec62056_21Settings(port=port, mode="push", interval=SOON, baud=19_200, model="generic")
    )


def kamstrup(port: str) -> Client:
    return KamstrupClient(
        "m", KamstrupSettings(port=port, interval=SOON, registers=KAMSTRUP, mains_powered=True, baud=115_200)
    )


@pytest.mark.parametrize(
    ("meter", "client"),
    [(Sending(TELEGRAMS), dsmr), (Sending(READOUTS), iec), (kamstrup_meter(), kamstrup)],
    ids=["dsmr", "iec62056_21", "kamstrup"],
)
async def test_what_a_client_publishes_and_logs(
    meter: EmulatedMeter, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with on_pty(meter) as port:
        messages = await published(client(port), 4)
    assert {message["type"] for message in messages} >= {"info", "reading"}
    assert harmful(messages) == []
    assert harmful([record.getMessage() for record in caplog.records]) == []
    for message in messages:
        if message["type"] == "reading":
            assert harmful(reading_table(message).splitlines()) == []


async def test_what_is_left_out_of_an_answer_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    reader = kamstrup("")
    async with on_pty(kamstrup_meter()) as port:
        reader = kamstrup(port)
        messages = await published(reader, 1)
    (reading,) = [message for message in messages if message["type"] == "reading"]
    assert set(reading["measurements"]) == {"heat_energy", "return_temperature"}
    assert reader.health["rejected_values"] == 5
    for name in ("volume", "power", "volume_flow", "flow_temperature", "info_code"):
        assert f"{name} (register {resolve_register(name).id}) is left out" in caplog.text


async def test_a_replaced_meter_and_its_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    async with on_pty(Sending(TELEGRAMS)) as port:
        messages = await published(dsmr(port), 3)
    assert "the serial number was" in caplog.text
    assert "meter_replaced" in [message["reason"] for message in messages if message["type"] == "status"]


async def test_a_recording_is_no_way_round(tmp_path: Path) -> None:
    recording = tmp_path / "recording.txt"
    events = (Burst(0, FROM_METER, TELEGRAMS), Burst(100, FROM_METER, TELEGRAMS))
    recording.write_text(format_recording(Recording(events, client="dsmr")))
    client = ReplayClient("m", ReplaySettings(file=recording))
    assert harmful(await published(client, 3)) == []


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("protocol", "content"),
    [
        (
            "p1",
            TELEGRAMS + TELEGRAMS.replace(b"123", b"124") + b"/XMX5\x1b[31m\r\n1-0:1.8.1(1*kWh)\r\n!0000\r\n",
        ),
        ("iec62056_21", READOUTS + b"/?\x1b[31m!\r\n" + b"\x1b[31m0456631\x1b 0456631\r"),
        ("kmp", encode_response(GetRegisterResponse((TEXT, RAW))) + ESC.encode("latin-1")),
    ],
)
def test_decode(
    protocol: str, content: bytes, as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "capture.bin"
    capture.write_bytes(content)
    main(["decode", protocol, str(capture), *(["--json"] if as_json else [])])
    said = capsys.readouterr()
    assert said.out
    lines = [*said.out.split("\n"), *said.err.split("\n")]
    assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.parametrize("as_json", [False, True])
async def test_read(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    async with on_pty(Sending(TELEGRAMS)) as port:
        arguments = ["read", port, "--client", "dsmr", *(["--json"] if as_json else [])]
        assert await asyncio.to_thread(main, arguments) == EXIT_OK
    said = capsys.readouterr()
    assert "text_message" in said.out or "Text message" in said.out
    lines = [*said.out.split("\n"), *said.err.split("\n")]
    assert [line for line in lines if not line.isprintable()] == []
