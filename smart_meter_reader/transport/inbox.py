"""What has arrived from a meter and was not read yet, whatever carries it."""

from __future__ import annotations

import asyncio
import os
import re

from smart_meter_reader.network import stalls

# A line at 115,200 Bd brings 11.5 kB a second: whoever has not read for this long is given no more.
INPUT_LIMIT = 256 * 1024
# So much at a time is given to a reader: some telegrams, which take a few milliseconds to parse.
PIECE = 4096
# What a serial server says before it hangs up (ser2net: "Port already in use"): a few words, and nothing but
# them and commands of telnet. No meter's name or number looks like that.
LONGEST_FAREWELL = 120
_FAREWELL = re.compile(rb"(?:\xff[\xfb-\xfe].)*([A-Za-z]+(?:[ ,.:;'/()_-]+[A-Za-z]+)+)[.)\s]*", re.DOTALL)


class Inbox(asyncio.Protocol):
    """Collects what an asyncio transport receives, and remembers why it ended."""

    def __init__(self) -> None:
        self._input = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._carrier: asyncio.Transport | None = None
        self._paused = False
        self._alarm: asyncio.TimerHandle | None = None
        self.ended = False
        self.end_cause: BaseException | None = None
        self._first = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # pyserial-asyncio's class is an asyncio.Transport; the annotation of the base class is wider.
        self._carrier = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._input += data
        if len(self._first) <= LONGEST_FAREWELL:
            self._first += data[: LONGEST_FAREWELL + 1]
        self._arrived.set()
        if len(self._input) > INPUT_LIMIT:
            self.pause()

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, OSError):
            self._read_the_last()
        self.ended = True
        self.end_cause = exc
        self.silence_alarm()
        self._arrived.set()
        self._writable.set()

    def _read_the_last(self) -> None:
        """What a peer said as it hung up is still in the system's buffer where it was a write that failed."""
        connection = self._carrier.get_extra_info("socket") if self._carrier is not None else None
        try:
            while connection is not None and len(self._input) <= INPUT_LIMIT:
                last = os.read(connection.fileno(), PIECE)
                if not last:
                    break
                self.data_received(last)
        except OSError:
            pass  # that was all

    @property
    def farewell(self) -> str:
        """The words of a peer that said nothing else and hung up; "" for any other."""
        whole = self.ended and len(self._first) <= LONGEST_FAREWELL
        words = _FAREWELL.fullmatch(self._first) if whole else None
        return words[1].decode("ascii") if words else ""

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def take(self, most: int | None = None) -> bytes:
        """What was received and not yet taken, ``most`` bytes of it at most."""
        if most is None or len(self._input) <= most:
            received = bytes(self._input)
            self._input.clear()
            if not self.ended:
                self._arrived.clear()
        else:
            received = bytes(self._input[:most])
            del self._input[:most]
        if self._paused and len(self._input) <= INPUT_LIMIT:
            self.resume()
        return received

    def pause(self) -> None:
        """Leave what arrives to the system, which keeps some kilobytes, until ``resume``."""
        if self._carrier is not None and not self.ended and not self._paused:
            self._paused = True
            self._carrier.pause_reading()

    def resume(self) -> None:
        if self._carrier is not None and not self.ended and self._paused:
            self._paused = False
            self._carrier.resume_reading()

    def wake_at(self, deadline: float) -> None:
        """Have ``wait_for_input`` return at that time (the loop's) at the latest, and perhaps before.

        One timer stays for many deadlines, since each telegram moves its own. One for every read, made and
        cancelled, takes 3 µs more: twice what a read costs here, below a hundredth of what a telegram does.
        """
        if self._alarm is not None and self._alarm.when() <= deadline:
            return
        self.silence_alarm()
        if not self.ended:
            self._alarm = asyncio.get_running_loop().call_at(deadline, self._wake)

    def silence_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _wake(self) -> None:
        self._alarm = None
        self._arrived.set()

    async def wait_for_input(self) -> bytes:
        """Bytes as soon as there are some; b"" at the alarm, and when the stream has ended and is used up."""
        if self._arrived.is_set():
            # Otherwise whoever reads a flood would never wait, and no other task would get a turn.
            await asyncio.sleep(0)
        await self._arrived.wait()
        return self.take(PIECE)

    async def gather(self) -> int:
        """Let in what lies in the system's buffers, as far as there is room; how many bytes there are now."""
        before = -1
        while before < len(self._input) <= INPUT_LIMIT:
            before = len(self._input)
            await stalls.let_in()
        return len(self._input)

    @property
    def used_up(self) -> bool:
        """Whether the stream has ended and everything was taken."""
        return self.ended and not self._input

    async def wait_until_writable(self) -> None:
        await self._writable.wait()
