"""The buffered socket: the same bytes in the same order, in fewer calls, on a real pair of sockets."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.mqtt.sockets.buffered_socket import CHUNK, MOST_UNSENT, BufferedSocket


def pair() -> tuple[BufferedSocket, socket.socket]:
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    peer.setblocking(False)
    return BufferedSocket(ours), peer


@given(st.lists(st.binary(min_size=1, max_size=100)))
def test_what_was_written_is_read(chunks: list[bytes]) -> None:
    ours, peer = pair()
    got = b""
    for chunk in chunks:
        peer.sendall(chunk)
        got += ours.read()
    peer.close()
    assert ours.read() == b""
    assert got == b"".join(chunks)
    assert ours.first_bytes == got[:4]
    assert ours.ended
    assert ours.error is None
    ours.close()


@given(st.lists(st.binary(max_size=100)))
def test_what_is_gathered_is_written_in_order(chunks: list[bytes]) -> None:
    ours, peer = pair()
    for chunk in chunks:
        assert ours.send(chunk) == len(chunk)
    with pytest.raises(BlockingIOError):
        peer.recv(1)
    assert ours.flush()
    ours.close()
    assert peer.recv(65536) == b"".join(chunks)
    peer.close()


def test_more_than_a_chunk_is_read_in_chunks() -> None:
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * CHUNK)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * CHUNK)
    buffered = BufferedSocket(ours)
    peer.sendall(bytes(CHUNK + 1))
    assert (len(buffered.read()), buffered.more) == (CHUNK, True)
    assert (len(buffered.read()), buffered.more) == (1, False)
    buffered.close()
    peer.close()


@given(st.binary(min_size=1, max_size=100), st.integers(1, 50))
def test_paho_gets_what_is_given_in_pieces_of_its_choice(packet: bytes, size: int) -> None:
    ours, peer = pair()
    ours.give(packet)
    got = b""
    while len(got) < len(packet):
        got += ours.recv(size)
    assert got == packet
    with pytest.raises(BlockingIOError):
        ours.recv(1)
    ours.close()
    peer.close()


def test_nothing_to_read_blocks() -> None:
    ours, peer = pair()
    assert ours.read() == b""
    assert not ours.ended
    with pytest.raises(BlockingIOError):
        ours.recv(1)
    ours.close()
    peer.close()


def test_a_peer_that_does_not_read_bounds_what_is_gathered() -> None:
    ours, peer = pair()
    while ours.unsent <= MOST_UNSENT:
        ours.send(bytes(4096))
        ours.flush()
    with pytest.raises(BlockingIOError):
        ours.send(b"x")
    assert MOST_UNSENT < ours.unsent <= MOST_UNSENT + 4096
    received = 0
    while not ours.flush() or ours.unsent:
        received += len(peer.recv(1_000_000))
    ours.close()
    while chunk := peer.recv(1_000_000):
        received += len(chunk)
    assert received % 4096 == 0
    peer.close()


def test_a_reset_shows_as_the_end_with_its_cause() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        raw = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        peer.close()
    raw.setblocking(False)
    ours = BufferedSocket(raw)
    assert ours.read() == b""
    assert isinstance(ours.error, ConnectionResetError)
    ours.close()
