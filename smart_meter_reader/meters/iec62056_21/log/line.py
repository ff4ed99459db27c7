"""A line to a MULTICAL 66-CDE that can also be asked for its log tables, which take up to eleven minutes.

Usable without settings or pipeline::

    async with LoggerLine("/dev/ttyUSB0") as meter:
        table, _ = await meter.ask_log("#6")
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from smart_meter_reader.codecs.iec62056_21.frame import FrameReader, Request, ShortLine
from smart_meter_reader.codecs.iec62056_21.log.plans import LOG_PLANS
from smart_meter_reader.codecs.iec62056_21.log.table import Arrived, LogTable, parse_log
from smart_meter_reader.codecs.iec62056_21.request import SHORT_ANSWER_BAUD, short_request
from smart_meter_reader.exceptions import FrameError, UnusableAnswersError
from smart_meter_reader.meters.iec62056_21.line import MeterLine, NothingCameError
from smart_meter_reader.meters.iec62056_21.silence import Heard

LineProgress: TypeAlias = Callable[[str, int, int], None]
"""Called with the logger, its lines so far, and how many there can be."""

# Start, seven bits, parity, two stop bits.
_BITS = 11
_ANSWER_DELAY = 2.0  # MULTICAL answers after 0.3 to 2 s
# A meter that sends its memory behind its table (KenanV's dump) is not listened to for ever.
_PATIENCE = 1.5
_MOST_LINES = 2000
# Eleven minutes are not spent twice for a line that was damaged.
_WORTH_REPEATING = 120.0


def log_seconds(request: str) -> float:
    """How long the full table takes on the line, by its length: 18 s for /#5, 678 s for /#7."""
    plan = LOG_PLANS[request]
    return plan.depth * plan.line_length * _BITS / SHORT_ANSWER_BAUD


@dataclass(slots=True)
class _Best:
    """The best answer so far, and how many lines the latest had."""

    table: LogTable | None = None
    began: float = 0.0
    count: int = -1

    def note(self, table: LogTable, began: float, count: int) -> None:
        self.count = count
        if self.table is None or len(table.lines) > len(self.table.lines):
            self.table, self.began = table, began


class LoggerLine(MeterLine):
    """One open line; see ``MeterLine``."""

    _arriving: tuple[str, list[Arrived], float] = "", [], 0.0

    def so_far(self, request: str) -> tuple[LogTable, float] | None:
        """Of a table whose reading was ended: what had come whole, as ``ask_log`` gives it; None: nothing."""
        asked, arrived, began = self._arriving
        whole = [line for line in arrived if isinstance(line, FrameError) or line.ended]
        return (parse_log(request, whole), began) if asked == request and whole else None

    async def ask_log(self, request: str, progress: LineProgress | None = None) -> tuple[LogTable, float]:
        """A log table ("#5" to "#9", "#J"), and when it began to arrive, by the loop's time.

        A request that brings nothing is repeated, as one is that met the meter while it calculated; so is a
        short table that came damaged, or, once, with fewer lines than it can have. The best one counts.
        Raises TransportError, and MeterSilentError or UnusableAnswersError when the repeats brought no line.
        """
        best = _Best()
        plan = LOG_PLANS[request]
        repeats = log_seconds(request) <= _WORTH_REPEATING

        async def attempt(heard: Heard, number: int) -> None:
            await self._send(short_request(request), speed=self._line.baud)
            await self._open().change_line(replace(self._line, baud=SHORT_ANSWER_BAUD))
            arrived, began = await self._collect(request, heard, progress)
            table = parse_log(request, arrived)
            before = best.count
            best.note(table, began, len(arrived))
            if table.damaged and (repeats or not table.lines):
                damage = next(doubt for doubt in table.doubts if doubt.damaged)
                raise FrameError(damage.reason, f"line {damage.number}: {damage.detail}")
            if repeats and plan.fills and before != len(arrived) < plan.depth:
                raise FrameError("line_count", f"{len(arrived)} lines of {plan.depth}")

        try:
            await self._repeat(attempt, request)
        except UnusableAnswersError:
            if best.table is None or not best.table.lines:
                raise
        assert best.table is not None
        return best.table, best.began

    async def _collect(
        self, request: str, heard: Heard, progress: LineProgress | None
    ) -> tuple[list[Arrived], float]:
        """The lines of one answer, to the silence behind them. Raises NothingCameError."""
        loop = asyncio.get_running_loop()
        reader = FrameReader()
        arrived: list[Arrived] = []
        began = 0.0
        until = loop.time() + self.timing.repeat
        end = until + log_seconds(request) * _PATIENCE + _ANSWER_DELAY
        while received := await self._open().read_before(min(until, end)):
            reader.receive_data(received)
            before = len(arrived)
            self._take(reader, arrived, heard)
            if reader.is_empty or not reader.in_request:
                began = began or loop.time()
            self._arriving = request, arrived, began
            until = max(until, loop.time() + self.timing.gap)
            if len(arrived) > before and progress is not None:
                plan = LOG_PLANS[request]
                progress(plan.logger, min(len(arrived), plan.depth), plan.depth)
            if len(arrived) > _MOST_LINES:
                break
        reader.end_of_data()
        self._take(reader, arrived, heard)
        if not arrived:
            raise NothingCameError("nothing_came", f"{self.port}: nothing came")
        self._heard_at = loop.time()
        return arrived, began

    def _take(self, reader: FrameReader, arrived: list[Arrived], heard: Heard) -> None:
        """The lines that have arrived, and what came damaged in the place of one."""
        while True:
            try:
                frame = reader.next_frame()
            except FrameError as error:
                self._note_damage(error)
                arrived.append(error)
                continue
            if frame is None:
                return
            if isinstance(frame, ShortLine):
                arrived.append(frame)
            heard.echo = heard.echo or isinstance(frame, Request)
