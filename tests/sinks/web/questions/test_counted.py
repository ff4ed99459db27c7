"""Bars and comparisons: exact figures of a small home, views back and forth, words that nobody can mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.web.questions import QuestionError
from tests.history.homes import energy, reading
from tests.sinks.web.questions.asking import AMSTERDAM, ask, at, home


def by_hour(begin: str, end: str) -> Iterator[Message]:
    """A heat meter that counts 0.250 kWh an hour from 1000."""
    first = at(begin)
    for number, time in enumerate(range(first, at(end) + 1, 3600)):
        yield energy(time, Decimal("1000.000") + number * Decimal("0.250"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """From 1 January 2025 to 10 March 2026, 18:00."""
    path = tmp_path_factory.mktemp("home") / "home.history"
    return home(path, by_hour("2025-01-01T00:00", "2026-03-10T18:00"))


NOW = "2026-03-10T18:05"


def test_a_month_by_day_has_the_digits_of_the_meter(house: Path) -> None:
    told = ask(house, "bars", NOW, view="month", date="2025-03-15")
    assert (told["meter"], told["quantity"], told["unit"]) == ("heat", "heat_energy", "kWh")
    assert (told["name"], told["period"]) == ("Heat energy", "day")
    assert (told["from"], told["to"]) == (date(2025, 3, 1), date(2025, 4, 1))
    bars = told["bars"]
    assert len(bars) == 31
    assert bars[0] == {
        "begin": datetime(2025, 3, 1, tzinfo=AMSTERDAM),
        "end": datetime(2025, 3, 2, tzinfo=AMSTERDAM),
        "label": "2025-03-01",
        "difference": Decimal("6.000"),
        "counter_begin": Decimal("1354.000"),
        "counter_end": Decimal("1360.000"),
        "estimated": False,
        "unread": [],
        "origin": "measured",
        "complete": True,
    }
    # The clocks go forward on the 30th: an hour less.
    assert str(bars[29]["difference"]) == "5.750"
    assert told["total"] == Decimal("185.750")
    assert str(told["mean"]) == "5.992"
    assert told["highest"] == bars[0]


def test_a_view_says_where_it_goes(house: Path) -> None:
    march = ask(house, "bars", NOW, view="month", date="2026-03-31")["view"]
    assert march == {
        "view": "month",
        "date": date(2026, 3, 1),
        "previous": date(2026, 2, 1),
        "next": date(2026, 4, 1),
        "earlier": True,
        "later": False,
        "running": True,
    }
    first = ask(house, "bars", NOW, view="year", date="2025-06-01")["view"]
    assert (first["earlier"], first["later"], first["running"]) == (False, True, False)
    everything = ask(house, "bars", NOW, view="all")
    assert everything["view"]["previous"] is everything["view"]["next"] is None
    assert [bar["label"] for bar in everything["bars"]] == ["2025", "2026"]
    assert everything["total"] == everything["bars"][-1]["counter_end"] - 1000


@pytest.mark.parametrize(
    ("words", "period"),
    [
        ({}, "hour"),
        ({"view": "week"}, "day"),
        ({"view": "year"}, "month"),
        ({"view": "year", "period": "week"}, "week"),
        ({"from_": "2026-03-01", "to": "2026-03-03"}, "hour"),
        ({"from_": "2026-01-01"}, "month"),
        ({"to": "2025-02-01"}, "day"),
        ({"from_": "1980-01-01", "to": "2190-01-01"}, "year"),
    ],
)
def test_the_step_suits_the_stretch(house: Path, words: dict[str, str], period: str) -> None:
    assert ask(house, "bars", NOW, **words)["period"] == period


def test_a_meter_read_by_the_quarter_is_shown_by_the_quarter(tmp_path: Path) -> None:
    first = at("2026-03-01T00:00")
    path = home(tmp_path / "h", [energy(first + 900 * each, Decimal(each)) for each in range(200)])
    told = ask(path, "bars", "2026-03-01T12:00")
    assert (told["period"], len(told["bars"])) == ("quarter", 96)
    assert told["bars"][5]["label"] == "01:15"


@pytest.mark.parametrize(("hours", "period"), [(1, "hour"), (4, "hour"), (6, "day"), (24, "day")])
def test_a_day_is_cut_no_finer_than_the_meter_is_read(tmp_path: Path, hours: int, period: str) -> None:
    first = at("2026-03-01T00:00")
    path = home(tmp_path / "h", [energy(first + 3600 * hours * each, Decimal(each)) for each in range(60)])
    told = ask(path, "bars", "2026-03-02T12:00")
    assert (told["period"], len(told["bars"])) == (period, 24 if period == "hour" else 1)
    assert ask(path, "bars", "2026-03-02T12:00", period="hour")["period"] == "hour"


def test_too_many_bars_are_told_in_a_longer_step(house: Path) -> None:
    told = ask(house, "bars", NOW, from_="2025-01-01", to="2026-01-01", period="quarter")
    assert (told["period"], len(told["bars"])) == ("day", 365)
    assert told["total"] == Decimal("2190.000")


def test_a_running_period_is_compared_up_to_the_same_point(house: Path) -> None:
    told = ask(house, "compare", NOW, view="month")
    assert told["to_now"] == datetime(2026, 3, 10, 18, tzinfo=AMSTERDAM)
    assert told["this"]["total"] == Decimal("58.500")  # 9 days and 18 hours
    assert told["before"]["total"] == Decimal("168.000")
    assert told["before"]["total_to_now"] == Decimal("58.500")
    assert told["year_before"]["from"] == date(2025, 3, 1)
    assert told["year_before"]["total_to_now"] == Decimal("58.500")
    over = ask(house, "compare", NOW, view="month", date="2026-02-01")
    assert over["to_now"] is None
    assert over["before"]["total_to_now"] is None


def test_where_nothing_was_read_there_is_nothing_to_compare(house: Path) -> None:
    told = ask(house, "compare", NOW, view="month", date="2025-01-01")
    assert told["before"] is told["year_before"] is None
    everything = ask(house, "compare", NOW, view="all")
    assert everything["before"] is everything["year_before"] is None


def test_any_days_are_compared_with_as_many_before(house: Path) -> None:
    told = ask(house, "compare", NOW, from_="2026-03-02", to="2026-03-04")
    assert told["before"]["from"] == date(2026, 2, 28)
    assert told["year_before"]["from"] == date(2025, 3, 2)
    assert told["before"]["total"] == told["year_before"]["total"] == Decimal("12.000")


def test_another_unit_is_exact(house: Path) -> None:
    told = ask(house, "bars", NOW, view="year", date="2025-01-01", unit="MJ")
    assert told["total"] == Decimal("2190.000") * Decimal("3.6")
    assert told["unit"] == "MJ"


def test_what_was_not_read_is_said(tmp_path: Path) -> None:
    first = at("2026-03-01T00:00")
    hours = [0, 1, 2, 3, 4, 5, 6, 50, 51, 52, 53, 54, 55, 56]
    path = home(tmp_path / "h", [energy(first + 3600 * each, Decimal(each)) for each in hours])
    told = ask(path, "bars", "2026-03-03T12:00", view="month")
    bars = told["bars"]
    assert [bar["estimated"] for bar in bars[:4]] == [True, True, True, False]
    gap = (datetime(2026, 3, 1, 6, tzinfo=AMSTERDAM), datetime(2026, 3, 3, 2, tzinfo=AMSTERDAM))
    assert bars[1]["unread"] == [gap]
    assert [bar["complete"] for bar in bars[:3]] == [True, True, False]
    assert bars[3]["difference"] is None
    assert told["highest"] is None


def test_tariffs_add_up(tmp_path: Path) -> None:
    first = at("2026-03-01T00:00")

    def telegram(day: int) -> Message:
        values = {
            "active_energy_import_tariff_1": (Decimal(100 + day), "kWh"),
            "active_energy_import_tariff_2": (Decimal(200 + 3 * day), "kWh"),
        }
        return reading(first + 86400 * day, values, "power")

    path = home(tmp_path / "h", [telegram(day) for day in range(6)])
    told = ask(path, "bars", "2026-03-06T00:00", view="month", tariffs="yes")
    assert (told["quantity"], told["unit"], told["total"]) == ("active_energy_import", "kWh", 20)
    assert [each["quantity"] for each in told["tariffs"]] == [
        "active_energy_import_tariff_1",
        "active_energy_import_tariff_2",
    ]
    assert [each["total"] for each in told["tariffs"]] == [5, 15]
    assert [each["differences"][0] for each in told["tariffs"]] == [1, 3]
    assert told["bars"][0]["difference"] == 4
    one = ask(path, "bars", "2026-03-06T00:00", view="month", quantity="active_energy_import_tariff_2")
    assert (one["total"], one["tariffs"]) == (15, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"meter": "haet"}, "meter: nothing is stored of 'haet'; stored is: heat"),
        ({"quantity": "volume"}, "quantity: of 'volume' of the meter heat no counter is stored"),
        ({"view": "decade"}, "view: found 'decade'; allowed: day, week, month, year, all"),
        ({"period": "minute"}, "period: found 'minute'; allowed: quarter, hour"),
        ({"view": "day", "date": "2026-02-30"}, "date: found '2026-02-30'; write a date as"),
        ({"date": "9999-12-31"}, "date: found '9999-12-31'; years go from 1970 to 2199"),
        ({"from_": "2026-02-01", "to": "2026-02-01"}, "to: 2026-02-01 is not after 2026-02-01"),
        ({"view": "day", "to": "2026-02-01"}, "view: ask for a view and its date, or for the days"),
        ({"unit": "m³"}, "unit: what is counted in kWh cannot be told in m³"),
        ({"tariffs": "1"}, "tariffs: found '1'; allowed: no, yes"),
        ({"metre": "heat"}, "metre: bars knows no such word; allowed: meter, quantity"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence(house: Path, words: dict[str, str], said: str) -> None:
    with pytest.raises(QuestionError) as refused:
        ask(house, "bars", NOW, **words)
    assert said in refused.value.detail


def test_there_may_be_no_such_question_and_no_history(house: Path, tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="there is no question 'weather'"):
        ask(house, "weather", NOW)
    with pytest.raises(NoHistoryError):
        ask(tmp_path / "none", "bars", NOW)
    with pytest.raises(NoHistoryError, match="nothing is stored of any meter yet"):
        ask(home(tmp_path / "empty", []), "bars", NOW)


def test_days_on_which_the_clocks_change(tmp_path: Path) -> None:
    first = at("2025-10-25T00:00")
    path = home(tmp_path / "h", [energy(first + 900 * each, Decimal(each)) for each in range(96 * 4)])
    autumn = ask(path, "bars", "2025-10-28T00:00", date="2025-10-26")
    labels = [bar["label"] for bar in autumn["bars"]]
    assert (len(labels), len(set(labels)), autumn["total"]) == (100, 100, 100)
    assert labels[8:13] == ["02:00 CEST", "02:15 CEST", "02:30 CEST", "02:45 CEST", "02:00 CET"]
    assert autumn["bars"][12]["begin"].isoformat() == "2025-10-26T02:00:00+01:00"
    week = ask(path, "compare", "2025-10-28T00:00", view="day", date="2025-10-27")
    assert (week["this"]["total"], week["before"]["total"]) == (96, 100)


def test_a_year_of_the_bill_begins_when_the_house_says(tmp_path: Path) -> None:
    path = home(tmp_path / "h", by_hour("2024-05-31T00:00", "2026-03-10T18:00"), "06-01")
    told = ask(path, "compare", NOW, view="year")
    assert (told["this"]["from"], told["this"]["to"]) == (date(2025, 6, 1), date(2026, 6, 1))
    assert told["before"]["from"] == told["year_before"]["from"] == date(2024, 6, 1)
    assert told["before"]["total_to_now"] == told["this"]["total"]
    everything = ask(path, "bars", NOW, view="all")
    assert [bar["label"] for bar in everything["bars"]] == ["2023/24", "2024/25", "2025/26"]


def test_days_that_end_before_a_leap_day_are_compared_with_as_many(tmp_path: Path) -> None:
    path = home(tmp_path / "home.history", by_hour("2023-01-01T00:00", "2024-03-10T00:00"))
    for since, days in (("2024-02-28", 1), ("2024-02-01", 28)):
        told = ask(path, "compare", "2024-03-10T00:05", from_=since, to="2024-02-29")
        before = told["year_before"]
        assert before is not None
        assert before["to"] == date(2023, 3, 1)
        assert (told["this"]["total"], before["total"]) == (6 * days, 6 * days)
