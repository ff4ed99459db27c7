"""The sockets that bytes go over, as far as all of them are alike, and what TLS keeps of them."""

from __future__ import annotations

import ssl
from typing import Final, Protocol

TRY_LATER: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class RawSocket(Protocol):
    """What a TCP socket, a TLS socket and a websocket have in common."""

    def recv(self, length: int, /) -> bytes: ...
    def send(self, content: bytes | bytearray, /) -> int: ...
    def close(self) -> None: ...
    def fileno(self) -> int: ...
    def setblocking(self, flag: bool, /) -> None: ...


def decrypted_bytes(raw: RawSocket) -> int:
    """Bytes that select() does not show, as TLS has decrypted them already."""
    return raw.pending() if isinstance(raw, ssl.SSLSocket) else 0
