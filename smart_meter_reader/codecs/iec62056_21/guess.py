"""Which request a line of a MULTICAL 66-CDE answers, by its shape, where nothing in a capture tells it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, takewhile

from smart_meter_reader.codecs.iec62056_21.message import ShortLine
from smart_meter_reader.codecs.iec62056_21.multical import (
    LOGGERS,
    SINGLE_LINE,
    Widths,
    parse_line,
    split_fields,
)
from smart_meter_reader.exceptions import FrameError


def shape(line: bytes) -> Widths:
    return tuple(len(text) for text in split_fields(line))


def longest_run(shapes: Sequence[Widths], start: int) -> tuple[str, int]:
    """The logger whose records the lines from ``start`` on can be, and how many ("", 1: none)."""
    best = ("", 1)
    for request, (first, later) in LOGGERS.items():
        if shapes[start] == first:
            run = takewhile(later.__contains__, islice(shapes, start + 1, None))
            count = 1 + sum(1 for _ in run)
            if count > best[1]:
                best = (request, count)
    return best


def guess_single(shape: Widths, line: bytes) -> str:
    for request, fields in SINGLE_LINE.items():
        if shape == tuple(field.width for field in fields):
            # Nine fields of seven are also an answer to #1 that lost one, but for #4's second blank.
            return "" if request == "#4" and not line.endswith(b"  ") else request
    return next((request for request, (first, _) in LOGGERS.items() if shape == first), "")


def day_or_hour(request: str, lines: Sequence[ShortLine]) -> str:
    """Which of two tables with the same columns it is: only the hours of a day share its date."""
    dates = [split_fields(line.text)[0] for line in lines]
    return "#7" if request == "#6" and len(set(dates)) < len(dates) else request


def is_repetition(lines: Sequence[ShortLine]) -> bool:
    """Whether lines that could be a logger's are one and the same answer of one line, sent repeatedly.

    #B has the shape of a record of #8; but of its two volumes, minutes apart, the leading digits are equal.
    """
    try:
        volumes = {parse_line("#B", line.text).fields["volume1"][:3] for line in lines}
    except FrameError:
        return False
    return len(volumes) == 1
