"""The states that Home Assistant's RESTful API is to have: newest per entity, and which are not there yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from smart_meter_reader.messages import Current
from smart_meter_reader.sinks.home_assistant.entities import Entity, EntityValue, entity_id
from smart_meter_reader.sinks.home_assistant.values import NOTHING_KNOWN, Known, entity_values
from smart_meter_reader.sinks.wording import meter_title

UNAVAILABLE = "unavailable"  # as core names them (STATE_UNAVAILABLE, STATE_UNKNOWN)
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EntityState:
    """One entity as it is posted: always whole, since Home Assistant replaces all attributes."""

    state: str
    attributes: Mapping[str, Any]

    def payload(self) -> bytes:
        """The body of POST /api/states/<entity_id>."""
        body = {"state": self.state, "attributes": dict(self.attributes)}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class _MeterStates:
    title: str
    known: Known = NOTHING_KNOWN
    values: dict[str, EntityState] = field(default_factory=dict)  # by entity id; gone while not available


class States:
    """The newest state of every entity; an older one that was not posted yet is forgotten."""

    def __init__(self) -> None:
        self._meters: dict[str, _MeterStates] = {}
        self._newest: dict[str, EntityState] = {}
        self._pending: dict[str, None] = {}  # in the order in which they became new

    @property
    def entity_ids(self) -> tuple[str, ...]:
        """All entities so far."""
        return tuple(self._newest)

    def take(self, message: Current) -> None:
        """Bring the entities of a meter up to date."""
        name = message["meter"]
        meter = self._meters.setdefault(name, _MeterStates(meter_title(name)))
        alone: dict[str, EntityState] = {}  # what is there without the meter, too
        for told in entity_values(message, meter.known):
            at = entity_id(name, told.entity.key, told.entity.platform)
            if not told.entity.aside and not _says_nothing(told, new=at not in self._newest):
                states = alone if told.entity.without_meter else meter.values
                states[at] = _state_of(meter, told)
        meter.known = meter.known.after(message)
        if message["type"] == "reading":
            self._show(meter, available=True)
        for at, state in alone.items():
            self._set(at, state)
        if message["type"] == "status":
            self._show(meter, available=message["state"] == "online")

    def pending(self) -> list[tuple[str, EntityState]]:
        """What has to be posted, longest waiting first."""
        return [(at, self._newest[at]) for at in self._pending]

    def delivered(self, at: str, state: EntityState) -> None:
        """Home Assistant has this state; a newer one is still pending."""
        if self._newest[at] == state:
            self._pending.pop(at, None)

    def all_again(self) -> None:
        """Home Assistant has forgotten everything."""
        self._pending = dict.fromkeys(self._newest)

    def part(self) -> None:
        """The service ends: nobody keeps any of the values up to date."""
        for at, newest in self._newest.items():
            self._set(at, replace(newest, state=UNAVAILABLE))

    def _show(self, meter: _MeterStates, *, available: bool) -> None:
        for at, value in meter.values.items():
            self._set(at, value if available else replace(value, state=UNAVAILABLE))

    def _set(self, at: str, state: EntityState) -> None:
        if self._newest.get(at) != state:
            self._newest[at] = state
            self._pending[at] = None


def _says_nothing(told: EntityValue, *, new: bool) -> bool:
    """Whether there is nothing to post: an event that has not happened, or what is needless and ``new``."""
    return (told.entity.platform == "event" and told.value == "") or (told.needless and new)


def _state_of(meter: _MeterStates, told: EntityValue) -> EntityState:
    state = told.state
    if state is not None and told.entity.platform == "binary_sensor":
        state = state.lower()  # as the states are, unlike what MQTT binary sensors take by default
    attributes = MappingProxyType(dict(_described(meter, told.entity)) | dict(told.attributes))
    return EntityState(UNKNOWN if state is None else state, attributes)


def _described(meter: _MeterStates, entity: Entity) -> Iterator[tuple[str, Any]]:
    yield "friendly_name", f"{meter.title} {_within_a_sentence(entity.name)}"
    for key, value in (
        ("device_class", entity.sensor.device_class),
        ("state_class", entity.sensor.state_class),
        ("unit_of_measurement", entity.sensor.unit),
        ("event_types" if entity.platform == "event" else "options", list(entity.options)),
        ("icon", entity.icon),
    ):
        if value:
            yield key, value


def _within_a_sentence(name: str) -> str:
    """'Heat energy' with a small letter, but "L1 voltage" as it is."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name
