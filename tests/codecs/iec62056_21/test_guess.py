"""Which request a line of a MULTICAL 66-CDE answers, by its shape alone."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.iec62056_21.guess import (
    day_or_hour,
    guess_single,
    is_repetition,
    longest_run,
    shape,
)
from smart_meter_reader.codecs.iec62056_21.message import ShortLine

# 5511-634, 4: the widths of the records.
MONTH_FIRST, MONTH, DAY = (11, *(7,) * 8), (7,) * 8, (7, *(5,) * 10, 7)
DUMP, LONG_DUMP, SHORT = (7,) * 12, (7,) * 13, (7,) * 4


def line_of(widths: tuple[int, ...], first: str = "") -> bytes:
    texts = ["0" * width for width in widths]
    return " ".join([first or texts[0], *texts[1:]]).encode() + b" "


def test_the_shape_of_a_line_is_the_widths_of_its_fields() -> None:
    assert shape(b"0507109 12 1 ") == (7, 2, 1)
    assert shape(line_of(DAY)) == DAY


@pytest.mark.parametrize(
    ("shapes", "start", "found"),
    [
        ([MONTH_FIRST, MONTH, MONTH], 0, ("#5", 3)),
        ([MONTH_FIRST, MONTH, DAY, MONTH], 0, ("#5", 2)),
        ([DAY, DAY], 0, ("#6", 2)),
        ([DUMP, DUMP, DUMP], 0, ("#8", 3)),
        ([LONG_DUMP, DUMP, LONG_DUMP], 0, ("#9", 3)),
        ([DUMP, LONG_DUMP], 0, ("", 1)),
        ([SHORT, SHORT, SHORT], 0, ("#J", 3)),
        ([DAY, SHORT, SHORT], 1, ("#J", 2)),
        ([DAY, SHORT], 0, ("", 1)),
        ([SHORT], 0, ("", 1)),
        ([MONTH, MONTH], 0, ("", 1)),  # no month's first record
    ],
)
def test_the_logger_whose_records_lines_can_be(
    shapes: list[tuple[int, ...]], start: int, found: tuple[str, int]
) -> None:
    assert longest_run(shapes, start) == found


@pytest.mark.parametrize(
    ("widths", "request_"),
    [
        ((7,) * 10, "#1"),
        ((11, *(7,) * 9), "#2"),
        (MONTH_FIRST, "#3"),
        (DUMP, "#B"),
        ((7,) * 8, "#C"),
        ((11, 8, 9, *(7,) * 5), "#D"),
        (DAY, "#6"),
        (LONG_DUMP, "#9"),
        (SHORT, "#J"),
        ((7,) * 9, ""),
        ((7,) * 5, ""),
        ((6,) * 10, ""),
    ],
)
def test_the_request_of_one_line(widths: tuple[int, ...], request_: str) -> None:
    assert guess_single(widths, line_of(widths)) == request_


def test_nine_fields_are_those_of_4_only_with_its_second_blank() -> None:
    assert guess_single((7,) * 9, line_of((7,) * 9) + b" ") == "#4"


@pytest.mark.parametrize(
    ("request_", "dates", "told"),
    [
        ("#6", ["0171028", "0171029"], "#6"),
        ("#6", ["0171028", "0171028"], "#7"),
        ("#6", ["0171028", "0171029", "0171028"], "#7"),
        ("#8", ["0171028", "0171028"], "#8"),
        ("#J", ["0171028", "0171028"], "#J"),
    ],
)
def test_only_hours_of_a_day_share_its_date(request_: str, dates: list[str], told: str) -> None:
    assert day_or_hour(request_, [ShortLine(line_of(DAY, date)) for date in dates]) == told


@pytest.mark.parametrize(
    ("volumes", "repeated"),
    [
        (["1296626", "1296626"], True),
        (["1296626", "1296999"], True),
        (["1296626", "1290000"], True),
        (["1296626", "1286626"], False),
        (["1296626", "129:626"], False),
        (["1296626"], True),
    ],
)
def test_one_answer_sent_again_has_nearly_the_same_volume(volumes: list[str], repeated: bool) -> None:
    lines = [
        ShortLine(b" ".join([b"0507109", b"0000000", volume.encode(), *[b"0000000"] * 9]))
        for volume in volumes
    ]
    assert is_repetition(lines) is repeated
