"""What either sink says of the same meters, byte for byte: entities are people's history, and never move.

After a change that is meant: ``python -m tests.sinks.home_assistant.test_golden`` writes the files anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader import __version__
from smart_meter_reader.messages import Current
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantPresenter, HomeAssistantSettings
from smart_meter_reader.sinks.home_assistant.rest_states import States

DATA = Path(__file__).parents[2] / "data" / "home_assistant"
NOON = datetime(2026, 2, 1, 12, 0, 0, 987654, tzinfo=UTC)
LATER = NOON.astimezone(timezone(timedelta(hours=2))) + timedelta(minutes=5)

MESSAGES: tuple[Current, ...] = (
    {
        "type": "status",
        "meter": "heat",
        "time": NOON,
        "state": "offline",
        "reason": "starting",
        "detail": "Nothing has been read yet.",
        "health": {"valid_readings": 0, "damaged_frames": 0, "rejected_values": 0, "reconnects": 0},
    },
    {
        "type": "info",
        "meter": "heat",
        "time": NOON,
        "manufacturer": "Kamstrup",
        "model": "MULTICAL 403",
        "serial_number": "12345678",
        "firmware": "C1",
        "interval": 3600,
    },
    {
        "type": "reading",
        "meter": "heat",
        "time": NOON,
        "measurements": {
            "heat_energy": {"value": Decimal("227.450"), "unit": "GJ"},
            "cooling_energy": {"value": Decimal("1.0"), "unit": "GJ"},
            "volume": {"value": Decimal("8456.12"), "unit": "m3"},
            "volume_flow": {"value": Decimal(74), "unit": "l/h"},
            "flow_temperature": {"value": Decimal("68.10"), "unit": "°C"},
            "temperature_difference": {"value": Decimal("7.6"), "unit": "K"},
            "cop": {"value": Decimal("3.2"), "unit": ""},
            "info_code": {"value": 0, "unit": ""},
            "hour_counter": {"value": 84208, "unit": "h"},
            "text_message": {"value": "", "unit": ""},
            "register_1234": {"value": Decimal("1E+3"), "unit": "kWh"},
            "vendor_word": {"value": "é" * 300, "unit": ""},
            "power": {"value": Decimal("NaN"), "unit": "kW"},
        },
    },
    {
        "type": "status",
        "meter": "heat",
        "time": NOON,
        "state": "online",
        "reason": "",
        "detail": "",
        "health": {
            "valid_readings": 3,
            "damaged_frames": 1,
            "retries": 2,
            "rejected_values": 1,
            "reconnects": 1,
            "left_out": 1,
            "internal_errors": 1,
            "latency_ms": 412,
            "requests_24h": 24,
            "wake_ups_24h": 2,
            "last_valid": NOON,
        },
    },
    {
        "type": "info",
        "meter": "p1-gas",
        "time": NOON,
        "via": "p1",
        "serial_number": "G42",
        "interval": 10,
    },
    {
        "type": "reading",
        "meter": "p1-gas",
        "time": NOON,
        "measurements": {
            "gas_volume": {"value": Decimal("1234.567"), "unit": "m3", "measured_at": LATER},
        },
    },
    {
        "type": "reading",
        "meter": "p1",
        "time": LATER,
        "authentication": "verified",
        "measurements": {
            "active_energy_import": {"value": Decimal("1234.567"), "unit": "kWh"},
            "active_power_import": {"value": Decimal("0.512"), "unit": "kW"},
            "reactive_energy_import": {"value": Decimal("4.5"), "unit": "kvarh"},
            "last_power_failure_end": {"value": "2026-01-31T12:00:00", "unit": ""},
            "text_message": {"value": "hello", "unit": ""},
        },
    },
    {
        "type": "reading",
        "meter": "heat",
        "time": LATER,
        "authentication": "none",
        "measurements": {
            "heat_energy": {"value": Decimal("63.179"), "unit": "MWh"},
            "cooling_energy": {"value": "12,5", "unit": "GJ"},
            "cop": {"value": Decimal("3.25"), "unit": ""},
            "vendor_word": {"value": 5, "unit": ""},
            "power": {"value": Decimal("12.5"), "unit": "kW"},
        },
    },
    {
        "type": "reading",
        "meter": "p1",
        "time": LATER,
        "authentication": "failed",
        "measurements": {
            "last_power_failure_end": {"value": "2026-01-31T12:00:00+01:00", "unit": ""},
            "text_message": {"value": "", "unit": ""},
        },
    },
    {
        "type": "status",
        "meter": "p1",
        "time": LATER,
        "state": "alert",
        "reason": "no_key",
        "detail": 'The telegrams are encrypted: set "decryption_key".',
    },
    {
        "type": "status",
        "meter": "heat",
        "time": LATER,
        "state": "offline",
        "reason": "r" * 300,
        "detail": "It does not answer.",
    },
    {"type": "info", "meter": "heat", "time": LATER, "model": "m" * 300, "dialect": "x"},
    {"type": "info", "meter": "p1", "time": LATER},
)


def mqtt() -> Iterator[str]:
    """A line for each message that the MQTT sink publishes: topic and payload."""
    settings = HomeAssistantSettings(
        service="reader", heat_energy_unit="kWh", gas_equivalent=Decimal("31.65")
    )
    presenter = HomeAssistantPresenter(settings, NOON)
    for message in MESSAGES:
        yield from map(_published, presenter.present(message))
    yield from map(_published, presenter.announce())
    yield from map(_published, presenter.farewell())


def rest() -> Iterator[str]:
    """A line for each state that the REST sink posts: entity and body."""
    states = States()
    for message in MESSAGES:
        states.take(message)
        yield from _posted(states)
    states.part()
    yield from _posted(states)


def _published(message: MqttMessage) -> str:
    version = json.dumps(__version__)
    payload = str(message.payload).replace(f'"sw":{version}', '"sw":"(version)"')
    return f"{message.topic} {message.qos} {message.retain} {payload}"


def _posted(states: States) -> Iterator[str]:
    for entity_id, state in states.pending():
        states.delivered(entity_id, state)
        yield f"{entity_id} {state.payload().decode()}"


@pytest.mark.parametrize("sink", [mqtt, rest])
def test_not_a_byte_moves(sink: Callable[[], Iterator[str]]) -> None:
    known = (DATA / f"{sink.__name__}.txt").read_text(encoding="utf-8").splitlines()
    assert list(sink()) == known


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    for say in (mqtt, rest):
        text = "".join(f"{line}\n" for line in say())
        (DATA / f"{say.__name__}.txt").write_text(text, encoding="utf-8")
