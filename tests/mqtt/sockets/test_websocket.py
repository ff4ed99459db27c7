"""Websockets from the client's side: frames of every form, and peers that do not end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.sockets.buffered_socket import BufferedSocket
from smart_meter_reader.mqtt.sockets.websocket import WebSocket, handshake
from tests.peers.hostile import WEB_SERVERS, serving

PING, PONG, CLOSE, TEXT, BINARY, CONTINUATION = 9, 10, 8, 1, 2, 0


def server_frame(opcode: int, content: bytes, *, final: bool = True) -> bytes:
    length = len(content)
    short = length if length < 126 else 126 if length < 65536 else 127
    extended = b"" if short < 126 else length.to_bytes(2 if short == 126 else 8)
    return bytes((0x80 * final | opcode, short)) + extended + content


def payload_of(frames: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The frames of a client, unmasked, and what is left."""
    found = []
    while len(frames) >= 2:
        length, start = frames[1] & 0x7F, 2
        assert frames[1] & 0x80, "not masked"
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(frames[2:start])
        if len(frames) < start + 4 + length:
            break
        key, content = frames[start : start + 4], frames[start + 4 : start + 4 + length]
        found.append((frames[0] & 0x0F, bytes(c ^ key[i % 4] for i, c in enumerate(content))))
        frames = frames[start + 4 + length :]
    return found, frames


@contextmanager
def pair() -> Iterator[tuple[WebSocket, socket.socket]]:
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    peer.setblocking(False)
    with ours, peer:
        yield WebSocket(ours), peer


def all_of(ours: WebSocket, size: int = 65536) -> bytes:
    got = b""
    try:
        while piece := ours.recv(size):
            assert len(piece) <= size
            got += piece
    except BlockingIOError:
        pass
    return got


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 100), st.integers(1, 50))
def test_payload_comes_through_however_it_is_framed_and_cut(parts: list[bytes], size: int, cut: int) -> None:
    stream = b"".join(
        server_frame(CONTINUATION if number % 2 else BINARY, part, final=bool(number % 3))
        + server_frame(PING, b"?")
        for number, part in enumerate(parts)
    )
    with pair() as (ours, peer):
        got = b""
        for start in range(0, len(stream), cut):
            peer.sendall(stream[start : start + cut])
            got += all_of(ours, size)
        assert got == b"".join(parts)
        assert ours.pending() == 0
        if parts:
            answers, rest = payload_of(peer.recv(65536))
            assert rest == b""
            assert set(answers) == {(PONG, b"?")}


@given(st.binary(max_size=200_000))
def test_what_is_sent_is_masked_and_whole(content: bytes) -> None:
    with pair() as (ours, peer):
        sent, got = 0, b""
        while not sent and content:
            try:
                sent = ours.send(content)
            except BlockingIOError:
                sent = 0
            try:
                got += peer.recv(1_000_000)
            except BlockingIOError:
                pass
        assert sent == len(content)
        frames, rest = payload_of(got)
        assert (frames, rest) == ([(BINARY, content)] if content else [], b"")


@pytest.mark.parametrize(
    "bad",
    [
        server_frame(CLOSE, b""),
        server_frame(TEXT, b"hello"),
        server_frame(3, b""),
        server_frame(11, b""),
        b"\xf2\x00",
        b"\x82\x81\x00\x00\x00\x00a",
        server_frame(PING, b"x" * 126),
    ],
)
def test_what_no_server_sends_is_the_end(bad: bytes) -> None:
    with pair() as (ours, peer):
        peer.sendall(server_frame(BINARY, b"a") + bad)
        assert all_of(ours) == b"a"
        assert ours.recv(10) == b""


def test_a_frame_without_end_is_passed_on_and_not_kept() -> None:
    with pair() as (ours, peer):
        peer.sendall(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff")
        for _ in range(50):
            peer.sendall(bytes(50_000))
            assert len(all_of(ours)) == 50_000
            assert len(ours._received) == 0


def test_empty_frames_and_pings_without_end_are_taken_in_portions() -> None:
    for one in (server_frame(BINARY, b""), server_frame(PING, b"")):
        with pair() as (ours, peer):
            peer.sendall(one * 1000 + server_frame(BINARY, b"a"))
            with pytest.raises(BlockingIOError):
                ours.recv(65536)
            assert ours.pending() > 1000
            got, turns = b"", 0
            while ours.pending():
                got += all_of(ours)
                turns += 1
            assert got == b"a"
            assert turns > 5
            assert len(ours._unsent) < 100


def test_what_the_system_does_not_show_is_told_to_whoever_waits_for_it() -> None:
    """Frames that came with others lie in this process, as does what TLS has decrypted: no select() tells."""
    with pair() as (ours, peer):
        buffered = BufferedSocket(ours)
        peer.sendall(server_frame(PING, b"") * 1000 + server_frame(BINARY, b"a"))
        pieces = [buffered.read()]
        while buffered.more:
            pieces.append(buffered.read())
        assert len(pieces) > 1
        assert b"".join(pieces) == b"a"


def test_pongs_do_not_pile_up_before_a_peer_that_does_not_read() -> None:
    with pair() as (ours, peer):
        for _ in range(2000):
            peer.sendall(server_frame(PING, b"x" * 120) * 20)
            all_of(ours)
        assert len(ours._unsent) + len(ours._pong) < 300


def shake(talk: Callable[[socket.socket], None], seconds: float = 5.0) -> WebSocket:
    """Our handshake with a server that talks so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    talk(connection)
                except OSError:
                    pass  # we have hung up

        thread = threading.Thread(target=accept)
        thread.start()
        carrier = socket.create_connection(listener.getsockname())
        try:
            return handshake(carrier, "127.0.0.1", 1, "/mqtt", seconds=seconds)
        finally:
            carrier.close()
            thread.join()


def accepting(connection: socket.socket, *, good: bool = True, more: bytes = b"") -> None:
    request = connection.recv(65536).decode()
    assert request.startswith("GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1:1\r\n")
    key = request.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode(), usedforsecurity=False)
    accept = base64.b64encode(digest.digest()).decode() if good else "x"
    head = f"HTTP/1.1 101 Switching Protocols\r\nsec-websocket-ACCEPT: {accept}\r\n\r\n"
    connection.sendall(head.encode() + more)


def test_what_comes_right_behind_the_handshake_is_not_lost() -> None:
    ours = shake(lambda connection: accepting(connection, more=server_frame(BINARY, b"early")))
    assert ours.pending()
    assert ours.recv(100) == b"early"


def flood(connection: socket.socket, piece: bytes) -> None:
    while True:
        connection.sendall(piece)


@pytest.mark.parametrize(
    ("talk", "what"),
    [
        (lambda c: flood(c, b"A" * 65536), "bytes of headers"),
        (lambda c: flood(c, b"A: b\r\n" * 1000), "bytes of headers"),
        (lambda c: c.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n"), "404"),
        (lambda c: c.sendall(b"\x1b[31m\xff\r\n\r\n"), "answers"),
        (lambda c: accepting(c, good=False), "another question"),
        (lambda c: c.sendall(b""), "closes"),
    ],
)
def test_a_handshake_that_is_none(talk: Callable[[socket.socket], None], what: str) -> None:
    with pytest.raises((ValueError, ConnectionError)) as caught:
        shake(talk)
    if isinstance(caught.value, ValueError):  # a connection may be reset before we have read all
        assert what in str(caught.value)
        assert str(caught.value).isprintable()


def test_a_handshake_in_single_bytes_ends() -> None:
    gone = threading.Event()

    def trickle(connection: socket.socket) -> None:
        try:
            while not gone.wait(0.05):
                connection.sendall(b"a")
        finally:
            gone.set()

    with pytest.raises(TimeoutError):
        shake(trickle, 0.5)
    assert gone.wait(5)


async def test_the_loop_is_left_alone_by_a_web_server_that_never_ends_its_headers() -> None:
    async with serving(WEB_SERVERS["headers without end"]) as port:
        link = Link(BrokerSettings(host="127.0.0.1", port=port, transport="websockets"), "tests", "5")
        with pytest.raises(SinkError) as caught:
            async with asyncio.timeout(20):
                await link.open()
    assert caught.value.reason == "no_websocket"
