"""LineCost time computed from bytes, against the table that was worked out before (facts of the loggers)."""

from __future__ import annotations

import pytest

from smart_meter_reader.meters.backfill.cost import LineCost, LoggerCost

LINE = LineCost()
# Request of sub-command 06 with three registers, an answer without rows, a row of 348, 60 and 68.
THREE = LoggerCost(0.0, LINE.exchange(21, 36), LINE.seconds(15), 6)


@pytest.mark.parametrize(
    ("rows", "page", "seconds"),
    [
        (24, 6, 6.8),
        (24, 14, 5.1),
        (24, 24, 4.2),
        (460, 6, 130),
        (460, 14, 93),
        (460, 460, 65),
        (36, 6, 10),
        (36, 14, 7.6),
        (36, 36, 5.9),
        (20, 6, 6),
    ],
)
def test_rows_cost_what_was_worked_out(rows: int, page: int, seconds: float) -> None:
    assert THREE.rows(rows, page) == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize("page", [1, 6, 14, 460])
@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 5.0, 60.0])
def test_as_many_rows_as_there_is_time_for(seconds: float, page: int) -> None:
    rows = THREE.most_rows(seconds, page)
    assert rows == 0 or THREE.rows(rows, page) <= seconds
    assert THREE.rows(rows + page, page) > seconds
