"""One meter as MQTT discovery tells of it: its entities so far, and the states that go with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from smart_meter_reader.messages import Info, Reading, Status
from smart_meter_reader.quantities.measurement import Value
from smart_meter_reader.sinks.home_assistant.discovery import (
    MOST_KEYS,
    Device,
    Topics,
    discovery_payload,
)
from smart_meter_reader.sinks.home_assistant.entities import Entity, EntityValue, Extras, entity_values
from smart_meter_reader.sinks.home_assistant.states import state_of

# A component of an earlier run that so many readings in a row did not bring is taken away. One is not
# enough: a value held back as implausible, or damaged on the way, is missing from one reading.
READINGS_UNTIL_REMOVAL = 3


class Meter:
    """The entities of one meter, as far as it was heard, and their newest states.

    A state holds every value that the meter ever told in this run: a reading without a slow quantity does
    not make it unknown.
    """

    def __init__(self, meter: str, topics: Topics, extras: Extras) -> None:
        self.topics = topics
        self.available = False
        self.via = ""
        self.name = meter
        self._extras = extras
        self._entities: dict[str, Entity] = {}
        self._units: dict[str, str] = {}
        self._state: dict[str, str | None] = {}
        self._status: dict[str, Value] = {}
        self._info: Info | None = None
        self._readings = 0
        self._earlier: set[str] = set()  # keys of an earlier run, not yet seen in this one
        self._removed: set[str] = set()
        self._announced: tuple[str, str] | None = None  # (via, payload) as long as nothing in it changes

    @property
    def has_state(self) -> bool:
        """Whether there was a reading."""
        return bool(self._state)

    @property
    def has_status(self) -> bool:
        """Whether there was a status."""
        return bool(self._status)

    def take_reading(self, reading: Reading) -> None:
        """Bring entities and state up to date."""
        self.available = True
        for told in entity_values(reading, self._extras):
            key = told.entity.key
            if self._take(told):
                # By the entity as it was announced: by its first value, not by this one.
                self._state[key] = state_of(self._entities[key].sensor, told.value)
        self._readings += 1
        if self._readings >= READINGS_UNTIL_REMOVAL:
            self._remove_earlier()

    def take_status(self, status: Status) -> None:
        """Bring availability, state of the meter and line health up to date."""
        self.available = status["state"] == "online"
        for told in entity_values(status):
            self._take(told)
            self._status[told.entity.key] = told.value
            self._status |= {name: told.attributes[name] for name in told.entity.attributes}

    def take_info(self, info: Info) -> None:
        """Remember who the meter is, for its device."""
        self._info = info
        self.via = info.get("via", "")
        self._announced = None

    def take_earlier(self, keys: Iterable[str]) -> None:
        """Remember what an earlier run had announced: kept until it is clear that it does not come back."""
        for key in keys:
            if len(self._earlier) + len(self._removed) >= MOST_KEYS:
                return
            if key not in self._entities and key not in self._removed:
                self._earlier.add(key)

    def discovery(self, via: str) -> str:
        """The discovery payload; "" while there is nothing to announce. ``via``: the parent if announced."""
        if not self._entities:
            return ""
        if self._announced is None or self._announced[0] != via:
            entities, removed = self._entities.values(), sorted(self._removed)
            self._announced = via, discovery_payload(self._device(via), self.topics, entities, removed)
        return self._announced[1]

    def state(self) -> str:
        """The JSON of the topic ``state``: every value ever read as text, null for what is unknown."""
        return _json(self._state)

    def status(self) -> str:
        """The JSON of the topic ``status``."""
        return _json(self._status)

    def _device(self, via: str) -> Device:
        if self._info is None:
            return Device(self.name, via=via)
        interval = self._info.get("interval", 0)
        return Device(
            self.name,
            manufacturer=self._info.get("manufacturer", ""),
            model=self._info.get("model", ""),
            serial_number=self._info.get("serial_number", ""),
            firmware=self._info.get("firmware", ""),
            via=via,
            expire_after=_expire_after(interval) if interval else 0,
        )

    def _take(self, told: EntityValue) -> bool:
        """Keep the entity, when it is new or comes in another unit; whether there is one now."""
        key = told.entity.key
        if self._units.get(key) != told.unit:
            if told.value == "" and key not in self._entities and key not in self._earlier:
                return False  # a text that was never there: an entity without a state helps nobody
            self._units[key] = told.unit
            self._add(told.entity)
        return True

    def _add(self, entity: Entity) -> None:
        if self._entities.get(entity.key) == entity:
            return
        self._announced = None
        self._entities[entity.key] = entity
        self._earlier.discard(entity.key)
        self._removed.discard(entity.key)

    def _remove_earlier(self) -> None:
        if self._earlier:
            self._announced = None
            self._removed |= self._earlier
            self._earlier.clear()


def _expire_after(interval: int) -> int:
    """Two missed readings and the third late; whole minutes, so that a measured interval does not flutter."""
    return -(-(3 * interval + 30) // 60) * 60


def _json(values: Mapping[str, Value | None]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
