"""The byte stream that clients see, whatever carries it."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Protocol, Self

from smart_meter_reader.codecs.parity import add_parity, strip_parity
from smart_meter_reader.exceptions import ExplainedError, LostError, TransportError
from smart_meter_reader.log import Seldom
from smart_meter_reader.network import stalls
from smart_meter_reader.rooms import current_heard
from smart_meter_reader.transport.inbox import PIECE, Inbox
from smart_meter_reader.transport.line import LineSettings

_log = logging.getLogger(__name__)

WRITE_TIMEOUT = 10.0


class Tap(Protocol):
    """Sees what passes a transport: bytes as they are on the line, requests before parity is added."""

    def sent(self, payload: bytes) -> None:
        """Bytes were written."""

    def received(self, payload: bytes) -> None:
        """Bytes have arrived."""

    def line_changed(self, line: LineSettings) -> None:
        """Speed or format is another one from now on."""


class Transport:
    """A byte stream to one meter, opened by ``open_transport``.

    ``software_parity``: the port carries eight bits where the line has seven and parity; reads are
    stripped of it and, while ``add_parity`` is set, writes get it. A serial server that does 7E1 itself
    ignores the eighth bit, so both are right there too; ``add_parity`` can be cleared for a peer that
    is no serial line at all. ``keep_parity`` leaves the eighth bit in what is read, for a codec that
    checks it. ``tap`` sees all that passes: see ``tape``.
    """

    def __init__(self, url: str, line: LineSettings, carrier: asyncio.Transport, inbox: Inbox) -> None:
        self.url = url
        self.line = line
        self.software_parity = False
        self.add_parity = True
        self.keep_parity = False
        self.tap: Tap | None = None
        self._carrier = carrier
        self._inbox = inbox
        self._closed = False
        self._said = Seldom()
        self._sent_at = 0.0
        self._overdue: int | None = None  # bytes that were there when a deadline had passed, not yet read
        self._heard = current_heard()
        self._loop = asyncio.get_running_loop()

    @property
    def sent_at(self) -> float:
        """The event loop's time at which the last byte written has left a line of this speed."""
        return self._sent_at

    async def read(self) -> bytes:
        """At least one byte, as soon as there is one. Raises TransportError when the stream has ended."""
        while True:
            if payload := await self._receive():
                return payload

    async def _receive(self) -> bytes:
        """What comes next; b"" when that is nothing for the reader. Raises TransportError at the end."""
        received = await self._inbox.wait_for_input()
        if not received and self._inbox.ended:
            raise self._lost()
        payload = self._unwrap(received) if received else b""
        return self._passed_on(payload) if payload else b""

    async def read_before(self, deadline: float) -> bytes:
        """As ``read``; b"" when ``deadline`` (the loop's time) has passed and all that came before is read.

        A process that stood still finds its deadlines passed while what came meanwhile lies unread in the
        system's buffers. That is given first, in pieces. What arrives after it is not, so that a line that
        babbles without end reaches its deadline too.
        """
        while deadline > self._loop.time():
            self._overdue = None
            self._inbox.wake_at(deadline)
            if payload := await self._receive():
                return payload
        # Time to look at what has come.
        if self._overdue is None:
            self._overdue = await self._inbox.gather()
        else:
            await asyncio.sleep(0)  # other tasks have their turn between the pieces
        return self._read_overdue()

    def _read_overdue(self) -> bytes:
        while self._overdue and (received := self._inbox.take(min(PIECE, self._overdue))):
            self._overdue -= len(received)
            payload = self._unwrap(received)
            if payload:
                return self._passed_on(payload)
        self._overdue = None
        if self._inbox.used_up:
            raise self._lost()
        return b""

    async def let_arrive(self, count: int) -> None:
        """Sleep while ``count`` bytes arrive at the speed of the line, instead of waking for each of them.

        They are then read as usual; so is the end of the stream. A decision, and measured: waking for each
        byte costs twice what PyKMP takes, and the system's own gathering (VMIN of a terminal, SO_RCVLOWAT of
        a socket) needs code for each carrier and a way back from each answer that is shorter.
        """
        self._inbox.pause()
        try:
            await asyncio.sleep(self.line.seconds(count))
        finally:
            self._inbox.resume()

    async def write(self, payload: bytes) -> None:
        """Send. Raises TransportError when the stream has ended or takes nothing for ten seconds."""
        if self._inbox.ended or self._closed:
            raise self._lost()
        if self.tap is not None:
            self.tap.sent(payload)
        if self.software_parity and self.add_parity:
            payload = add_parity(payload, self.line.parity)
        self._carrier.write(self._wrap(payload))
        now = self._loop.time()
        self._sent_at = max(now, self._sent_at) + self.line.seconds(len(payload))
        await self._flush()

    def take_arrived(self) -> bytes:
        """All that has arrived so far and was not read; without waiting."""
        payload = self._unwrap(self._inbox.take())
        return self._passed_on(payload) if payload else b""

    def discard_input(self) -> int:
        """Throw away what has arrived so far; the number of bytes."""
        return len(self.take_arrived())

    async def wait_sent(self) -> None:
        """Wait until what was written has left the line, by its speed (draining a port blocks the loop)."""
        await asyncio.sleep(self._sent_at - self._loop.time())

    async def change_line(self, line: LineSettings) -> None:
        """Change speed or format, after what was written has left at the old speed.

        Raises TransportError when the stream has ended or the line cannot be set so.
        """
        await self.wait_sent()
        if self._inbox.ended or self._closed:
            raise self._lost()
        await self._apply_line(line)
        self.line = line
        if self.tap is not None:
            self.tap.line_changed(line)

    async def close(self) -> None:
        """Close at once; what has not been sent is dropped. Closing twice is allowed."""
        if not self._closed:
            self._closed = True
            self._inbox.silence_alarm()
            self._carrier.abort()
            await asyncio.sleep(0)  # lets the carrier close its descriptor before the port is opened again

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _apply_line(self, line: LineSettings) -> None:
        """Carriers that have a line speed override this."""
        if self._said.first("line"):  # a meter that changes its speed would have it said at every request
            _log.info("%s has no line settings of its own: set %s at the serial server", self.url, line)

    def _wrap(self, payload: bytes) -> bytes:
        """The bytes that carry ``payload``."""
        return payload

    def _unwrap(self, received: bytes) -> bytes:
        """The payload in ``received``."""
        return received

    def _passed_on(self, payload: bytes) -> bytes:
        """What the reader gets of bytes from the line; the tap gets them as they are."""
        if self.tap is not None:
            self.tap.received(payload)
        if self._heard is not None:
            self._heard.add(payload)
        return strip_parity(payload) if self.software_parity and not self.keep_parity else payload

    async def _flush(self) -> None:
        try:
            async with stalls.timeout(WRITE_TIMEOUT):
                await self._inbox.wait_until_writable()
        except TimeoutError:
            raise TransportError(
                "write_timeout",
                f"{self.url} takes no bytes: unplug and replug the adapter or restart the server",
            ) from None
        if self._inbox.ended:
            raise self._lost()

    def _lost(self) -> ExplainedError:
        closed = f"{self.url} was closed from the other side"
        if words := self._inbox.farewell:
            again = "it is opened again by itself; look at the serial server if this repeats"
            seen = f'{closed}, which says "{words}"'
            return LostError(
                "lost", f"{seen}: {again}", f"{seen}: look at the serial server, then start this again"
            )
        seen = f"{closed} ({self._inbox.end_cause})" if self._inbox.end_cause else closed
        return LostError(
            "lost",
            f"{seen}: {self._lost_advice()}",
            f"{seen}: check the cable and its power, then start this again",
        )

    def _lost_advice(self) -> str:
        return "it is opened again by itself; check the cable and its power if this repeats"
