"""What a broker sends, cut into packets: whole, in pieces, too much, and nothing that MQTT allows."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.mqtt.sockets.incoming import (
    LONGEST_PACKET,
    Acknowledgements,
    Answer,
    BrokenStreamError,
    Incoming,
    Packet,
    Publication,
    Unreleased,
)
from tests.peers.hostile import packet

CONNACK = packet(0x20, b"\x00\x00\x00")
PUBACK = b"\x40\x02\x00\x01"
FIRST_TAKEN = Acknowledgements(((1, 0),))


def publish(topic: bytes, payload: bytes, *, qos: int = 1, properties: bytes = b"\x00") -> bytes:
    identifier = b"\x00\x07" if qos else b""
    return packet(0x30 | qos << 1, struct.pack("!H", len(topic)) + topic + identifier + properties + payload)


def packets(incoming: Incoming, received: bytes, size: int = 65536) -> list[Packet]:
    """What comes of these bytes; acknowledgements, of which several may come at once, one by one."""
    found: list[Packet] = []
    for start in range(0, len(received), size):
        incoming.receive(received[start : start + size])
        while (one := incoming.next()) is not None:
            if isinstance(one, Acknowledgements):
                found += [Acknowledgements((answer,)) for answer in one.answers]
            else:
                found.append(one)
    return found


def connected() -> Incoming:
    incoming = Incoming(mqtt_5=True)
    assert packets(incoming, CONNACK) == [Answer(CONNACK)]
    return incoming


@given(st.integers(1, 40))
def test_packets_come_whole_however_they_are_cut(size: int) -> None:
    stream = PUBACK + publish(b"a/b", b"hello", qos=0) + b"\xd0\x00" + publish(b"c", b"x" * 300)
    assert packets(connected(), stream, size) == [
        FIRST_TAKEN,
        Publication("a/b", b"hello", None),
        Answer(b"\xd0\x00"),
        Publication("c", b"x" * 300, 7),
    ]


# With a reason code, with an empty list of properties, with a reason string; and at the end of QoS 2.
TAKEN = {
    b"\x40\x02\x00\x01": Acknowledgements(((1, 0),)),
    b"\x40\x03@\x02\x10": Acknowledgements(((0x4002, 0x10),)),
    b"\x40\x04\x80\x01\x87\x00": Acknowledgements(((0x8001, 0x87),)),
    b"\x40\x08\x80\x01\x87\x04\x1f\x00\x01x": Acknowledgements(((0x8001, 0x87),)),
    packet(0x40, b"\x80\x01\x87" + packet(0, b"\x1f\x00\xc8" + 200 * b"x")[1:]): Acknowledgements(
        ((0x8001, 0x87),)
    ),
    b"\x50\x02\x80\x02": Unreleased(0x8002),
    b"\x50\x03\x80\x02\x10": Unreleased(0x8002),
    b"\x50\x03\x80\x02\x97": Acknowledgements(((0x8002, 0x97),)),
    b"\x70\x02\x80\x02": Acknowledgements(((0x8002, 0),)),
    b"\x70\x03\x80\x02\x92": Acknowledgements(((0x8002, 0x92),)),
}


@given(st.lists(st.sampled_from(sorted(TAKEN))), st.integers(1, 9))
def test_acknowledgements_come_whole_and_in_order(sent: list[bytes], size: int) -> None:
    assert packets(connected(), b"".join(sent) + b"\xd0\x00", size) == [
        *(TAKEN[each] for each in sent),
        Answer(b"\xd0\x00"),
    ]


def test_properties_of_a_message_go_no_further() -> None:
    user_properties = packet(0, b"\x26\x00\x01a\x00\x01b" * 1000)[1:]
    (found,) = packets(connected(), publish(b"a", b"hello", properties=user_properties))
    assert found == Publication("a", b"hello", 7)


def test_mqtt_3_has_no_properties() -> None:
    incoming = Incoming(mqtt_5=False)
    assert packets(incoming, b"\x20\x02\x00\x00" + publish(b"a", b"hello", properties=b"")) == [
        Answer(b"\x20\x02\x00\x00"),
        Publication("a", b"hello", 7),
    ]


@pytest.mark.parametrize("size", [1000, 65536])
def test_a_message_that_is_too_long_is_skipped_and_can_be_acknowledged(size: int) -> None:
    incoming = connected()
    kept = 0
    found: list[Packet] = []
    stream = publish(b"a/b", bytes(3_000_000)) + PUBACK
    for start in range(0, len(stream), size):
        found += packets(incoming, stream[start : start + size], size)
        kept = max(kept, incoming.waiting)
    assert [type(one) for one in found] == [Publication, Acknowledgements]
    assert isinstance(found[0], Publication)
    assert (found[0].topic, found[0].payload, found[0].identifier) == ("a/b", b"", 7)
    assert "3000008 bytes" in found[0].unusable
    assert kept <= size


def test_a_message_as_long_as_allowed_is_taken() -> None:
    (found,) = packets(connected(), publish(b"a", bytes(LONGEST_PACKET - 6)))
    assert found == Publication("a", bytes(LONGEST_PACKET - 6), 7)
    (found,) = packets(connected(), publish(b"a", bytes(LONGEST_PACKET - 5)))
    assert isinstance(found, Publication)
    assert found.unusable


def test_a_topic_that_is_no_text_costs_its_message() -> None:
    (found, _) = packets(connected(), publish(b"\xff\xfe", b"x") + PUBACK)
    assert isinstance(found, Publication)
    assert (found.identifier, found.payload, "UTF-8" in found.unusable) == (7, b"", True)


@pytest.mark.parametrize(
    ("stream", "what"),
    [
        (b"\x00\x00", "00h (reserved)"),
        (b"\xf0\x00", "F0h (AUTH)"),
        (b"\x10\x00", "10h (CONNECT)"),
        (b"\x82\x00", "82h (SUBSCRIBE)"),
        (b"\xc0\x00", "C0h (PINGREQ)"),
        (b"\x62\x02\x00\x01", "62h (PUBREL)"),
        (b"\xb0\x02\x00\x01", "B0h (UNSUBACK)"),
        (b"\x41\x02\x00\x01", "41h (PUBACK)"),
        (b"\x40\x01\x00", "PUBACK that ends within its identifier"),
        (b"\x50\x00", "PUBREC that ends within its identifier"),
        (b"\x30\xff\xff\xff\xff\x01", "more than four bytes"),
        (b"\xd0\xff\xff\xff\xff", "more than four bytes"),
        (packet(0x90, bytes(5000)), "SUBACK of 5000 bytes"),
        (b"\xe0\xff\xff\xff\x7f", "DISCONNECT of 268435455 bytes"),
        (b"\x34\x05\x00\x01a\x00\x01", "QoS 2"),
        (b"\x36\x05\x00\x01a\x00\x01", "QoS 3"),
        (b"\x32\x03\x00\x01a", "ends within its topic"),
        (b"\x30\x00", "ends within its topic"),
        (b"\x30\x03\x00\x09a", "ends within its topic"),
        (b"\x32\x06\x00\x01a\x00\x00\x00", "identifier 0"),
        (publish(b"", b"x"), "without a topic"),
        (publish(b"a", b"", properties=b"\x05x"), "properties do not end"),
        (publish(b"a", b"", properties=b""), "properties do not end"),
        (CONNACK, "CONNACK after CONNACK"),
    ],
)
def test_what_no_broker_may_send_is_told(stream: bytes, what: str) -> None:
    with pytest.raises(BrokenStreamError) as caught:
        packets(connected(), stream)
    assert what in str(caught.value)


@pytest.mark.parametrize("stream", [PUBACK, publish(b"a", b"b"), b"\xd0\x00", b"\xe0\x00"])
def test_nothing_comes_before_connack(stream: bytes) -> None:
    with pytest.raises(BrokenStreamError, match="before CONNACK"):
        packets(Incoming(mqtt_5=True), stream)


def test_mqtt_3_has_no_disconnect() -> None:
    incoming = Incoming(mqtt_5=False)
    packets(incoming, b"\x20\x02\x00\x00")
    with pytest.raises(BrokenStreamError, match="DISCONNECT"):
        packets(incoming, b"\xe0\x00")


@given(st.binary(max_size=2000), st.integers(1, 200), st.booleans())
def test_anything_at_all_gives_packets_or_our_error(junk: bytes, size: int, mqtt_5: bool) -> None:
    incoming = Incoming(mqtt_5=mqtt_5)
    packets(incoming, CONNACK if mqtt_5 else b"\x20\x02\x00\x00", size)
    with suppress(BrokenStreamError):
        for one in packets(incoming, junk, size):
            assert not isinstance(one, Answer) or len(one.packet) < 5000


def test_a_hundred_kilobytes_in_single_bytes_stay_under_the_limit() -> None:
    incoming = connected()
    for octet in publish(b"a", bytes(LONGEST_PACKET * 2)):
        incoming.receive(bytes((octet,)))
        incoming.next()
        assert incoming.waiting <= LONGEST_PACKET
