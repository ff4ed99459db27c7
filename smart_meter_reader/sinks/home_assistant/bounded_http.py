"""HTTP answers that end: the standard library's, with a limit of bytes and of time for all of one answer.

Without that a server can send header lines, "100 Continue", chunks, trailers or single bytes for ever, and a
chunk of the length -1 is read to the end of the connection, whatever comes until then.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

# Status line, headers and body. A state has some kilobytes; what is longer comes from something else.
LONGEST_ANSWER = 256 * 1024


class EndlessAnswerError(http.client.HTTPException):
    """The answer is longer, or takes longer, than any answer should."""


class _Bounded(io.RawIOBase):
    """Reads from a socket until so many bytes or seconds are over."""

    def __init__(self, source: io.RawIOBase, connection: socket.socket, seconds: float) -> None:
        super().__init__()
        self._source = source
        self._connection = connection
        self._left = LONGEST_ANSWER
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the answer does not end")
        if self._left <= 0:
            raise EndlessAnswerError(f"an answer of more than {LONGEST_ANSWER} bytes")
        self._connection.settimeout(seconds)
        count = self._source.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class _BoundedAnswer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **keys: Any) -> None:
        super().__init__(sock, *arguments, **keys)
        # Nothing has been read yet, so that nothing is lost with this reader.
        source = self.fp.detach()
        self.fp = io.BufferedReader(_Bounded(source, sock, sock.gettimeout() or 0.0))


class BoundedHttp(http.client.HTTPConnection):
    """As HTTPConnection; ``timeout`` is for connecting, for sending, and for all of an answer."""

    response_class = _BoundedAnswer

    def request(self, *arguments: Any, **keys: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self.timeout)  # the last answer has left what it had over
        super().request(*arguments, **keys)


class BoundedHttps(BoundedHttp, http.client.HTTPSConnection):
    """As HTTPSConnection, with the bounds of ``BoundedHttp``."""
