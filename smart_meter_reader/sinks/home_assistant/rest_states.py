"""The states that Home Assistant's RESTful API is to have: newest per entity, and which are not there yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from smart_meter_reader.messages import Info, Message, Reading, Status
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.sinks.home_assistant.classes import SensorClass
from smart_meter_reader.sinks.home_assistant.meter import sensor_of, unknown_quantity
from smart_meter_reader.sinks.home_assistant.states import LONGEST_STATE, state_of, utc
from smart_meter_reader.sinks.titles import meter_title

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
class _Meter:
    title: str
    values: dict[str, EntityState] = field(default_factory=dict)  # by entity id; gone while not available


class States:
    """The newest state of every entity; an older one that was not posted yet is forgotten."""

    def __init__(self) -> None:
        self._meters: dict[str, _Meter] = {}
        self._newest: dict[str, EntityState] = {}
        self._pending: dict[str, None] = {}  # in the order in which they became new

    @property
    def entity_ids(self) -> tuple[str, ...]:
        """All entities so far."""
        return tuple(self._newest)

    def take(self, message: Message) -> None:
        """Bring the entities of a meter up to date."""
        meter = self._meters.setdefault(message["meter"], _Meter(meter_title(message["meter"])))
        if message["type"] == "reading":
            self._take_reading(meter, message)
        elif message["type"] == "status":
            self._take_status(meter, message)
        else:
            self._take_info(meter, message)

    def pending(self) -> list[tuple[str, EntityState]]:
        """What has to be posted, longest waiting first."""
        return [(entity_id, self._newest[entity_id]) for entity_id in self._pending]

    def delivered(self, entity_id: str, state: EntityState) -> None:
        """Home Assistant has this state; a newer one is still pending."""
        if self._newest[entity_id] == state:
            self._pending.pop(entity_id, None)

    def all_again(self) -> None:
        """Home Assistant has forgotten everything."""
        self._pending = dict.fromkeys(self._newest)

    def part(self) -> None:
        """The service ends: nobody keeps any of the values up to date."""
        for entity_id, newest in self._newest.items():
            self._set(entity_id, replace(newest, state=UNAVAILABLE))

    def _take_reading(self, meter: _Meter, reading: Reading) -> None:
        name = reading["meter"]
        for key, measurement in reading["measurements"].items():
            value, unit = measurement["value"], measurement["unit"]
            quantity = QUANTITIES.get(key) or unknown_quantity(key, value)
            sensor = sensor_of(quantity, value, unit)
            more: dict[str, Any] = {}
            if "measured_at" in measurement:
                more["measured_at"] = utc(measurement["measured_at"])
            state = state_of(sensor, value)
            meter.values[_entity_id(name, key)] = EntityState(
                UNKNOWN if state is None else state, _attributes(meter, quantity.name, sensor, more)
            )
        if "authentication" in reading:
            sensor = SensorClass(device_class="enum")
            more = {"options": ["verified", "failed", "none"]}
            meter.values[_entity_id(name, "authentication")] = EntityState(
                reading["authentication"], _attributes(meter, "Authentication", sensor, more)
            )
        self._show(meter, available=True)
        told = _attributes(meter, "Last reading", SensorClass(device_class="timestamp"), {})
        self._set(_entity_id(name, "last_reading"), EntityState(utc(reading["time"]), told))

    def _take_status(self, meter: _Meter, status: Status) -> None:
        more = {
            "options": ["online", "offline", "alert"],
            "reason": status["reason"][:LONGEST_STATE],
            "detail": status["detail"],
        }
        attributes = _attributes(meter, "Status", SensorClass(device_class="enum"), more)
        self._set(_entity_id(status["meter"], "status"), EntityState(status["state"], attributes))
        self._show(meter, available=status["state"] == "online")

    def _take_info(self, meter: _Meter, info: Info) -> None:
        """Who the meter is has no entity of its own; a state alone has no device to hang it on."""
        told = {
            key: info[key] for key in ("manufacturer", "model", "serial_number", "firmware") if key in info
        }
        words = " ".join(told[key] for key in ("manufacturer", "model") if key in told) or UNKNOWN
        attributes = MappingProxyType({"friendly_name": f"{meter.title} model", **told})
        self._set(_entity_id(info["meter"], "model"), EntityState(words[:LONGEST_STATE], attributes))

    def _show(self, meter: _Meter, *, available: bool) -> None:
        for entity_id, value in meter.values.items():
            self._set(entity_id, value if available else replace(value, state=UNAVAILABLE))

    def _set(self, entity_id: str, state: EntityState) -> None:
        if self._newest.get(entity_id) != state:
            self._newest[entity_id] = state
            self._pending[entity_id] = None


def _entity_id(meter: str, key: str) -> str:
    """As MQTT discovery names the same entity, so that either sink continues the other's history."""
    return f"sensor.{meter.replace('-', '_')}_{key}"


def _attributes(meter: _Meter, name: str, sensor: SensorClass, more: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(_told(meter, name, sensor)) | dict(more))


def _told(meter: _Meter, name: str, sensor: SensorClass) -> Iterator[tuple[str, Any]]:
    yield "friendly_name", f"{meter.title} {name[:1].lower()}{name[1:]}"
    for key, value in (
        ("device_class", sensor.device_class),
        ("state_class", sensor.state_class),
        ("unit_of_measurement", sensor.unit),
    ):
        if value:
            yield key, value
