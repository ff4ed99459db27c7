"""A socket for paho that gathers what is written and reads in large pieces.

paho writes packet by packet and reads one by one the bytes of a packet's header: 22 messages at QoS 1 are
22 ``send`` and 88 ``recv`` calls. Between paho and the real socket, this makes them one or two of each.
What is read comes to paho by way of ``incoming``, packet by packet: ``give``.
"""

from __future__ import annotations

import asyncio

from smart_meter_reader.mqtt.sockets.raw import TRY_LATER, RawSocket, decrypted_bytes
from smart_meter_reader.mqtt.sockets.websocket import WebSocket

CHUNK = 65536
# More than this unsent means that the broker does not read; paho then keeps its packets itself.
MOST_UNSENT = 262_144


class BufferedSocket:
    """Looks like a non-blocking socket to paho; ``read`` and ``flush`` do the reading and writing."""

    def __init__(self, raw: RawSocket) -> None:
        self._raw = raw
        self._unread = bytearray()
        self._unsent = bytearray()
        self._was_full = False
        self.ended = False  # the peer has closed, or ``error`` happened
        self.first_bytes = b""  # what the peer said first tells what it is
        self.lingers = (
            False  # ``close`` writes only: the other end may have something to say, and not yet read
        )
        self.error: OSError | None = None  # why the peer ended, when it did not just close

    @property
    def unsent(self) -> int:
        """Bytes gathered and not yet taken by the kernel."""
        return len(self._unsent)

    @property
    def more(self) -> bool:
        """Whether there may be bytes that select() does not show."""
        raw = self._raw
        return self._was_full or bool(raw.pending() if isinstance(raw, WebSocket) else decrypted_bytes(raw))

    def read(self) -> bytes:
        """What has arrived, ``CHUNK`` at most; b"" for nothing, or when the stream has ``ended``."""
        self._was_full = False
        try:
            chunk = self._raw.recv(CHUNK)
        except TRY_LATER:
            return b""
        except OSError as error:
            self.ended, self.error = True, error
            return b""
        self.ended = not chunk
        self._was_full = len(chunk) == CHUNK
        if len(self.first_bytes) < 4:
            self.first_bytes += chunk[: 4 - len(self.first_bytes)]
        return chunk

    def give(self, packet: bytes) -> None:
        """Let ``recv`` give these bytes to paho."""
        self._unread += packet

    def flush(self) -> bool:
        """Write what was gathered; False when some of it has to wait. Raises OSError."""
        while self._unsent:
            try:
                sent = self._raw.send(self._unsent)
            except TRY_LATER:
                return False
            if not sent:
                return False  # a websocket frame that went out in part
            del self._unsent[:sent]
        return True

    def recv(self, length: int) -> bytes:
        if not self._unread:
            raise BlockingIOError
        if length >= len(self._unread):
            content = bytes(self._unread)
            self._unread.clear()
            return content
        content = bytes(self._unread[:length])
        del self._unread[:length]
        return content

    def put(self, packet: bytes) -> None:
        """Keep a packet of ours for the next ``flush``."""
        self._unsent += packet

    def send(self, content: bytes | bytearray) -> int:
        if len(self._unsent) > MOST_UNSENT:
            raise BlockingIOError
        self._unsent += content
        return len(content)

    def close(self) -> None:
        """Write what is left, as far as that goes without waiting, and close, unless it ``lingers``."""
        try:
            self.flush()
        except OSError:
            pass  # the peer is gone already
        if not self.lingers:
            self._raw.close()

    async def until_ended(self, seconds: float) -> None:
        """Leave out what still comes until the peer hangs up, so long at most."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def look() -> None:
            self.read()
            if self.ended and not ended.done():
                ended.set_result(None)

        loop.add_reader(self._raw.fileno(), look)
        try:
            async with asyncio.timeout(seconds):
                await ended
        except TimeoutError:
            pass  # it hangs up when we do
        finally:
            loop.remove_reader(self._raw.fileno())

    def fileno(self) -> int:
        return self._raw.fileno()

    def pending(self) -> int:
        return len(self._unread)

    def setblocking(self, flag: bool) -> None:
        self._raw.setblocking(flag)
