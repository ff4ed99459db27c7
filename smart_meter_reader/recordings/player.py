"""A recording in a meter's place: answers recorded requests with the recorded answers, in recorded time."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from smart_meter_reader.exceptions import ExplainedError, RecordingEndedError, TransportError
from smart_meter_reader.files import read_small_text
from smart_meter_reader.log import Seldom
from smart_meter_reader.recordings.text import Burst, Recording, RecordingError, parse_recording
from smart_meter_reader.transport.inbox import Inbox
from smart_meter_reader.transport.line import LineSettings
from smart_meter_reader.transport.stream import Transport

_log = logging.getLogger(__name__)

# After the last answer the client still decides what to make of it: the longest silence that one waits for.
_AFTERMATH = 10.0
# A stream that begins again does so after a pause, as between telegrams; in milliseconds.
_LOOP_PAUSE = 1000
# As much as a recorder writes of 16 MiB that passed.
_LARGEST_RECORDING = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came back; ``request`` is b"" for what the meter sent before anything was asked."""

    request: bytes
    at: int
    answers: tuple[Burst, ...]

    @property
    def end(self) -> int:
        """When its last byte passed, in milliseconds."""
        return self.answers[-1].at if self.answers else self.at


def exchanges_of(recording: Recording) -> tuple[Exchange, ...]:
    """The recording as requests, each with its answers; first, without a request, what came by itself."""
    requests: list[tuple[Burst, list[Burst]]] = []
    unasked: list[Burst] = []
    for burst in recording.bursts:
        if burst.direction == ">":
            requests.append((burst, []))
        else:
            (requests[-1][1] if requests else unasked).append(burst)
    first = (Exchange(b"", 0, tuple(unasked)),) if unasked else ()
    asked = tuple(Exchange(request.payload, request.at, tuple(answers)) for request, answers in requests)
    return first + asked


class Player:
    """Plays one recording to one client, over as many connections as that makes.

    ``speed`` 2 halves all pauses; 0 leaves them out, each burst then comes as soon as it is read. With
    ``loop`` it begins again at the end. Requests are met by the next recorded one that is equal; one that
    stands only before that is answered too, and one that was never recorded is not, as by a meter.
    """

    def __init__(self, recording: Recording, *, speed: float = 1.0, loop: bool = False) -> None:
        self._exchanges = exchanges_of(recording)
        self._speed = speed
        self._loop = loop
        self._position = 0  # of the next exchange
        self._due: deque[tuple[float, bytes]] = deque()
        self._ended_at = 0.0
        self._strange = Seldom()
        self.last_words_taken = False  # the client has told the last reading: no need to wait for it

    @property
    def over(self) -> bool:
        """Whether everything was played."""
        return not self._loop and not self._due and self._position >= len(self._exchanges)

    @property
    def is_stream(self) -> bool:
        """Whether the meter sends by itself, and is never asked."""
        return all(not exchange.request for exchange in self._exchanges)

    async def open(self, url: str, line: LineSettings, connect_timeout: float) -> Transport:
        """A connection to the recorded meter, whatever the port. Raises RecordingEndedError."""
        if self.over:
            raise ended(url)
        self.play_unasked(asyncio.get_running_loop().time())
        return ReplayTransport(url, line, self)

    def pause_before_next(self) -> float | None:
        """Seconds from the end of the exchange just played to the next request; None when none is left."""
        if self._position >= len(self._exchanges):
            return 0.0 if self._loop and not self.is_stream else None
        if not self._position or not self._speed:
            return 0.0
        before, following = self._exchanges[self._position - 1 : self._position + 1]
        return max(0, following.at - before.end) / 1000 / self._speed

    def asked(self, request: bytes, now: float) -> None:
        """Line up the answer to a request. Raises LookupError when the recording is over."""
        found = self._find(request)
        if found is None:
            if self.over:
                raise LookupError
            if self._strange.first(request):
                _log.info(
                    "the recording has no request %s: it stays without an answer", request.hex(" ").upper()
                )
            return
        exchange = self._exchanges[found]
        self._ended_at = now
        self._line_up(exchange.answers, exchange.at, now)

    def next_burst(self, now: float) -> tuple[float, bytes] | None:
        """When the next bytes are due, and the bytes; None when nothing comes unless something is asked."""
        if not self._due and self._loop and self.is_stream and self._exchanges:
            self._position = 0
            self.play_unasked(now + (_LOOP_PAUSE / 1000 / self._speed if self._speed else 0.0))
        return self._due[0] if self._due else None

    def take(self, now: float) -> bytes:
        """Remove the bytes that ``next_burst`` told of."""
        self._ended_at = now
        return self._due.popleft()[1]

    def take_due(self, now: float) -> bytes:
        """Remove all that has arrived by now."""
        taken = b""
        while self._due and self._due[0][0] <= now:
            taken += self.take(now)
        return taken

    def patience_ends(self, now: float) -> float:
        """Until when a client that reads on after the end waits for its own time limit."""
        return now if self.is_stream or self.last_words_taken else max(now, self._ended_at + _AFTERMATH)

    def _find(self, request: bytes) -> int | None:
        for index in chain(range(self._position, len(self._exchanges)), range(self._position)):
            if self._exchanges[index].request != request:
                continue
            if index >= self._position or self._loop:
                self._position = index + 1
            elif self.over:
                return None
            return index
        return None

    def play_unasked(self, now: float) -> None:
        """Line up what the meter sends by itself, if that was not played yet."""
        if self._position == 0 and self._exchanges and not self._exchanges[0].request:
            self._position = 1
            self._line_up(self._exchanges[0].answers, 0, now)

    def _line_up(self, answers: Sequence[Burst], since: int, now: float) -> None:
        for burst in answers:
            delay = (burst.at - since) / 1000 / self._speed if self._speed else 0.0
            self._due.append((now + delay, burst.payload))


class ReplayTransport(Transport):
    """A connection to a recorded meter."""

    def __init__(self, url: str, line: LineSettings, player: Player) -> None:
        super().__init__(url, line, asyncio.Transport(), Inbox())
        self.software_parity = line.bytesize == 7
        self._player = player
        self._changed = asyncio.Event()

    async def read(self) -> bytes:
        """As of any transport. Raises RecordingEndedError when everything was played."""
        loop = asyncio.get_running_loop()
        while not self._closed:
            following = self._player.next_burst(loop.time())
            if following is not None:
                await asyncio.sleep(following[0] - loop.time())
                return self._passed_on(self._player.take(loop.time()))
            if self._player.over:
                await asyncio.sleep(self._player.patience_ends(loop.time()) - loop.time())
                raise ended(self.url)
            await self._changed.wait()
            self._changed.clear()
        raise self._lost()

    async def read_before(self, deadline: float) -> bytes:
        """As of any transport."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self.read()
        except TimeoutError:
            return self._passed_on(self._player.take_due(asyncio.get_running_loop().time()))

    async def write(self, payload: bytes) -> None:
        """As of any transport. Raises RecordingEndedError when the recording has nothing more to say."""
        if self._closed:
            raise self._lost()
        if self.tap is not None:
            self.tap.sent(payload)
        self._sent_at = asyncio.get_running_loop().time()
        try:
            self._player.asked(payload, self._sent_at)
        except LookupError:
            raise ended(self.url) from None
        self._changed.set()

    def discard_input(self) -> int:
        """As of any transport."""
        return len(self._player.take_due(asyncio.get_running_loop().time()))

    async def close(self) -> None:
        """As of any transport."""
        self._closed = True
        self._changed.set()

    async def _apply_line(self, line: LineSettings) -> None:
        """A recording is read at any speed."""

    def _lost(self) -> ExplainedError:
        return TransportError("closed", f"{self.url} is not open any more")


def open_replay(url: str, path: Path, line: LineSettings) -> Transport:
    """Replay the recording in a file in recorded time. Raises TransportError (``recording_unusable``)."""
    player = Player(load_recording(path))
    player.play_unasked(asyncio.get_running_loop().time())
    return ReplayTransport(url, line, player)


def load_recording(path: Path) -> Recording:
    """The first recording in a file. Raises TransportError (``recording_unusable``)."""
    try:
        return parse_recording(read_small_text(path.expanduser(), _LARGEST_RECORDING))
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        problem = "is no text: `smart-meter-reader record` makes recordings"
    except RecordingError as error:
        problem = f"is no recording that can be used: {error}"
    raise TransportError("recording_unusable", f"{path} {problem}")


def ended(url: str) -> RecordingEndedError:
    """The error that says that everything was played."""
    return RecordingEndedError("recording_ended", f"{url}: the recording is over")
