"""The sink `stdout`: one JSON object a line for programs, or a table for people."""

from __future__ import annotations

import asyncio
import logging
import sys
import textwrap
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from smart_meter_reader.drivers import SinkDriver
from smart_meter_reader.json_text import fitting, message_text
from smart_meter_reader.messages import STARTING, Info, Message, Reading
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.rooms import Room, left_out
from smart_meter_reader.settings.schema import DriverSettings, setting
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.text_writer import TextWriter, in_journal
from smart_meter_reader.text import plain

_log = logging.getLogger(__name__)

_WIDTH = 80  # of a table
_TABLE_IN_JOURNAL = (
    'a table is for people at a terminal, and the journal tears it into lines: set format = "json", or leave '
    "this sink to runs by hand"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutSettings(DriverSettings):
    """Settings of the sink `stdout`."""

    format: Literal["json", "table"] = setting(
        "json: one JSON object a line; table: for people", default="json"
    )
    messages: tuple[Literal["reading", "status", "info"], ...] = setting(
        'which messages are written, such as ["reading"]; by default all',
        default=("reading", "status", "info"),
        identifies=False,
    )

    def __post_init__(self) -> None:
        if not self.messages:
            raise ValueError("messages: name at least one kind, or leave it out")

    @property
    def unfit_for_service(self) -> str:
        return "" if self.format == "json" else _TABLE_IN_JOURNAL

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        yield f"Printed: {printed}"


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
    def takes_standby(self) -> bool:
        return True

    @property
    def delivered(self) -> bool:
        """Whether, after ``run``, everything was written, or whoever read it had enough."""
        return self._delivered

    async def run(self, messages: AsyncIterator[Message]) -> None:
        self._delivered = False
        if self._settings.unfit_for_service and in_journal(sys.stdout):
            _log.warning("sink %s: %s", self.name, self._settings.unfit_for_service)
        writer = None
        try:
            async with asyncio.timeout(None) as until_failure:
                writer = TextWriter(self.name, sys.stdout, until_failure)
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
            # Whoever has seen enough (head -1) asked for no word about it.
            level = logging.INFO if writer.reader_gone else logging.WARNING
            _log.log(level, "sink %s: %s; it gets no more", self.name, writer.failure)
        finally:
            if writer is not None:
                writer.close()
            if writer is not None and writer.waiting and not writer.reader_gone:
                _log.warning("sink %s: %d messages may not have been read", self.name, writer.waiting)

    def _text(self, message: Message) -> str:
        text = self._whole_text(message)
        return text if message["type"] in self._settings.messages else ""

    def _whole_text(self, message: Message) -> str:
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
            case "past":
                return ""  # which this sink does not take


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
        line = f"  {name:<{name_width}}  {value} {unit}".rstrip()
        # What a meter reports of itself can be several sentences.
        lines += (
            textwrap.wrap(
                line,
                _WIDTH,
                subsequent_indent=" " * (name_width + 4),
                drop_whitespace=True,
                break_long_words=False,
                break_on_hyphens=False,
            )
            if len(line) > _WIDTH and " " in value
            else [line]
        )
    return lines


def _is_number(whole: str) -> bool:
    return whole.lstrip("-").isdigit()


def _name(key: str) -> str:
    quantity = QUANTITIES.get(key)
    return quantity.name if quantity else key


DRIVER = SinkDriver(
    sink=f"{__name__}:StdoutSink", settings=f"{__name__}:StdoutSettings", examine="", called=(), past=""
)
