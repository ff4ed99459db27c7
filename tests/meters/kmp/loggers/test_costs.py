"""What KMP costs in line time, against the table that was computed from the layouts before."""

from __future__ import annotations

import pytest

from smart_meter_reader.meters.backfill.cost import LineCost
from smart_meter_reader.meters.kmp.loggers.costs import day_costs, logger_cost, poll_seconds

LINE = LineCost()
THREE = (348, 60, 68)
SEVEN = (348, 60, 68, 86, 87, 74, 80)
NO_LIMIT = 1 << 16


@pytest.mark.parametrize(
    ("registers", "rows", "answer", "seconds"),
    [
        (THREE, 24, 128, 6.8),
        (THREE, 24, 256, 5.1),
        (THREE, 24, NO_LIMIT, 4.2),
        (THREE, 72, 128, 20),
        (THREE, 460, 128, 130),
        (THREE, 460, 256, 93),
        (THREE, 460, NO_LIMIT, 65),
        (THREE, 36, 128, 10),
        (SEVEN, 24, 128, 20),
        (SEVEN, 24, 256, 11),
        (SEVEN, 24, NO_LIMIT, 8),
        (SEVEN, 460, NO_LIMIT, 134),
    ],
)
def test_rows_cost_what_the_table_says(
    registers: tuple[int, ...], rows: int, answer: int, seconds: float
) -> None:
    cost = logger_cost(LINE, registers, answer)
    assert cost.rows(rows, min(cost.page, rows)) == pytest.approx(seconds, rel=0.08)


def test_a_reading_of_eight_registers() -> None:
    assert poll_seconds(LINE, 8) == pytest.approx(1.25, rel=0.02)


def test_a_day_in_log_mode_costs_about_a_third_of_polling() -> None:
    costs = day_costs(LINE, 8, THREE)
    assert costs.poll == pytest.approx(30, rel=0.02)
    # The live reading, number and clock, looking for news of hours and days, a day, and 24 hours in one
    # answer or in four.
    assert costs.log[0] == pytest.approx(9.0, abs=0.1)
    assert costs.log[1] == pytest.approx(11.5, abs=0.1)
