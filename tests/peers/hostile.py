"""Peers that mean harm, on real sockets: brokers and serial servers that send much, for ever, or nonsense."""

from __future__ import annotations

import asyncio
import itertools
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_MADE_ANEW = 2_000_000


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[int]:
    """A TCP port on loopback whose connections are left to ``talk``; all end with the context."""
    tasks: set[asyncio.Task[None]] = set()

    async def safely(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await talk(reader, writer)
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(safely(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def in_turns(
    peers: Mapping[str, Talk], seconds: float, first: int, on_connection: Callable[[], None]
) -> Talk:
    """Each connection is left to the next of ``peers``, for ``seconds``; number ``first`` of them begins."""
    turns = itertools.islice(itertools.cycle(peers.values()), first, None)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on_connection()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await next(turns)(reader, writer)

    return talk


def packet(first: int, content: bytes) -> bytes:
    """An MQTT packet with its remaining length."""
    length, octets = len(content), bytearray()
    while True:
        octets.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return bytes((first,)) + bytes(octets) + content


class Victim:
    """One connection of ours, as the broker sees it: what it has told so far, and what is sent to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.mqtt_5 = False
        self.topics: list[str] = []

    async def send(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    def publish(
        self,
        topic: bytes,
        payload: bytes = b"",
        *,
        qos: int = 1,
        identifier: int = 1,
        properties: bytes = b"",
    ) -> bytes:
        """A PUBLISH; ``properties`` stand in it as they are, with their length, with MQTT 5."""
        content = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", identifier) if qos else b"")
        content += (properties or b"\x00") if self.mqtt_5 else b""
        return packet(0x30 | qos << 1, content + payload)

    async def request(self) -> tuple[int, bytes]:
        """The next packet of ours: its first byte and its content."""
        first = (await self._reader.readexactly(1))[0]
        length = shift = 0
        while True:
            octet = (await self._reader.readexactly(1))[0]
            length |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                return first, await self._reader.readexactly(length)

    async def let_in(self, properties: bytes = b"") -> None:
        """Answer CONNECT."""
        _, content = await self.request()
        self.mqtt_5 = content[6] == 5
        await self.send(packet(0x20, b"\x00\x00" + ((properties or b"\x00") if self.mqtt_5 else b"")))

    async def serve(self) -> None:
        """Be a well-behaved broker that keeps no message, until the connection ends."""
        while True:
            await self.answer(*await self.request())

    async def until_it_speaks(self) -> None:
        """Be well-behaved until the first SUBSCRIBE or PUBLISH is answered."""
        await self.answer(*await self.request())
        self.topics = self.topics or ["homeassistant/status"]

    async def answer(self, first: int, content: bytes) -> None:
        kind = first >> 4
        if kind == 3 and first & 0x06:
            end = 2 + int.from_bytes(content[:2])
            await self.send(packet(0x40, content[end : end + 2]))
        elif kind == 8:
            new = _filters(content[3 if self.mqtt_5 else 2 :])
            # A wildcard is filled in: then the topic is one of a meter of the name heat.
            self.topics += [topic.replace("+", "smart_meter_reader_heat") for topic in new]
            codes = bytes(1 for _ in new)
            await self.send(packet(0x90, content[:2] + (b"\x00" if self.mqtt_5 else b"") + codes))
        elif kind == 12:
            await self.send(b"\xd0\x00")


def _filters(content: bytes) -> list[str]:
    found = []
    while content:
        end = 2 + int.from_bytes(content[:2])
        found.append(content[2:end].decode())
        content = content[end + 1 :]
    return found


Attack = Callable[[Victim], Awaitable[None]]


def broker(attack: Attack, *, properties: bytes = b"", subscribed: bool = True) -> Talk:
    """A broker that lets us in, waits for what we want if so told, and attacks while it goes on serving."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        victim = Victim(reader, writer)
        await victim.let_in(properties)
        if subscribed:
            await victim.until_it_speaks()
        serving = asyncio.ensure_future(victim.serve())
        try:
            await attack(victim)
            await serving
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    return talk


def repeating(make: Callable[[Victim, int], bytes], times: int = 1_000_000_000) -> Attack:
    """Send what ``make`` gives, as fast as it is taken; after the first megabytes the same again."""

    async def attack(victim: Victim) -> None:
        pieces: list[bytes] = []
        number, size = 0, 0
        while number < times and size < _MADE_ANEW:
            piece = bytearray()
            while len(piece) < 65536 and number < times:
                piece += make(victim, number)
                number += 1
            pieces.append(bytes(piece))
            size += len(piece)
            await victim.send(pieces[-1])
        each = number // len(pieces)
        for again in itertools.cycle(pieces) if number < times else ():
            await victim.send(again)
            number += each
            if number >= times:
                return

    return attack


def sending(content: bytes) -> Attack:
    return repeating(lambda victim, number: content, 1)


def on_own_topics(make: Callable[[str, int], bytes], times: int = 1_000_000_000) -> Attack:
    """Publish to the topics that were subscribed to, in turn."""

    def one(victim: Victim, number: int) -> bytes:
        topic = victim.topics[number % len(victim.topics)]
        return victim.publish(topic.encode(), make(topic, number), identifier=number % 65535 + 1)

    return repeating(one, times)


def components(topic: str, keys: list[str], **more: object) -> bytes:
    """A discovery payload with components that claim to be ours."""
    meter = topic.split("/")[-2] if "/device/" in topic else "smart_meter_reader_heat"
    found = {key: {"p": "sensor", "uniq_id": f"{meter}_{key}", **more} for key in keys}
    service = [{"t": "smart_meter_reader_ha/availability/house"}]
    return json.dumps({"dev": {}, "o": {"name": "x"}, "cmps": found, "avty": service}).encode()


async def trickle(victim: Victim) -> None:
    """A message of 100,000 bytes, a byte a moment."""
    topic = victim.topics[0].encode()
    for octet in victim.publish(topic, b"x" * 100_000):
        await victim.send(bytes((octet,)))
        await asyncio.sleep(0.01)


async def huge(victim: Victim) -> None:
    """A message of 256 MB; a part of it, which is more than anybody should keep, arrives."""
    topic = victim.topics[0].encode()
    head = struct.pack("!H", len(topic)) + topic + b"\x00\x01"
    await victim.send(b"\x32\xff\xff\xff\x7f" + head)
    for _ in range(300):
        await victim.send(bytes(1_000_000))


_ALIAS = b"\x03\x23\x00\x01"
_USER_PROPERTIES = packet(0, b"\x26\x00\x00\x00\x00" * 20_000)[1:]

BROKERS: Mapping[str, Talk] = MappingProxyType(
    {
        "brackets": broker(on_own_topics(lambda topic, n: b"[" * 100_000, 2000)),
        "objects in objects": broker(on_own_topics(lambda topic, n: b'{"a":' * 20_000, 2000)),
        "half characters": broker(on_own_topics(lambda topic, n: components(topic, ["x\ud800", "y\x00"]))),
        "NaN": broker(on_own_topics(lambda topic, n: components(topic, ["x"], a=float("nan")))),
        "ever new keys": broker(on_own_topics(lambda t, n: components(t, [f"k{n}_{i}" for i in range(50)]))),
        "100,000 messages": broker(on_own_topics(lambda t, n: components(t, [f"k{n % 300}"]), 100_000)),
        "births without end": broker(on_own_topics(lambda topic, n: b"online")),
        "topics that are no text": broker(repeating(lambda v, n: v.publish(b"\xff\xfe" * 8, b"x"))),
        "strangers' topics": broker(repeating(lambda v, n: v.publish(b"a/%d" % n, b"x" * 100_000))),
        "256 MB": broker(huge),
        "QoS 2": broker(
            repeating(lambda v, n: v.publish(b"a", b"x" * 1000, qos=2, identifier=n % 65535 + 1))
        ),
        "QoS 3": broker(repeating(lambda v, n: b"\x36\x03\x00\x01a")),
        "alias": broker(repeating(lambda v, n: v.publish(b"", b"x", properties=_ALIAS))),
        "user properties": broker(repeating(lambda v, n: v.publish(b"a", properties=_USER_PROPERTIES))),
        "properties without end": broker(
            repeating(lambda v, n: v.publish(b"a", properties=b"\xff\xff\xff\x7f"))
        ),
        "type 0": broker(sending(b"\x00\x00" * 1000)),
        "type 15": broker(sending(b"\xf0\x00" * 1000)),
        "length of five bytes": broker(sending(b"\x30\xff\xff\xff\xff\x01" + bytes(1000))),
        "PINGREQ": broker(repeating(lambda v, n: b"\xc0\x00")),
        "PINGRESP": broker(repeating(lambda v, n: b"\xd0\x00")),
        "PUBREL": broker(repeating(lambda v, n: b"\x62\x02\x00\x01")),
        "PUBACK": broker(repeating(lambda v, n: struct.pack("!BBH", 0x40, 2, n % 65535 + 1))),
        "PUBREC": broker(repeating(lambda v, n: struct.pack("!BBH", 0x50, 2, n % 65535 + 1))),
        "SUBACK with many codes": broker(sending(packet(0x90, b"\x00\x01\x00" + bytes(120_000)))),
        "SUBACK of nothing": broker(repeating(lambda v, n: b"\x90\x03\x12\x34\x05")),
        "CONNACK again": broker(repeating(lambda v, n: packet(0x20, b"\x00\x00\x03\x13\x00\x01"))),
        "DISCONNECT": broker(sending(b"\xe0\x00"), subscribed=False),
        "DISCONNECT with nonsense": broker(sending(b"\xe0\x02\x77\x00"), subscribed=False),
        "keep alive of a second": broker(sending(b""), properties=b"\x03\x13\x00\x01"),
        "receive maximum of one": broker(sending(b""), properties=b"\x03\x21\x00\x01"),
        "receive maximum of none": broker(sending(b""), properties=b"\x03\x21\x00\x00"),
        "half a packet": broker(trickle),
        "noise": broker(repeating(lambda v, n: bytes((n * 37 + i * i) % 256 for i in range(64)))),
    }
)


async def _babble_telnet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _flood(writer, b"a" * 65536)


async def _subnegotiate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _flood(writer, b"\xff\xfa" * 32768)


async def _negotiate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    round_of_all = bytes(
        octet for option in range(256) for verb in (251, 252, 253, 254) for octet in (255, verb, option)
    )
    await _flood(writer, round_of_all * 20)


async def _never_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _flood(writer, b"\xff\xfa\x2c\x65" + b"\xff\xff" * 32768)


async def _agree_and_babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """COM-PORT is agreed to; then no setting is confirmed and much is sent."""
    writer.write(b"\xff\xfd\x2c")
    await _flood(writer, b"1-0:1.8.0(1*kWh)\r\n" * 4096)


def web_server(head: bytes, piece: bytes, pause: float = 0.0) -> Talk:
    """A web server that answers every request with ``head`` and then with ``piece`` for ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return talk


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
WEB_SERVERS: Mapping[str, Talk] = MappingProxyType(
    {
        "a status line without end": web_server(b"HTTP/1.1 200 ", b"O" * 65536),
        "a header line without end": web_server(_OK + b"A: ", b"a" * 65536),
        "headers without end": web_server(_OK, b"A: a\r\n" * 8192),
        "continue without end": web_server(b"", b"HTTP/1.1 100 Continue\r\nA: a\r\n\r\n" * 2048),
        "a body without end": web_server(_OK + b"\r\n", b"{" * 65536),
        "a body of terabytes": web_server(_OK + b"Content-Length: 9999999999999\r\n\r\n", b"{" * 65536),
        "a body of less than nothing": web_server(_OK + b"Content-Length: -1\r\n\r\n", b"{" * 65536),
        "chunks without end": web_server(_CHUNKED, b"1\r\n{\r\n" * 8192),
        "a chunk of terabytes": web_server(_CHUNKED + b"99999999999\r\n", b"{" * 65536),
        "a chunk of less than nothing": web_server(_CHUNKED + b"-1\r\n", b"{" * 65536),
        "a chunk length without end": web_server(_CHUNKED, b"1" * 65536),
        "trailers without end": web_server(_CHUNKED + b"0\r\n", b"A: a\r\n" * 8192),
        "bytes one by one": web_server(_OK + b"Content-Length: 100000\r\n\r\n", b"{", 0.05),
        "header bytes one by one": web_server(_OK + b"A: ", b"a", 0.05),
    }
)


async def _flood(writer: asyncio.StreamWriter, piece: bytes) -> None:
    while True:
        writer.write(piece)
        await writer.drain()


SERIAL_SERVERS: Mapping[str, Talk] = MappingProxyType(
    {
        "babble": _babble_telnet,
        "subnegotiations": _subnegotiate,
        "options": _negotiate,
        "a subnegotiation without end": _never_end,
        "agreement and babble": _agree_and_babble,
    }
)
