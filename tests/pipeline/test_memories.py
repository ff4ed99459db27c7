"""The memories of guard and clients as one: kept by meter and place, given back, and never in the way."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from smart_meter_reader.guard.guard import Guard
from smart_meter_reader.guard.memory import MeterMemory
from smart_meter_reader.guard.rules import MeterPolicy
from smart_meter_reader.guard.state import StateFile
from smart_meter_reader.messages import Health, Publish, Reading
from smart_meter_reader.meters.base import Client
from smart_meter_reader.pipeline.memories import Memories, recall

ORIGIN = "dsmr /dev/ttyUSB0"


class Learns(Client):
    """A client that remembers what it is told to."""

    settings_type: ClassVar[type[Any]] = object

    def __init__(self, meter: str = "power", known: Mapping[str, Any] | None = None) -> None:
        self.meter = meter
        self.health: Health = {}
        self.known = dict(known or {})

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        raise AssertionError("nobody runs it")

    def read_now(self) -> None:
        raise AssertionError("nobody runs it")

    @property
    def memory(self) -> Mapping[str, Any]:
        return dict(self.known)

    def recall(self, memory: Mapping[str, Any]) -> None:
        if "bad" in memory:
            raise ValueError("never written")
        self.known = dict(memory)


def guard_of(origin: str = ORIGIN, memory: Mapping[str, MeterMemory] | None = None) -> Guard:
    return Guard({"power": MeterPolicy(origin=origin)}, memory)


def reading(value: str) -> Reading:
    return {
        "type": "reading",
        "meter": "power",
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "measurements": {"active_energy_import": {"value": Decimal(value), "unit": "kWh"}},
    }


def test_both_survive_a_restart(tmp_path: Path) -> None:
    guard, client = guard_of(), Learns(known={"chosen": ["gas", 2]})
    guard.check(reading("1.000"))
    StateFile(tmp_path / "state.json").save(Memories(guard, [client], {"power": ORIGIN}))
    loaded = StateFile(tmp_path / "state.json").load()
    again = Learns()
    recall(again, ORIGIN, loaded)
    assert again.known == client.known
    assert loaded["power"].totals == guard.memory()["power"].totals
    # Saved again before the meter was heard: nothing of it gets lost.
    restarted = guard_of(memory=loaded)
    assert Memories(restarted, [again], {"power": ORIGIN}).memory() == loaded


def test_at_another_port_a_client_begins_without(tmp_path: Path) -> None:
    client = Learns()
    recall(client, "dsmr /dev/ttyUSB1", {"power": MeterMemory(ORIGIN, client={"chosen": 1})})
    recall(client, ORIGIN, {"water": MeterMemory(ORIGIN, client={"chosen": 1})})
    assert client.known == {}


class KnowsMeters(Learns):
    memory_moves = True


def test_what_is_remembered_by_serial_number_comes_along_to_another_port() -> None:
    kept = MeterMemory(ORIGIN, serials={"info": "1"}, client={"1234": [1, 2]})
    client = KnowsMeters()
    recall(client, "dsmr /dev/ttyUSB1", {"power": kept})
    assert client.known == {"1234": [1, 2]}
    # As long as nothing new is known, what the guard knew of the old port is kept, too.
    memories = Memories(
        guard_of("dsmr /dev/ttyUSB1", {"power": kept}), [client], {"power": "dsmr /dev/ttyUSB1"}
    )
    assert memories.memory() == {"power": kept}


def test_another_family_is_not_given_what_came_along() -> None:
    client = KnowsMeters()
    recall(client, "kamstrup /dev/ttyUSB0", {"power": MeterMemory(ORIGIN, client={"1234": [1, 2]})})
    assert client.known == {}


def test_what_was_remembered_of_another_port_is_not_mixed_in() -> None:
    old = {"power": MeterMemory(ORIGIN, serials={"info": "1"}, client={"chosen": 1})}
    memories = Memories(guard_of("other", old), [Learns()], {"power": "other"})
    assert memories.memory() == old
    memories = Memories(guard_of("other", old), [Learns(known={"chosen": 2})], {"power": "other"})
    assert memories.memory() == {"power": MeterMemory("other", client={"chosen": 2})}


def test_damage_is_told_and_costs_the_memory_only(caplog: pytest.LogCaptureFixture) -> None:
    client = Learns()
    with caplog.at_level(logging.WARNING):
        recall(client, ORIGIN, {"power": MeterMemory(ORIGIN, client={"bad": 1})})
    assert client.known == {}
    assert "meter power: what it knew before the restart is damaged" in caplog.text


def test_what_a_client_learns_is_worth_a_save() -> None:
    client = Learns()
    memories = Memories(guard_of(), [client], {"power": ORIGIN})
    before = memories.revision
    assert memories.revision == before
    client.known["chosen"] = 1
    assert memories.revision > before
    assert memories.memory() == {"power": MeterMemory(ORIGIN, client={"chosen": 1})}
