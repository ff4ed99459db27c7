"""A log table of MULTICAL 66-CDE, strictly read: whole lines, possible dates, in order.

Fields of ASCII digits parted by blanks, lines ended by CR, newest first; no unit, no decimals, no checksum
(5511-634 §4). So a line counts only when it has all its fields, each of its width and of digits only, a date
that exists, and a place among the others that fits its date and its counters. Any other gives no row and is
told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from smart_meter_reader.codecs.iec62056_21.log.lines import Doubt, LogLine, parse_clock, parse_date
from smart_meter_reader.codecs.iec62056_21.log.order import in_order
from smart_meter_reader.codecs.iec62056_21.log.plans import CUSTOMER_WIDTH, LOG_PLANS, LogPlan
from smart_meter_reader.codecs.iec62056_21.message import ShortLine
from smart_meter_reader.codecs.iec62056_21.multical import FieldsError, split_fields
from smart_meter_reader.exceptions import FrameError, IncompleteError


@dataclass(frozen=True, slots=True)
class LogTable:
    """A table: its lines, newest first, and those that give no row."""

    request: str
    lines: tuple[LogLine, ...]
    doubts: tuple[Doubt, ...] = ()
    customer_no: str = ""

    @property
    def plan(self) -> LogPlan:
        return LOG_PLANS[self.request]

    @property
    def damaged(self) -> bool:
        """Whether the line or its end got lost on the way, so that asking again may bring more."""
        return any(doubt.damaged for doubt in self.doubts)


Arrived: TypeAlias = ShortLine | FrameError
"""A line as it arrived, or what came in the place of one."""


def parse_log(request: str, arrived: Sequence[Arrived]) -> LogTable:
    """The table in the lines that a meter sent on ``request`` ("#5" to "#9", "#J"). Raises nothing.

    Lines behind the table's depth are none of it: what a meter sends there is its memory (KenanV's dump).
    """
    plan = LOG_PLANS[request]
    lines: list[LogLine] = []
    doubts: list[Doubt] = []
    customer_no = ""
    for number, line in enumerate(arrived[: plan.depth], start=1):
        try:
            texts = _texts(plan, number, line)
            if number == 1 and plan.customer_first:
                customer_no = texts.pop(0)
            if any(text.strip("0") for text in texts):  # else a place that was never used
                lines.append(_log_line(plan, number, texts))
        except FrameError as error:
            damaged = isinstance(line, FrameError) or isinstance(error, IncompleteError | FieldsError)
            doubts.append(Doubt(number, error.reason, error.detail, damaged))
    fitting, misplaced = in_order(plan, lines)
    doubts += misplaced
    if not plan.sure and not all(doubt.damaged for doubt in doubts):
        # Some answer with their memory instead (KenanV's dump), of which a line may look like a row.
        doubts += [Doubt(line.number, "no_table", "the lines beside it are of no log") for line in fitting]
        fitting = []
    if beyond := len(arrived) - plan.depth:
        doubts += _beyond(plan, beyond)
    doubts.sort(key=lambda doubt: doubt.number)
    return LogTable(request, tuple(fitting), tuple(doubts), customer_no)


def _beyond(plan: LogPlan, count: int) -> list[Doubt]:
    if count < 0:
        return []
    detail = f"{count} lines more than the {plan.depth} of the {plan.logger} logger"
    return [Doubt(plan.depth + 1, "line_count", detail)]


def _texts(plan: LogPlan, number: int, line: Arrived) -> list[str]:
    """The fields of one line. Raises FrameError."""
    if isinstance(line, FrameError):
        raise line
    if not line.ended:
        raise IncompleteError("incomplete", "the answer breaks off in this line", line.text)
    texts = split_fields(line.text)
    widths = [field.width for field in plan.fields]
    if number == 1 and plan.customer_first:
        widths.insert(0, CUSTOMER_WIDTH)
    if len(texts) != len(widths):
        raise FieldsError("field_count", f"it has {len(texts)} fields instead of {len(widths)}", line.text)
    for text, width in zip(texts, widths, strict=True):
        if len(text) != width:
            raise FieldsError("field_length", f"{text!r} has not {width} digits", line.text)
        if not (text.isascii() and text.isdigit()):
            raise FrameError("non-decimal", f"{text!r} is no number", line.text)
    return texts


def _log_line(plan: LogPlan, number: int, texts: list[str]) -> LogLine:
    fields = {field.name: text for field, text in zip(plan.fields, texts, strict=True)}
    day = parse_date(fields["date"])
    clock = parse_clock(fields["clock"]) if "clock" in fields else None
    moment = datetime.combine(day, clock) if clock is not None else None
    return LogLine(number, MappingProxyType(fields), day, moment)
