"""What is remembered of loggers comes back as it was, and what never was written is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.meters.backfill import memory
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.state import LoggerFacts
from tests.meters.backfill.simulated import BEGIN, Reader, SimulatedMeter, costs


def used() -> dict[str, Any]:
    """What is remembered after a day, as JSON has it."""
    meter, reader = SimulatedMeter({"month": 36, "day": 460, "hour": 72}, timedelta(days=500)), Reader(30.0)
    reader.wake_up(meter, BEGIN)
    meter.serial = "2"
    reader.wake_up(meter, BEGIN + timedelta(hours=30))
    return memory.encode(reader.planner)


USED = json.dumps(used())


def test_it_comes_back_as_it_was() -> None:
    planner = Planner(costs)
    memory.recall(planner, json.loads(USED))
    assert memory.encode(planner) == json.loads(USED)
    assert [each.serial_number for each in planner.known] == ["2", "1"]


def test_how_many_events_there_were_is_remembered_with_the_info_logger() -> None:
    planner = Planner(costs)
    planner.meet("1", BEGIN)
    planner.learn({"info": LoggerFacts(50), "day": LoggerFacts(460)})
    planner.note_extent("info", (1, 4), BEGIN, events=4)
    planner.note_extent("day", (1, 4), BEGIN, events=4)
    told = json.loads(json.dumps(memory.encode(planner)))
    assert {name: each.get("events") for name, each in told["meters"][0]["loggers"].items()} == {
        "day": None,
        "info": 4,
    }
    again = Planner(costs)
    memory.recall(again, told)
    assert memory.encode(again) == told
    told["meters"][0]["loggers"]["info"]["events"] = -1
    with pytest.raises(ValueError, match="a number of a logger that cannot be"):
        memory.recall(Planner(costs), told)


def test_nothing_is_remembered_of_a_meter_that_never_answered() -> None:
    planner = Planner(costs)
    assert memory.encode(planner) == {}
    memory.recall(planner, {})
    assert planner.loggers is None


def test_that_a_meter_has_no_loggers_is_remembered_and_that_nobody_asked_too() -> None:
    planner = Planner(costs)
    planner.meet("1", BEGIN)
    planner.learn({})
    planner.meet("2", BEGIN)
    again = Planner(costs)
    memory.recall(again, json.loads(json.dumps(memory.encode(planner))))
    assert again.loggers is None
    again.meet("1", BEGIN)
    assert again.loggers == {}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        list(content.items())
        if isinstance(content, dict)
        else list(enumerate(content))
        if isinstance(content, list)
        else []
    )
    return [path, *(place for key, inner in items for place in _places(inner, (*path, key)))]


_PLACES = _places(json.loads(USED))


@given(st.sampled_from(_PLACES[1:]), _JSON)
def test_foreign_content_anywhere_is_refused_or_harmless(place: tuple[Any, ...], foreign: Any) -> None:
    content = json.loads(USED)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = foreign
    planner = Planner(costs, daily=60.0)
    try:
        memory.recall(planner, content)
    except ValueError:
        assert planner.known == ()
        return
    meter = SimulatedMeter({"month": 36, "day": 460, "hour": 72}, timedelta(days=500))
    planner.meet("1", BEGIN)
    for logger in planner.looks_due(BEGIN):
        planner.note_extent(logger, meter.extent(logger, BEGIN), BEGIN)
    planner.next_window(BEGIN)
    assert memory.encode(planner)


@pytest.mark.parametrize("key", ["meters", "budget"])
def test_a_part_that_is_missing_is_an_error(key: str) -> None:
    content = json.loads(USED)
    del content[key]
    with pytest.raises(ValueError, match="missing"):
        memory.recall(Planner(costs), content)
