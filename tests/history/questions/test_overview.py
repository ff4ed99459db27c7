"""Days, weeks and years as people ask for them, and with how much of earlier ones they are compared."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.questions.overview import PeriodShown, comparisons, stretch
from smart_meter_reader.history.questions.record import History
from tests.history.homes import energy, keep

AMSTERDAM = LocalCalendar(ZoneInfo("Europe/Amsterdam"), (6, 1))


@pytest.mark.parametrize(
    ("span", "since", "until"),
    [
        (PeriodShown.DAY, "2026-03-29", "2026-03-30"),
        (PeriodShown.WEEK, "2026-03-23", "2026-03-30"),
        (PeriodShown.MONTH, "2026-03-01", "2026-04-01"),
        (PeriodShown.YEAR, "2025-06-01", "2026-06-01"),
        (PeriodShown.ALL, "2023-06-01", "2026-05-03"),
    ],
)
def test_the_span_in_which_a_day_lies(span: PeriodShown, since: str, until: str) -> None:
    found = stretch(AMSTERDAM, span, date(2026, 3, 29), date(2024, 2, 29), date(2026, 5, 2))
    assert (str(found.since), str(found.until)) == (since, until)


def test_what_is_not_over_is_compared_with_as_much_by_the_clock_on_the_wall(tmp_path: Path) -> None:
    # One kWh an hour; the day before has but 23 of them, for the clocks went forward.
    begin = int(datetime(2026, 3, 28, tzinfo=AMSTERDAM.zone).timestamp())
    keep(tmp_path / "h", [energy(begin + hour * 3600, Decimal(hour)) for hour in range(72)])
    now = int(datetime(2026, 3, 30, 12, tzinfo=AMSTERDAM.zone).timestamp())
    shown = stretch(AMSTERDAM, PeriodShown.DAY, date(2026, 3, 30), date(2026, 3, 28), date(2026, 3, 30))
    with History(tmp_path / "h") as history:
        counter = history.counter("heat", "heat_energy")
        (to_now,) = comparisons([counter], AMSTERDAM, shown, now)
        (over,) = comparisons([counter], AMSTERDAM, shown, now + 86400)
    assert (to_now.what, to_now.to_now, to_now.bar.difference) == ("day before", True, Decimal(11))
    assert (over.to_now, over.bar.difference) == (False, Decimal(23))


def test_a_year_is_compared_once_and_all_of_time_with_nothing(tmp_path: Path) -> None:
    begin = int(datetime(2024, 1, 1, tzinfo=AMSTERDAM.zone).timestamp())
    keep(tmp_path / "h", [energy(begin + day * 86400, Decimal(day)) for day in range(900)])
    with History(tmp_path / "h") as history:
        counter = history.counter("heat", "heat_energy")
        year = stretch(AMSTERDAM, PeriodShown.YEAR, date(2026, 5, 1), date(2024, 1, 1), date(2026, 6, 1))
        told = comparisons([counter], AMSTERDAM, year, begin + 900 * 86400)
        of_all = stretch(AMSTERDAM, PeriodShown.ALL, date(2026, 5, 1), date(2024, 1, 1), date(2026, 6, 1))
        assert comparisons([counter], AMSTERDAM, of_all, begin) == []
    assert [(each.what, each.since) for each in told] == [("year before", date(2024, 6, 1))]
