"""What is remembered of a meter's loggers over a restart, as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from types import MappingProxyType
from typing import Any

from smart_meter_reader.guard.remembered import name_in, number_in, table_in, time_in
from smart_meter_reader.meters.backfill import ranges
from smart_meter_reader.meters.backfill.budget import Budget
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.ranges import TimeRanges
from smart_meter_reader.meters.backfill.state import (
    NOTHING,
    ORDER,
    LoggerFacts,
    LoggerState,
    MeterSeries,
    StoredEntry,
)

# Ids have 32 bits, depths 16 (B8/05); the others are far above what a meter has.
_HIGHEST_ID = 0xFFFF_FFFF
_DEEPEST = 0xFFFF
_MOST_SERIES = 8
_MOST_RANGES = 1000
_MOST_REGISTERS = 255
_LONGEST_DIGEST = 64
_MOST_SECONDS = 86_400.0
_WHAT = "something of the loggers"


def encode(planner: Planner) -> dict[str, Any]:
    """What to remember; empty before the first meter was met."""
    if not planner.known:
        return {}
    meters = [
        {"serial_number": each.serial_number}
        | (
            {}
            if each.loggers is None
            else {"loggers": {name: _encode(state) for name, state in each.loggers.items()}}
        )
        for each in planner.known
    ]
    budget: dict[str, Any] = {
        "day": planner.budget.day.isoformat(),
        "spent": round(planner.budget.spent, 3),
    }
    if planner.budget.behind is not None:
        budget["behind"] = planner.budget.behind.isoformat()
    return {"meters": meters, "budget": budget}


def recall(planner: Planner, memory: Mapping[str, Any]) -> None:
    """Give a planner what was remembered. Raises ValueError for anything that ``encode`` does not write."""
    if not memory:
        return
    content = table_in(memory, _WHAT, {"meters", "budget"})
    meters = content["meters"]
    if not isinstance(meters, list) or not 0 < len(meters) <= _MOST_SERIES:
        raise ValueError("the meters of the loggers are missing")
    known = tuple(_series(each) for each in meters)
    if len({each.serial_number for each in known}) < len(known):
        raise ValueError("a meter with loggers that comes twice")
    planner.budget = _budget(content["budget"])
    planner.known = known


def _encode(state: LoggerState) -> dict[str, Any]:
    content: dict[str, Any] = {
        "depth": state.facts.depth,
        "registers": list(state.facts.registers),
        "covered": state.covered,
        "todo": [list(each) for each in state.todo],
        "news_from": state.news_from,
        "page": state.page,
    }
    if state.check is not None:
        content["check"] = [state.check.entry, state.check.digest]
    if state.looked is not None:
        content["looked"] = state.looked.astimezone(UTC).isoformat()
    if state.events is not None:
        content["events"] = state.events
    return content


def _series(content: Any) -> MeterSeries:
    meter = table_in(content, _WHAT, {"serial_number"}, {"loggers"})
    serial = name_in(meter["serial_number"], "a serial number")
    if "loggers" not in meter:
        return MeterSeries(serial)
    loggers = meter["loggers"]
    if not isinstance(loggers, dict) or not loggers.keys() <= set(ORDER):
        raise ValueError("loggers that there are not")
    states = {name: _state(loggers[name]) for name in ORDER if name in loggers}
    return MeterSeries(serial, MappingProxyType(states))


def _state(content: Any) -> LoggerState:
    needed = {"depth", "registers", "covered", "todo", "news_from", "page"}
    logger = table_in(content, _WHAT, needed, {"check", "looked", "events"})
    registers = logger["registers"]
    if not isinstance(registers, list) or len(registers) > _MOST_REGISTERS:
        raise ValueError("the registers of a logger are missing")
    facts = LoggerFacts(
        _number(logger["depth"], 0, _DEEPEST), tuple(_number(each, 0, 0xFFFF) for each in registers)
    )
    return LoggerState(
        facts,
        covered=_number(logger["covered"], NOTHING, _HIGHEST_ID),
        todo=_ranges(logger["todo"]),
        news_from=_number(logger["news_from"], 0, _HIGHEST_ID + 1),
        page=_number(logger["page"], 0, _DEEPEST),
        check=_check(logger["check"]) if "check" in logger else None,
        looked=time_in(logger["looked"]) if "looked" in logger else None,
        events=_number(logger["events"], 0, _HIGHEST_ID) if "events" in logger else None,
    )


def _ranges(content: Any) -> TimeRanges:
    if not isinstance(content, list) or len(content) > _MOST_RANGES:
        raise ValueError("what is missing of a logger is no list")
    found = []
    for each in content:
        if not isinstance(each, list) or len(each) != 2:
            raise ValueError("a range of entries that is none")
        found.append((_number(each[0], 0, _HIGHEST_ID), _number(each[1], 0, _HIGHEST_ID)))
    if ranges.union(found) != tuple(found):
        raise ValueError("ranges of entries that overlap")
    return tuple(found)


def _check(content: Any) -> StoredEntry:
    if not isinstance(content, list) or len(content) != 2 or not isinstance(content[1], str):
        raise ValueError("an entry to be checked that is none")
    if len(content[1]) > _LONGEST_DIGEST:
        raise ValueError("a digest that is none")
    return StoredEntry(_number(content[0], 0, _HIGHEST_ID), content[1])


def _budget(content: Any) -> Budget:
    budget = table_in(content, _WHAT, {"day", "spent"}, {"behind"})
    spent = budget["spent"]
    if type(spent) not in (int, float) or not 0 <= spent <= _MOST_SECONDS:
        raise ValueError("a budget that cannot be")
    behind = _day(budget["behind"]) if "behind" in budget else None
    return Budget(_day(budget["day"]), float(spent), behind)


def _day(content: Any) -> date:
    try:
        return date.fromisoformat(content)
    except (TypeError, ValueError):
        raise ValueError("a day that is none") from None


def _number(content: Any, least: int, most: int) -> int:
    return number_in(content, "a number of a logger", least, most)
