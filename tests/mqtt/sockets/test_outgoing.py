"""What we publish, as packets: the examples of the specification, and what is read is what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.sockets.incoming import Incoming, Publication
from smart_meter_reader.mqtt.sockets.outgoing import (
    FIRST_IDENTIFIER,
    LAST_IDENTIFIER,
    acknowledging_packet,
    following,
    publish_packet,
    release_packet,
)


@pytest.mark.parametrize(
    ("message", "mqtt_5", "packet"),
    [
        # MQTT 3.1.1, 3.3.2.3: topic a/b, identifier 10; MQTT 5.0, 3.3.2.4: the same without properties.
        (MqttMessage("a/b", "", 1, retain=False), False, b"\x32\x07\x00\x03a/b\x00\x0a"),
        (MqttMessage("a/b", "", 1, retain=False), True, b"\x32\x08\x00\x03a/b\x00\x0a\x00"),
        # 2.2.1 / 2.3.1: no identifier at QoS 0.
        (MqttMessage("a/b", "x", 0, retain=True), False, b"\x31\x06\x00\x03a/bx"),
        (MqttMessage("a/b", b"\xff", 2, retain=True), True, b"\x35\x09\x00\x03a/b\x00\x0a\x00\xff"),
        (MqttMessage("m³", "³", 0, retain=False), True, b"\x30\x08\x00\x03m\xc2\xb3\x00\xc2\xb3"),
    ],
)
def test_publish(message: MqttMessage, mqtt_5: bool, packet: bytes) -> None:
    assert publish_packet(message, 10, mqtt_5=mqtt_5) == packet


@pytest.mark.parametrize(
    ("remaining", "length"),
    # MQTT 3.1.1, table 2.4
    [
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (16_383, b"\xff\x7f"),
        (16_384, b"\x80\x80\x01"),
        (2_097_151, b"\xff\xff\x7f"),
        (2_097_152, b"\x80\x80\x80\x01"),
    ],
)
def test_remaining_length(remaining: int, length: bytes) -> None:
    packet = publish_packet(MqttMessage("a", bytes(remaining - 3), 0, retain=False), 1, mqtt_5=False)
    assert packet[: 1 + len(length)] == b"\x30" + length
    assert len(packet) == 1 + len(length) + remaining


@given(
    st.text(st.characters(exclude_characters="+#\0", exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.binary(max_size=20_000),
    st.integers(0, 1),
    st.booleans(),
    st.booleans(),
)
def test_what_was_written_is_read(topic: str, payload: bytes, qos: int, retain: bool, mqtt_5: bool) -> None:
    incoming = Incoming(mqtt_5=mqtt_5)
    incoming.receive(b"\x20\x03\x00\x00\x00" if mqtt_5 else b"\x20\x02\x00\x00")
    incoming.next()
    incoming.receive(publish_packet(MqttMessage(topic, payload, qos, retain), 0xFFFF, mqtt_5=mqtt_5))
    assert incoming.next() == Publication(topic, payload, 0xFFFF if qos else None, retained=retain)
    assert incoming.waiting == 0


def test_answers_of_ours() -> None:
    assert acknowledging_packet(0x8001) == b"\x40\x02\x80\x01"  # 3.4
    assert release_packet(0x8001) == b"\x62\x02\x80\x01"  # 3.6


def test_identifiers_go_round_and_are_never_those_of_paho() -> None:
    identifier, seen = LAST_IDENTIFIER, set[int]()
    for _ in range(2 * (LAST_IDENTIFIER - FIRST_IDENTIFIER + 1)):
        identifier = following(identifier)
        seen.add(identifier)
    assert seen == set(range(0x8000, 0x10000))
