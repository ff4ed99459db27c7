"""One meter as MQTT discovery tells of it: its entities so far, and the states that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from smart_meter_reader.json_text import dumps
from smart_meter_reader.messages import STARTING, Info, Reading, Status
from smart_meter_reader.messages.freshness import expire_after
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.quantities.measurement import Value
from smart_meter_reader.sinks.home_assistant.discovery import Device, Topics, described_device
from smart_meter_reader.sinks.home_assistant.entities import BUTTON_KEY, Entity, EntityValue, Extras, Platform
from smart_meter_reader.sinks.home_assistant.forms import MOST_KEYS, DiscoveryPlace
from smart_meter_reader.sinks.home_assistant.states import state_of
from smart_meter_reader.sinks.home_assistant.values import NOTHING_KNOWN, PROBLEM_KEY, entity_values

# A component of an earlier run that so many readings in a row did not bring is taken away. One is not
# enough: a value held back as implausible, or damaged on the way, is missing from one reading.
READINGS_UNTIL_REMOVAL = 3


class Meter:
    """The entities of one meter, as far as it was heard, and their newest states.

    A state holds every value that the meter ever told in this run: a reading without a slow quantity does
    not make it unknown.
    """

    def __init__(self, meter: str, topics: Topics, extras: Extras, *, button: bool = False) -> None:
        """``button``: people can ask for a reading of it."""
        self.topics = topics
        self.available = False
        self.via = ""
        self.name = meter
        self._extras = extras
        self._button = button
        self._known = NOTHING_KNOWN
        self._entities: dict[str, Entity] = {}
        self._units: dict[str, str] = {}
        self._state: dict[str, str | None] = {}
        self._status: dict[str, Value] = {}
        self._info: Info | None = None
        self._expects_more = True
        self._readings = 0
        self._earlier: dict[str, Platform] = {}  # components of an earlier run, not yet seen in this one
        self._removed: dict[str, Platform] = {}
        self._announced: tuple[str, dict[str, str]] | None = None  # (via, payloads) while nothing changes

    @property
    def has_state(self) -> bool:
        """Whether there was a reading."""
        return bool(self._state)

    @property
    def has_status(self) -> bool:
        """Whether there was anything to tell beside the values."""
        return bool(self._status)

    def take_reading(self, reading: Reading) -> bool:
        """Bring entities and state up to date; whether that changed what ``status`` tells, too."""
        self.available = True
        self._expects_more = False
        problem = self._status.get(PROBLEM_KEY)
        for told in entity_values(reading, self._known, self._extras):
            if self._take(told):
                self._keep(told)
        self._known = self._known.after(reading)
        self._readings += 1
        if self._readings >= READINGS_UNTIL_REMOVAL:
            self._remove_earlier()
        return self._status.get(PROBLEM_KEY) != problem

    def take_status(self, status: Status) -> list[MqttMessage]:
        """Bring availability, state of the meter and line health up to date; the events that happened."""
        self.available = status["state"] == "online"
        trouble = not self.available and status["reason"] != STARTING
        self._expects_more = self._expects_more and not trouble
        events = []
        for told in entity_values(status, self._known):
            self._take(told)
            if told.entity.platform == "event":
                events += [_event(self.topics, told)] if told.value else []
            else:
                self._keep(told)
        self._known = self._known.after(status)
        return events

    def take_info(self, info: Info) -> None:
        """Remember who the meter is, for its device. What it then reads, or why it does not, follows."""
        self._info = info
        self.via = info.get("via", "")
        self._announced = None
        self._expects_more = True

    def take_earlier(self, components: Mapping[str, Platform]) -> None:
        """Remember what an earlier run had announced: kept until it is clear that it does not come back."""
        for key, platform in components.items():
            if len(self._earlier) + len(self._removed) >= MOST_KEYS:
                return
            shown = key in self._entities or (self._button and key == BUTTON_KEY)
            if not shown and key not in self._removed:
                self._earlier[key] = platform

    def discovery(self, place: DiscoveryPlace, via: str, *, again: bool) -> Mapping[str, str]:
        """The discovery, by topic; nothing while there is nothing to announce, or more comes at once.

        ``via``: the id of the device behind which it is, if that is announced. What comes in one breath (who
        the meter is, that it is there, what it reads) makes one payload: of a second one, right behind the
        first, Home Assistant loses what it is still about to add (home-assistant/core#68785). ``again``: it
        was announced already, and nobody waits.
        """
        if not self._entities or (self._expects_more and not again):
            return {}
        if self._announced is None or self._announced[0] != via:
            entities, removed = self._entities.values(), self._removed
            told = described_device(self._device(via), self.topics, entities, removed, button=self._button)
            self._announced = via, place.payloads(told)
        return self._announced[1]

    def state(self) -> str:
        """The JSON of the topic ``state``: every value ever read as text, null for what is unknown."""
        return dumps(self._state)

    def status(self) -> str:
        """The JSON of the topic ``status``."""
        return dumps(self._status)

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
            expire_after=expire_after(interval) if interval else 0,
        )

    def _keep(self, told: EntityValue) -> None:
        """Keep a value where the entity looks for it."""
        key = told.entity.key
        if told.entity.source == "status":
            self._status[key] = told.value
            self._status |= {name: told.attributes[name] for name in told.entity.attributes}
        else:
            # By the entity as it was announced: by its first value, not by this one.
            self._state[key] = state_of(self._entities[key].sensor, told.value)

    def _take(self, told: EntityValue) -> bool:
        """Keep the entity, when it is new or comes in another unit or finer; whether there is one now."""
        key, new = told.entity.key, told.entity.key not in self._entities
        if self._units.get(key) != told.unit or new:
            if new and self._is_nothing(told):
                return False
            self._units[key] = told.unit
            self._add(told.entity)
        elif (finer := _finer(self._entities[key], told.entity)) is not None:
            self._add(finer)
        return True

    def _is_nothing(self, told: EntityValue) -> bool:
        """Whether nothing would come of an entity: a text that was never there, what goes without saying."""
        never = told.value == "" and told.entity.platform == "sensor" and told.entity.key not in self._earlier
        return told.needless or never

    def _add(self, entity: Entity) -> None:
        if self._entities.get(entity.key) == entity:
            return
        self._announced = None
        self._entities[entity.key] = entity
        self._earlier.pop(entity.key, None)
        self._removed.pop(entity.key, None)

    def _remove_earlier(self) -> None:
        if self._earlier:
            self._announced = None
            self._removed |= self._earlier
            self._earlier.clear()


def _finer(entity: Entity, seen: Entity) -> Entity | None:
    """The entity with as many decimals as it was now seen with, if these are more; never with fewer again."""
    known, now = entity.sensor.precision, seen.sensor.precision
    if known is None or now is None or now <= known:
        return None
    return replace(entity, sensor=replace(entity.sensor, precision=now))


def _event(topics: Topics, told: EntityValue) -> MqttMessage:
    """An event, which is not retained: it happens once. It waits for a broker that is away: with its time."""
    content = {**told.attributes, "time": told.value}
    return MqttMessage(topics.of_entity(told.entity), dumps(content), retain=False, keep=True)
