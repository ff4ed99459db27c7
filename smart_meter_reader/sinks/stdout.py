"""The sink `stdout`: one JSON object a line for programs, or a table for people."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import os
import queue
import select
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TextIO

from smart_meter_reader.drivers import SinkDriver
from smart_meter_reader.json_text import fitting, message_text
from smart_meter_reader.messages import STARTING, Info, Message, Reading
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.rooms import Room, left_out
from smart_meter_reader.settings.schema import DriverSettings, setting
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.whole_writes import room_in
from smart_meter_reader.text import plain

_log = logging.getLogger(__name__)

# More messages than these are left in the sink's queue, where meters take turns and drops are counted.
MOST_WAITING = 100
# How long a full disk is left alone before the next attempt.
RETRY_SECONDS = 5.0
# These pass: somebody tidies the disk up, a network disk comes back.
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.ENOBUFS, errno.ETIMEDOUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutSettings(DriverSettings):
    """Settings of the sink `stdout`."""

    format: Literal["json", "table"] = setting(
        "json: one JSON object a line; table: for people", default="json"
    )


class StdoutSink(Sink):
    """Writes every message to standard output.

    The writing is done by a thread of its own: a reader that does not read on (a stopped pager, say) then
    fills this sink's queue and delays nothing else, and so does a full disk, on which writing goes on where
    it stopped as soon as it can. When the reader has gone, the sink ends.
    """

    def __init__(self, name: str, settings: StdoutSettings) -> None:
        self.name = name
        self._settings = settings
        self._models: dict[str, str] = {}
        self._delivered = True
        self._room = Room(f"sink {name}")

    @property
    def internal_errors(self) -> int:
        """How many messages could not be written for a fault of this program."""
        return self._room.errors

    @property
    def delivered(self) -> bool:
        """Whether, after ``run``, everything was written, or whoever read it had enough."""
        return self._delivered

    async def run(self, messages: AsyncIterator[Message]) -> None:
        self._delivered = False
        writer = None
        try:
            async with asyncio.timeout(None) as until_failure:
                writer = _TextWriter(self.name, sys.stdout, until_failure)
                async for message in messages:
                    if text := self._room.contain(partial(self._text, message), "", left_out(message)):
                        await writer.write(text)
                await writer.finish()
                self._delivered = True
        except TimeoutError:
            assert writer is not None
            if writer.fault is not None:
                raise writer.fault from None
            self._delivered = writer.reader_gone
            _log.warning("sink %s: %s; it gets no more", self.name, writer.failure)
        finally:
            if writer is not None and writer.waiting:
                _log.warning("sink %s: %d messages may not have been read", self.name, writer.waiting)

    def _text(self, message: Message) -> str:
        if self._settings.format == "json":
            return fitting(sys.stdout, message_text(message)) + "\n"
        return self._table(message)

    def _table(self, message: Message) -> str:
        match message["type"]:
            case "info":
                self._models[message["meter"]] = _model(message)
                return ""
            case "status":
                # "online" is plain from the readings; what matters is why there are none.
                if message["state"] == "online" or message["reason"] == STARTING:
                    return ""
                return f"{message['meter']} is {message['state']}: {message['detail']}\n\n"
            case "reading":
                return reading_table(message, self._models.get(message["meter"], ""))


def _model(info: Info) -> str:
    return " ".join(part for part in (info.get("manufacturer"), info.get("model")) if part)


def reading_table(reading: Reading, model: str = "") -> str:
    """A reading as lines for a person: a heading, then name, value and unit with the points aligned."""
    when = reading["time"].astimezone().strftime("%Y-%m-%d %H:%M:%S")
    heading = " · ".join(part for part in (reading["meter"], model, when) if part)
    rows = [(_name(key), plain(m["value"]), m["unit"]) for key, m in reading["measurements"].items()]
    return "\n".join([heading, *_aligned(rows), "", ""])


def _aligned(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    split = [(name, *value.partition("."), unit) for name, value, unit in rows]
    if not split:
        return []
    name_width = max(len(name) for name, *_ in split)
    # Only numbers take part in the alignment: a long text would push them all to the right.
    numbers = [row for row in split if _is_number(row[1])]
    whole_width = max((len(row[1]) for row in numbers), default=0)
    part_width = max((len(row[2]) + len(row[3]) for row in numbers), default=0)
    lines = []
    for name, whole, point, part, unit in split:
        if _is_number(whole):
            value = f"{whole:>{whole_width}}{point + part:<{part_width}}"
        else:
            value = whole + point + part
        lines.append(f"  {name:<{name_width}}  {value} {unit}".rstrip())
    return lines


def _is_number(whole: str) -> bool:
    return whole.lstrip("-").isdigit()


def _name(key: str) -> str:
    quantity = QUANTITIES.get(key)
    return quantity.name if quantity else key


class _TextWriter:
    """Writes to a stream from a daemon thread, which a hanging reader or full disk cannot make us wait for.

    What comes while the thread still writes goes out together: a hand-over for each text would cost more
    than the writing when the loop is busy. ``until_failure`` expires when nothing more can be written.
    """

    def __init__(self, sink: str, stream: TextIO, until_failure: asyncio.Timeout) -> None:
        self.waiting = 0  # texts handed over and not yet written
        self.failure = ""
        self.reader_gone = False
        self.fault: BaseException | None = None  # a bug that ended the thread
        self._until_failure = until_failure
        self._write = _unlocked(sink, stream)
        self._at_once = room_in(stream)
        self._texts: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._progress = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._work, name="stdout writer", daemon=True).start()

    async def write(self, text: str) -> None:
        """Hand over a text; waits while too many are waiting to be written."""
        self.waiting += 1
        self._texts.put(text)
        await self._until_fewer_than(MOST_WAITING)

    async def finish(self) -> None:
        """Wait until everything is written."""
        await self._until_fewer_than(1)

    async def _until_fewer_than(self, most: int) -> None:
        while self.waiting >= most:
            self._progress.clear()
            await self._progress.wait()

    def _work(self) -> None:
        left_over = ""
        while True:
            texts = [left_over or self._texts.get()]
            left_over = ""
            while not left_over and not self._texts.empty():  # nobody else takes from it
                text = self._texts.get()
                if sum(map(len, texts)) + len(text) > self._at_once():
                    left_over = text
                else:
                    texts.append(text)
            try:
                self._write("".join(texts))
            except (OSError, ValueError) as error:  # ValueError: the stream has been closed
                self._call(self._note_failure, error)
                return
            except BaseException as error:  # noqa: BLE001 - raised again in the sink's task, which waits
                self._call(self._note_fault, error)
                return
            if not self._call(self._note, len(texts)):
                return

    def _call(self, function: Callable[..., None], argument: object) -> bool:
        try:
            self._loop.call_soon_threadsafe(function, argument)
        except RuntimeError:
            return False  # the loop has ended while a reader kept us waiting
        return True

    def _note(self, written: int) -> None:
        self.waiting -= written
        self._progress.set()

    def _note_failure(self, error: OSError | ValueError) -> None:
        self.failure = _failure(error)
        self.reader_gone = not isinstance(error, OSError) or isinstance(error, BrokenPipeError)
        self._give_up()

    def _note_fault(self, error: BaseException) -> None:
        self.fault = error
        self._give_up()

    def _give_up(self) -> None:
        try:
            self._until_failure.reschedule(self._loop.time())
        except RuntimeError:
            pass  # the sink was cancelled before


def _failure(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return f"standard output cannot be written ({error.strerror})"
    return "whoever read standard output has gone"


def _unlocked(sink: str, stream: TextIO) -> Callable[[str], None]:
    """How to write at once: past the stream's buffer, whose lock would else hang the end of the process."""
    stream.flush()
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:  # text in memory

        def write(text: str) -> None:
            stream.write(text)

        return write

    def write_bytes(text: str) -> None:
        rest, waited = text.encode(stream.encoding, stream.errors or "strict"), False
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                _wait_until_writable(descriptor)
            except OSError as error:
                if error.errno not in _PASSING:
                    raise
                if not waited:
                    _log.warning("sink %s: %s; it is tried again and again", sink, _failure(error))
                waited = True
                time.sleep(RETRY_SECONDS)
        if waited:
            _log.info("sink %s: standard output can be written again", sink)

    return write_bytes


def _wait_until_writable(descriptor: int) -> None:
    """Wait for the reader of a pipe that whoever started us made non-blocking."""
    writable = select.poll()
    writable.register(descriptor, select.POLLOUT)
    writable.poll()


DRIVER = SinkDriver(sink=f"{__name__}:StdoutSink", settings=f"{__name__}:StdoutSettings", examine="")
