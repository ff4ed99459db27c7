"""The sink `stdout`: one JSON object a line for programs, or a table for people."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import queue
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal, TextIO

from smart_meter_reader.json_text import dumps
from smart_meter_reader.messages import STARTING, Info, Message, Reading, Value
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.settings.schema import setting

_log = logging.getLogger(__name__)

# More than these are left in the sink's queue, where what is dropped is counted.
MOST_WAITING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutSettings:
    """Settings of the sink `stdout`."""

    format: Literal["json", "table"] = setting(
        "json: one JSON object a line; table: for people", default="json"
    )


class StdoutSink:
    """Writes every message to standard output.

    The writing is done by a thread of its own: a reader that does not read on (a stopped pager, say) then
    fills this sink's queue and delays nothing else. When the reader has gone, the sink ends.
    """

    settings_type: ClassVar[type[StdoutSettings]] = StdoutSettings

    def __init__(self, name: str, settings: StdoutSettings) -> None:
        self.name = name
        self._settings = settings
        self._models: dict[str, str] = {}

    async def run(self, messages: AsyncIterator[Message]) -> None:
        writer = _TextWriter(sys.stdout)
        try:
            async for message in messages:
                if text := self._text(message):
                    await writer.write(text)
                if writer.failure:
                    break
            await writer.finish()
        finally:
            if writer.failure:
                _log.warning("sink %s: %s; it gets no more", self.name, writer.failure)
            elif writer.waiting:
                _log.warning("sink %s: %d messages were not read by anybody", self.name, writer.waiting)

    def _text(self, message: Message) -> str:
        if self._settings.format == "json":
            return dumps(message) + "\n"
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
    rows = [(_name(key), _digits(m["value"]), m["unit"]) for key, m in reading["measurements"].items()]
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


def _digits(value: Value) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _name(key: str) -> str:
    quantity = QUANTITIES.get(key)
    return quantity.name if quantity else key


class _TextWriter:
    """Writes to a blocking stream from a daemon thread, which a hanging reader cannot make us wait for.

    What comes while the thread still writes goes out together: a hand-over for each text would cost more
    than the writing when the loop is busy.
    """

    def __init__(self, stream: TextIO) -> None:
        self.waiting = 0  # texts handed over and not yet written
        self.failure = ""  # why nothing more can be written
        self._write = _unlocked(stream)
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
        """Wait until everything is written, or nothing more can be."""
        await self._until_fewer_than(1)

    async def _until_fewer_than(self, most: int) -> None:
        while self.waiting >= most and not self.failure:
            self._progress.clear()
            await self._progress.wait()

    def _work(self) -> None:
        failure = ""
        while not failure:
            texts = [self._texts.get()]
            while not self._texts.empty():  # nobody else takes from it
                texts.append(self._texts.get())
            try:
                self._write("".join(texts))
            except (OSError, ValueError) as error:  # ValueError: the stream has been closed
                failure = _failure(error)
            try:
                self._loop.call_soon_threadsafe(self._note, len(texts), failure)
            except RuntimeError:
                return  # the loop has ended while a reader kept us waiting

    def _note(self, written: int, failure: str) -> None:
        self.waiting -= written
        self.failure = failure
        self._progress.set()


def _failure(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return f"standard output cannot be written ({error.strerror})"
    return "whoever read standard output has gone"


def _unlocked(stream: TextIO) -> Callable[[str], None]:
    """How to write at once: past the stream's buffer, whose lock would else hang the end of the process."""
    stream.flush()
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:  # text in memory

        def write(text: str) -> None:
            stream.write(text)

        return write

    def write_bytes(text: str) -> None:
        rest = text.encode(stream.encoding, stream.errors or "strict")
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    return write_bytes
