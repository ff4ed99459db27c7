"""What M-Bus meters tell, at a real Mosquitto: Home Assistant and Homie have no complaint about any of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from smart_meter_reader.codecs.mbus.frame import FrameReader, LongFrame
from smart_meter_reader.codecs.mbus.measured import measured_in
from smart_meter_reader.codecs.mbus.telegram import parse_telegram
from smart_meter_reader.exceptions import FrameError, ProtocolError
from smart_meter_reader.messages import Message
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantSettings, HomeAssistantSink
from smart_meter_reader.sinks.homie.sink import HomieSettings, HomieSink
from tests.codecs.mbus.captures import CAPTURES, SHARKY
from tests.peers.feed import Feed
from tests.peers.mosquitto import Mosquitto
from tests.peers.mqtt_recorder import recording
from tests.validators.home_assistant import HomeAssistant
from tests.validators.homie import HomieValidator

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)


def measured(raw: bytes) -> dict[str, Measurement]:
    """What a client publishes of a capture; nothing of one that cannot be read."""
    reader = FrameReader()
    reader.receive_data(raw)
    try:
        frame = reader.next_frame()
        return measured_in(parse_telegram(frame)) if isinstance(frame, LongFrame) else {}
    except (FrameError, ProtocolError):
        return {}


def messages() -> list[Message]:
    """A meter for each capture, with one reading."""
    found: list[Message] = []
    wires = {name: bytes.fromhex(entry["bytes_hex"]) for name, entry in CAPTURES.items()} | {"sharky": SHARKY}
    for name, raw in wires.items():
        if told := measured(raw):
            found.append({"type": "info", "meter": name, "time": NOON, "interval": 60})
            found.append({"type": "reading", "meter": name, "time": NOON, "measurements": told})
    return found


async def test_home_assistant_takes_every_capture(broker: Mosquitto) -> None:
    feed, told = Feed(), messages()
    settings = HomeAssistantSettings(host="127.0.0.1", port=broker.port, service="test")
    with recording(broker.port) as recorder:
        running = asyncio.create_task(HomeAssistantSink("home_assistant", settings).run(feed.messages()))
        feed.put(*told)
        last = told[-1]["meter"]
        await recorder.sees(f"smart_meter_reader_ha/{last}/availability", "online")
        feed.end()
        await running
    home = HomeAssistant().feed(list(recorder.traffic))
    assert home.problems == []
    assert len(told) >= 2 * 6


async def test_homie_takes_every_capture(broker: Mosquitto) -> None:
    feed, told = Feed(), messages()
    settings = HomieSettings(host="127.0.0.1", port=broker.port)
    with recording(broker.port) as recorder:
        running = asyncio.create_task(HomieSink("homie", settings).run(feed.messages()))
        feed.put(*told)
        for message in told[1::2]:
            await recorder.sees(f"homie/{message['meter']}/$state", "ready")
        feed.end()
        await running
    assert HomieValidator().feed(recorder.traffic).problems == []
