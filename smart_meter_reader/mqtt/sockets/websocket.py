"""MQTT over websockets, the client's side: a socket whose bytes travel in binary frames.

Source: RFC 6455 (handshake: 4.1 and 4.2.2, frames: 5.2, masking: 5.3, control frames: 5.5). What arrives is
passed on as it comes, so that no frame, however long, is ever kept; nor is a handshake that does not end.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import time

from smart_meter_reader.mqtt.sockets.raw import TRY_LATER, RawSocket, decrypted_bytes

# The answer to the handshake: status line and headers.
_LONGEST_HEAD = 16 * 1024
_LONGEST_CONTROL = 125  # 5.5
_CONTINUATION, _BINARY, _PING, _PONG = 0, 2, 9, 10
_FINAL, _MASKED = 0x80, 0x80
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # 1.3
_CHUNK = 65536
# So many frames are looked at in one go: they may all be empty.
_FRAMES_AT_ONCE = 100


class WebSocket:
    """Looks like a socket; made by ``handshake``. The peer's close, or a frame that is none, is its end."""

    def __init__(self, carrier: RawSocket, received: bytes = b"") -> None:
        self._carrier = carrier
        self._received = bytearray(received)  # of a frame's header, or of a control frame
        self._left = 0  # bytes of a data frame still to come
        self._unsent = bytearray()
        self._taken = 0  # bytes of the caller in the frame that is being sent
        self._pong = b""
        self._ready = len(received)  # bytes received that may be payload
        self._ended = False

    def recv(self, length: int) -> bytes:
        """Payload as it has arrived; b"" at the end. Raises BlockingIOError when there is none yet."""
        for _ in range(_FRAMES_AT_ONCE):
            if self._ended:
                return b""
            if self._left and self._received:
                content = self._take(min(self._left, length))
                self._left -= len(content)
                self._ready = len(self._received)
                return content
            if self._left or not self._frame():
                self._fill(length)
        self._ready = len(self._received)
        raise BlockingIOError

    def send(self, content: bytes | bytearray) -> int:
        """Send in one frame; 0 while a frame has gone out in part: then all of it is to be given again."""
        if not self._unsent:
            self._unsent += self._pong + frame(_BINARY, content)
            self._pong, self._taken = b"", len(content)
        del self._unsent[: self._carrier.send(self._unsent)]
        return 0 if self._unsent else self._taken

    def close(self) -> None:
        self._carrier.close()

    def fileno(self) -> int:
        return self._carrier.fileno()

    def pending(self) -> int:
        """Bytes that select() does not show: received already, or decrypted by TLS."""
        return self._ready + decrypted_bytes(self._carrier)

    def setblocking(self, flag: bool) -> None:
        self._carrier.setblocking(flag)

    def _take(self, count: int) -> bytes:
        content = bytes(self._received[:count])
        del self._received[:count]
        return content

    def _fill(self, length: int) -> None:
        self._ready = 0
        received = self._carrier.recv(min(length, _CHUNK))
        self._received += received
        self._ended = not received

    def _frame(self) -> bool:
        """Read the header of the next frame; False when some of it has not arrived."""
        header = self._received
        if len(header) < 2:
            return False
        opcode, length, start = header[0] & 0x0F, header[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(header) < start:
                return False
            length = int.from_bytes(header[2:start])
        # 5.1: a server masks nothing. 5.2: the bits beside opcode and end are for extensions; we have none.
        if header[1] & _MASKED or header[0] & 0x70:
            self._ended = True
        elif opcode in (_BINARY, _CONTINUATION):
            self._take(start)
            self._left = length
        else:
            return self._control(opcode, start, length)
        return True

    def _control(self, opcode: int, start: int, length: int) -> bool:
        if opcode not in (_PING, _PONG) or length > _LONGEST_CONTROL:
            self._ended = True  # close, text, or nothing that there is
            return True
        if len(self._received) < start + length:
            return False
        content = self._take(start + length)[start:]
        if opcode == _PING:
            self._answer(frame(_PONG, content))
        return True

    def _answer(self, pong: bytes) -> None:
        """Send at once, or with the next frame; 5.5.3: of several pings the last may be answered alone."""
        if self._unsent:
            self._pong = pong
            return
        self._unsent += pong
        self._taken = 0
        try:
            del self._unsent[: self._carrier.send(self._unsent)]
        except TRY_LATER:
            pass  # it goes before what is sent next


def frame(opcode: int, content: bytes | bytearray) -> bytes:
    """One whole frame, masked as a client's must be."""
    length = len(content)
    header = bytes((_FINAL | opcode,))
    if length < 126:
        header += bytes((_MASKED | length,))
    elif length < 65536:
        header += bytes((_MASKED | 126,)) + length.to_bytes(2)
    else:
        header += bytes((_MASKED | 127,)) + length.to_bytes(8)
    key = os.urandom(4)
    mask = key * (length // 4 + 1)
    masked = int.from_bytes(content) ^ int.from_bytes(mask[:length])
    return header + key + masked.to_bytes(length)


def handshake(carrier: socket.socket, host: str, port: int, path: str, *, seconds: float) -> WebSocket:
    """Ask for websockets with MQTT in them. Blocks; raises OSError, or ValueError with what was answered."""
    until = time.monotonic() + seconds
    key = base64.b64encode(os.urandom(16))
    name = f"[{host}]" if ":" in host else host
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
    carrier.sendall(request.encode())
    received = bytearray()
    while b"\r\n\r\n" not in received:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer to the websocket handshake does not end")
        if len(received) > _LONGEST_HEAD:
            raise ValueError(f"it answers with more than {_LONGEST_HEAD} bytes of headers")
        carrier.settimeout(left)
        chunk = carrier.recv(4096)
        if not chunk:
            raise ValueError("it closes the connection")
        received += chunk
    carrier.settimeout(seconds)
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    _check(head, key)
    return WebSocket(carrier, rest)


def _check(head: bytes, key: bytes) -> None:
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    if not status.startswith("HTTP/1.1 101"):
        raise ValueError(f"it answers {status[:60]!r}")
    digest = hashlib.sha1(key + _GUID, usedforsecurity=False).digest()
    if headers.get("sec-websocket-accept") != base64.b64encode(digest).decode():
        raise ValueError("its answer is to another question than ours")
