"""What a broker sends, cut into packets and bounded before anything is kept: a function of bytes.

paho takes a packet of any length and of any kind a client could get, and reads MQTT 5's properties in
quadratic time. So it gets none before it has passed here, and no PUBLISH at all: those are read here, without
the properties, for which we have no use.

Sources: MQTT 3.1.1 and MQTT 5.0 (OASIS), the sections are the same in both unless said otherwise: 2.1 (fixed
header), 2.2.3 / 1.5.5 (remaining length), 3.3 (PUBLISH), 1.5.3 / 1.5.4 (text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

# The longest packet that we take; our own discovery of the largest meter has 50 KB.
LONGEST_PACKET = 128 * 1024
# Unacknowledged messages that the broker may have on their way to us (MQTT 5.0, 3.1.2.11.3).
RECEIVE_MAXIMUM = 20
# All packets but PUBLISH: acknowledgements, of which the longest, SUBACK, has a byte per topic filter.
_LONGEST_ANSWER = 4096

_CONNACK, _PUBLISH, _SUBACK, _PINGRESP, _DISCONNECT = 2, 3, 9, 13, 14  # 2.1.2
_PUBACK, _PUBREC, _PUBCOMP = 4, 5, 7
_FAILURE = 0x80  # MQTT 5.0, 2.4: a reason code from here on
_RESERVED_FLAGS = 0  # 2.1.3: of all packets that a broker may send us, but PUBLISH
# What a broker may send to a client that asks for QoS 1 at most and never unsubscribes.
_ANSWERS = frozenset({_CONNACK, _PUBACK, _PUBREC, _PUBCOMP, _SUBACK, _PINGRESP})
# By far the most of what comes, and several at once: PUBACK (3.4), with MQTT 5 perhaps with a reason code and
# with an empty list of properties.
_PUBACKS = re.compile(rb"(?:\x40(?:\x02..|\x03...|\x04...\x00)){1,64}", re.DOTALL)
_NAMES = (
    *("reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP"),
    *("SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"),
)


class BrokenStreamError(Exception):
    """The peer sends what no broker may send to us; says what that was."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A packet for paho, whole, and no longer than an answer can be."""

    packet: bytes


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """PUBACKs, or a PUBCOMP (3.4, 3.7): packet identifiers of ours, each with its reason code, 0 for none."""

    answers: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Unreleased:
    """A PUBREC (3.5): what was published at QoS 2 is there, and waits to be released."""

    identifier: int


@dataclass(frozen=True, slots=True)
class Publication:
    """A PUBLISH. ``identifier``: what has to be acknowledged, None at QoS 0.

    ``unusable`` says why it cannot be taken, "" when it can: that is the fault of whoever published it, not
    of the broker, and ends no link. The payload is then empty. ``retained``: it was published before we
    subscribed, and the broker has kept it (3.3.1.3).
    """

    topic: str
    payload: bytes
    identifier: int | None
    unusable: str = ""
    retained: bool = False


Packet: TypeAlias = Answer | Acknowledgements | Unreleased | Publication


class Incoming:
    """Takes bytes as they come and gives packets. It keeps ``LONGEST_PACKET`` and what came last at most."""

    def __init__(self, *, mqtt_5: bool) -> None:
        self._mqtt_5 = mqtt_5
        self._received = bytearray()
        self._skipped = 0  # bytes of a message that is too long, still to come
        self._connected = False

    @property
    def waiting(self) -> int:
        """Bytes that are kept: of a packet that is not whole, or of several that are."""
        return len(self._received)

    def receive(self, received: bytes) -> None:
        """Take more bytes; ``next`` has to be asked until it gives None before."""
        if self._skipped:
            skipped = min(self._skipped, len(received))
            self._skipped -= skipped
            received = received[skipped:]
        self._received += received

    def next(self) -> Packet | None:
        """The next packet; None when its end has not arrived. Raises BrokenStreamError."""
        if self._connected and (pubacks := _PUBACKS.match(self._received)):
            return Acknowledgements(tuple(_each_answer(self._cut(pubacks.end()))))
        header = self._header()
        if header is None:
            return None
        start, length = header
        kind = self._received[0] >> 4
        if kind == _PUBLISH and length > LONGEST_PACKET:
            return self._too_long(start, length)
        if kind != _PUBLISH and length > _LONGEST_ANSWER:
            raise BrokenStreamError(f"{_NAMES[kind]} of {length} bytes")
        if len(self._received) < start + length:
            return None
        first, packet = self._received[0], self._cut(start + length)
        if kind == _PUBLISH:
            return replace(self._publication(first, packet[start:]), retained=bool(first & 0x01))
        self._connected = True
        return _answer(kind, packet[start:]) if kind in (_PUBACK, _PUBREC, _PUBCOMP) else Answer(packet)

    def _cut(self, length: int) -> bytes:
        packet = bytes(self._received[:length])
        del self._received[:length]
        return packet

    def _header(self) -> tuple[int, int] | None:
        """Where the packet's content begins, and its length; None when that has not arrived."""
        if not self._received:
            return None
        self._check_kind(self._received[0])
        return self._variable_length(self._received, 1)

    def _check_kind(self, first: int) -> None:
        kind, flags = first >> 4, first & 0x0F
        if kind == _PUBLISH:
            # We subscribe with QoS 1: more would be kept until the broker releases it, which it may never do.
            if (flags >> 1) & 3 > 1:
                raise BrokenStreamError(f"PUBLISH with QoS {(flags >> 1) & 3}, of which we asked for none")
        elif flags != _RESERVED_FLAGS or not (kind in _ANSWERS or (kind == _DISCONNECT and self._mqtt_5)):
            raise BrokenStreamError(f"a packet that begins with {first:02X}h ({_NAMES[kind]})")
        # 3.2 and 3.1.4: CONNACK is the first packet that a broker sends, and comes once.
        if (kind == _CONNACK) == self._connected:
            raise BrokenStreamError(f"{_NAMES[kind]} {'after' if self._connected else 'before'} CONNACK")

    def _variable_length(self, octets: bytes | bytearray, start: int) -> tuple[int, int] | None:
        """A variable byte integer: where it ends, and its value; None when its end has not arrived."""
        value = 0
        for place in range(4):
            if start + place >= len(octets):
                return None
            octet = octets[start + place]
            value |= (octet & 0x7F) << 7 * place
            if octet < 0x80:
                return start + place + 1, value
        raise BrokenStreamError("a length of more than four bytes")

    def _too_long(self, start: int, length: int) -> Publication | None:
        """A message beyond the limit: its head is read, the rest skipped as it comes."""
        arrived = len(self._received) - start
        head = 4 + int.from_bytes(self._received[start : start + 2])
        if arrived < head:
            return None
        topic, identifier, _ = self._topic(self._received[0], bytes(self._received[start : start + head]))
        self._skipped = max(0, length - arrived)
        del self._received[: start + length]
        why = f"it has {length} bytes, and nothing that we read has more than {LONGEST_PACKET}"
        return Publication(topic.decode(errors="replace"), b"", identifier, why)

    def _publication(self, first: int, content: bytes) -> Publication:
        octets, identifier, start = self._topic(first, content)
        if not octets:
            raise BrokenStreamError("PUBLISH without a topic: of topic aliases we allowed none")
        if self._mqtt_5:
            header = self._variable_length(content, start)
            if header is None or header[0] + header[1] > len(content):
                raise BrokenStreamError("PUBLISH whose properties do not end")
            start = sum(header)
        try:
            topic = octets.decode()
        except UnicodeDecodeError:
            return Publication(octets.decode(errors="replace"), b"", identifier, "its topic is not UTF-8")
        return Publication(topic, content[start:], identifier)

    def _topic(self, first: int, content: bytes) -> tuple[bytes, int | None, int]:
        """Topic and packet identifier of a PUBLISH, and where what follows begins."""
        end = 2 + int.from_bytes(content[:2])
        after = end + 2 if first & 0x06 else end
        if len(content) < max(2, after):
            raise BrokenStreamError("PUBLISH that ends within its topic or identifier")
        identifier = int.from_bytes(content[end:after]) if after > end else None
        if identifier == 0:
            raise BrokenStreamError("PUBLISH with the packet identifier 0")
        return content[2:end], identifier, after


def _each_answer(pubacks: bytes) -> Iterator[tuple[int, int]]:
    """Identifier and reason code of each of several PUBACKs without properties."""
    start = 0
    while start < len(pubacks):
        end = start + 2 + pubacks[start + 1]
        yield int.from_bytes(pubacks[start + 2 : start + 4]), pubacks[start + 4] if end > start + 4 else 0
        start = end


def _answer(kind: int, content: bytes) -> Acknowledgements | Unreleased:
    """What answers a PUBLISH or a PUBREL: identifier; with MQTT 5 perhaps a reason code and properties."""
    if len(content) < 2:
        raise BrokenStreamError(f"{_NAMES[kind]} that ends within its identifier")
    identifier, code = int.from_bytes(content[:2]), content[2] if len(content) > 2 else 0
    if kind == _PUBREC and code < _FAILURE:
        return Unreleased(identifier)
    return Acknowledgements(((identifier, code),))
