"""What the settings of the client `kamstrup` mean: log mode, budget, and what is read of loggers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smart_meter_reader.meters.backfill.budget import UNLIMITED
from smart_meter_reader.meters.kmp.settings import GroupSettings, KamstrupSettings
from smart_meter_reader.settings.schedule import Schedule


def settings(**keys: Any) -> KamstrupSettings:
    return KamstrupSettings(**({"port": "/dev/heat"} | keys))


def test_log_mode_reads_once_a_day_and_wants_every_hour() -> None:
    found = settings(mode="log")
    assert str(found.interval) == "daily 00:10"
    assert found.every_hour
    assert not settings().every_hour
    assert str(settings(mode="log", interval=Schedule.parse("daily 06:00")).interval) == "daily 06:00"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"interval": Schedule.parse("1h")}, 'interval: mode = "log" reads the meter once a day'),
        ({"interval": Schedule.parse("at :59")}, "not every at :59; leave interval out"),
        ({"logger": False}, 'logger: mode = "log" lives on what the meter keeps'),
        ({"logger_budget": timedelta(0)}, 'logger_budget: mode = "log" lives on what the meter keeps'),
    ],
)
def test_log_mode_says_what_does_not_go_with_it(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings(mode="log", **keys)


@pytest.mark.parametrize(
    ("keys", "seconds"),
    [
        ({}, 60.0),
        ({"mains_powered": True}, UNLIMITED),
        ({"mains_powered": True, "logger_budget": timedelta(minutes=5)}, 300.0),
        ({"logger_budget": timedelta(0)}, 0.0),
    ],
)
def test_a_battery_has_a_budget_and_mains_have_none(keys: dict[str, Any], seconds: float) -> None:
    assert settings(**keys).daily_budget == seconds


@pytest.mark.parametrize(("keys", "least"), [({}, 17), ({"baud": 115_200}, 12)])
def test_a_budget_with_which_nothing_would_ever_be_read_is_refused(keys: dict[str, Any], least: int) -> None:
    for seconds in (0, least):
        budget = timedelta(seconds=seconds)
        assert settings(logger_budget=budget, **keys).daily_budget == seconds
    said = (
        f"^logger_budget: with {least - 1}s a day nothing would ever be read; needed: {least}s or more, or 0s"
    )
    with pytest.raises(ValueError, match=said):
        settings(logger_budget=timedelta(seconds=least - 1), **keys)


def test_what_counts_is_read_of_loggers_and_what_was_named() -> None:
    assert settings().log_registers == (60, 68, 97, 110)
    assert settings(registers=("power",)).log_registers == (60, 68)
    more = {"peaks": GroupSettings(registers=("cooling_energy",), interval=Schedule.parse("1d"))}
    assert settings(registers=("power",), groups=more).log_registers == (60, 68, 63)
    assert settings(logger_registers=("heat_energy", "flow_temperature")).log_registers == (60, 86)


@pytest.mark.parametrize(
    "keys",
    [{"logger_zone": "Europe/Atlantis"}, {"logger_registers": ("nonsense",)}],
    ids=lambda k: next(iter(k)),
)
def test_what_is_unknown_is_told_by_its_key(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(keys))}: "):
        settings(**keys)


def test_both_costs_are_told_for_the_registers_at_hand() -> None:
    assert settings().reads_back == (
        "what the meter keeps itself is read back, for 60 s of the line a day at most (logger_budget)",
        'hourly values: read every hour, 50 s of the line a day; with mode = "log", 10 to 12 s',
    )
    eight = settings(registers=(60, 68, 74, 80, 86, 87, 89, 99)).reads_back[1]
    assert eight == 'hourly values: read every hour, 30 s of the line a day; with mode = "log", 9 to 12 s'
    assert settings(logger=False).reads_back == settings(logger_budget=timedelta(0)).reads_back == ()
    assert "without limit" in settings(mains_powered=True).reads_back[0]


def test_that_nothing_tells_of_news_in_the_info_logger_is_told() -> None:
    left_alone = settings(registers=("heat_energy", "volume")).reads_back[-1]
    assert left_alone.startswith("its info logger is left alone")
    grouped = {"events": GroupSettings(registers=(113,), interval=Schedule(interval=timedelta(hours=6)))}
    for told in (settings(), settings(registers=("heat_energy",), groups=grouped)):
        assert "info logger" not in told.reads_back[-1]
