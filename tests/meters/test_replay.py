"""Sessions of emulated meters, recorded and replayed: the clients read in them what they read before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.cli.record.comments import comment_for
from smart_meter_reader.cli.record.recorder import Recorded, record_client, record_line
from smart_meter_reader.drivers import imported
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.exceptions import ExplainedError, ProtocolError, RecordingEndedError, TransportError
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.iec62056_21.emulator import Iec62056Meter
from smart_meter_reader.meters.kmp.emulator import FAULTS, KamstrupMeter
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.meters.replay import ReplayClient, ReplaySettings
from smart_meter_reader.recordings.text import Burst, Recording, format_recording, parse_recording
from smart_meter_reader.settings.schema import Origin, Place, parse
from smart_meter_reader.transport import LineSettings

KAMSTRUP = {"registers": ["heat_energy", "volume", "power"], "interval": "1h"}


def settings_of(client: str, table: Mapping[str, Any]) -> Any:
    settings, problems = parse(
        imported(meter_driver(client).settings), table, Place({(): Origin("test", "", ())})
    )
    assert settings is not None, problems
    return settings


async def record(client: str, port: str, table: Mapping[str, Any], count: int = 1) -> Recorded:
    settings = settings_of(client, {"port": port, **table})
    driver = imported(meter_driver(client).client)("m", settings)
    return await record_client(client, driver, settings, count=count, seconds=20)


async def replay(
    file: Path, *, once: bool = False, speed: str = "0", **settings: Any
) -> tuple[list[Message], ReplayClient]:
    client = ReplayClient("m", ReplaySettings(file=file, speed=Decimal(speed), **settings))
    messages: list[Message] = []

    async def note(message: Message) -> None:
        messages.append(message)

    async with asyncio.timeout(20):
        await client.run(note, once=once)
    return messages, client


def written(session: Recorded, file: Path) -> Path:
    text = format_recording(session.recording, comment_for(session.recording.client))
    assert parse_recording(text) == session.recording
    file.write_text(text)
    return file


def values(messages: list[Message] | tuple[Message, ...]) -> list[Any]:
    return [message["measurements"] for message in messages if message["type"] == "reading"]


def identities(messages: list[Message] | tuple[Message, ...]) -> list[Any]:
    return [
        {key: value for key, value in message.items() if key != "time"}
        for message in messages
        if message["type"] == "info"
    ]


@pytest.mark.parametrize("faults", [[], ["crc:1/3"], ["noise"], ["echo"], ["drop:1"]])
async def test_a_kmp_session_replays(tmp_path: Path, faults: list[str]) -> None:
    meter = KamstrupMeter(faults=parse_faults(faults, FAULTS), reply_delay=0.0, rate=100_000.0)
    async with on_tcp(meter) as address:
        session = await record("kamstrup", f"socket://{address}", KAMSTRUP, count=3)
    assert session.error is None
    messages, client = await replay(written(session, tmp_path / "kmp.rec"))
    assert len(values(messages)) == 3
    assert values(messages) == values(session.messages)
    assert identities(messages) == identities(session.messages)
    assert client.health["valid_readings"] == 3


@pytest.mark.parametrize(
    ("model", "table"),
    [("multical_66c", {"model": "multical_66c"}), ("multical_401", {}), ("iec62056_21", {})],
)
async def test_an_iec_session_replays(tmp_path: Path, model: str, table: dict[str, Any]) -> None:
    async with on_pty(Iec62056Meter(model, reply_delay=0.0)) as path:
        session = await record("iec62056_21", path, table)
    assert session.error is None
    messages, _ = await replay(written(session, tmp_path / "iec.rec"))
    assert values(messages)
    assert values(messages) == values(session.messages)
    assert identities(messages) == identities(session.messages)


async def test_recorded_time_is_kept(tmp_path: Path) -> None:
    async with on_tcp(KamstrupMeter(reply_delay=0.3)) as address:
        session = await record("kamstrup", f"socket://{address}", KAMSTRUP)
    file = written(session, tmp_path / "kmp.rec")
    loop = asyncio.get_running_loop()
    started = loop.time()
    await replay(file, once=True, speed="1")
    # Three answers after 0.3 s each: a lower bound, which load cannot break.
    assert loop.time() - started > 0.8


async def test_a_recorded_failure_fails_again(tmp_path: Path) -> None:
    meter = KamstrupMeter(faults=parse_faults(["crc"], FAULTS), reply_delay=0.0)
    async with on_tcp(meter) as address:
        session = await record("kamstrup", f"socket://{address}", {**KAMSTRUP, "retries": 1})
    assert session.error is not None
    with pytest.raises(ProtocolError) as raised:
        await replay(written(session, tmp_path / "kmp.rec"))
    assert raised.value.reason == session.error.reason == "damaged_answers"


async def test_a_loop_goes_on(tmp_path: Path) -> None:
    async with on_tcp(KamstrupMeter(reply_delay=0.0)) as address:
        session = await record("kamstrup", f"socket://{address}", KAMSTRUP)
    settings = ReplaySettings(file=written(session, tmp_path / "kmp.rec"), speed=Decimal(0), loop=True)
    readings: list[Message] = []

    class EnoughError(Exception):
        pass

    async def note(message: Message) -> None:
        if message["type"] == "reading":
            readings.append(message)
        if len(readings) == 5:
            raise EnoughError

    with pytest.raises(EnoughError):
        await ReplayClient("m", settings).run(note)
    assert values(readings) == values(session.messages) * 5


async def test_any_client_works_over_the_replay_url(tmp_path: Path) -> None:
    async with on_tcp(KamstrupMeter(reply_delay=0.0)) as address:
        session = await record("kamstrup", f"socket://{address}", KAMSTRUP)
    file = written(session, tmp_path / "kmp.rec")
    again = await record("kamstrup", f"replay:{file}", KAMSTRUP)
    assert again.error is None
    assert values(again.messages) == values(session.messages)
    # What is recorded of a replay is the recording, but for its times.
    assert [burst.payload for burst in again.recording.bursts] == [
        burst.payload for burst in session.recording.bursts
    ]


class Talker:
    """Sends by itself what it is given."""

    def __init__(self, *bursts: bytes) -> None:
        self._bursts = bursts

    async def serve(self, line: Any) -> None:
        for burst in self._bursts:
            await line.write(burst)
            await asyncio.sleep(0.12)


async def test_a_stream_is_recorded_without_a_client(tmp_path: Path) -> None:
    talker: EmulatedMeter = Talker(b"/ABC5x\r\n", b"!\r\n")
    async with on_tcp(talker) as address:
        session = await record_line(f"socket://{address}", LineSettings(115_200), 0.5)
    assert [burst.payload for burst in session.recording.bursts] == [b"/ABC5x\r\n", b"!\r\n"]
    assert session.recording.line == "115200 Bd 8N1"
    again = await record_line(f"replay:{written(session, tmp_path / 'p1.rec')}", LineSettings(115_200), 5)
    assert [burst.payload for burst in again.recording.bursts] == [b"/ABC5x\r\n", b"!\r\n"]


async def test_keys_and_ports_are_never_recorded(tmp_path: Path) -> None:
    file = tmp_path / "empty.rec"
    file.write_text(format_recording(Recording((Burst(0, "<", b"x"),))))
    secret = "0123456789ABCDEF0123456789ABCDEF"
    session = await record(
        "dsmr", f"replay:{file}", {"key": secret, "authentication_key": secret, "interval": "5s"}
    )
    assert isinstance(session.error, RecordingEndedError)
    assert session.recording.settings == {"interval": '"5s"'}
    assert secret not in format_recording(session.recording)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no recording in it"),
        ("smart-meter-reader recording 1\n0 < zz\n", "line 2: 'zz' is neither"),
        ("smart-meter-reader recording 1\n", "does not say which client it is for"),
        ("smart-meter-reader recording 1\nclient: fax\n", "names the client 'fax'"),
        ("smart-meter-reader recording 1\nclient: dsmr\nsetting dialect = dutch\n", "is no TOML"),
        ("smart-meter-reader recording 1\nclient: dsmr\nsetting colour = 1\n", "colour: unknown key"),
        (b"\xff\x00", "is no text"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
async def test_a_file_that_cannot_be_used_is_explained(
    tmp_path: Path, text: str | bytes | None, said: str
) -> None:
    file = tmp_path / "x.rec"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TransportError) as raised:
        await replay(file)
    assert raised.value.reason == "recording_unusable"
    assert str(file) in raised.value.detail
    assert said in raised.value.detail


async def test_a_request_that_was_never_recorded_stays_unanswered(tmp_path: Path) -> None:
    async with on_tcp(KamstrupMeter(reply_delay=0.0)) as address:
        session = await record("kamstrup", f"socket://{address}", KAMSTRUP)
    recording = replace(session.recording, settings={"registers": '["volume_flow"]', "retries": "0"})
    file = tmp_path / "other.rec"
    file.write_text(format_recording(recording))
    with pytest.raises(ExplainedError) as raised:
        await replay(file, once=True)
    assert raised.value.reason == "no_echo_no_answer"
