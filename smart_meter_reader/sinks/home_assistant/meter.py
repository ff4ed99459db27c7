"""One meter as Home Assistant sees it: its entities, and the states that go with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.messages import Info, Measurement, Reading, Status, Value
from smart_meter_reader.quantities import QUANTITIES, Kind, Quantity
from smart_meter_reader.quantities.units import canonical, convert_energy, converts_energy, gas_equivalent
from smart_meter_reader.sinks.home_assistant.classes import SensorClass, sensor_class
from smart_meter_reader.sinks.home_assistant.discovery import (
    MOST_KEYS,
    Device,
    Entity,
    Topics,
    discovery_payload,
)
from smart_meter_reader.sinks.home_assistant.states import (
    LONGEST_STATE,
    decimals,
    parsed_time,
    state_of,
    utc,
)
from smart_meter_reader.text import bounded_number

# A component of an earlier run that so many readings in a row did not bring is taken away. One is not
# enough: a value held back as implausible, or damaged on the way, is missing from one reading.
READINGS_UNTIL_REMOVAL = 3

# The quantities that get a second unit and a gas equivalent.
HEAT_TOTALS = ("heat_energy", "cooling_energy")

_COUNT = SensorClass(state_class="total_increasing", precision=0)
_RECENT = SensorClass(state_class="measurement", precision=0)
_TIMESTAMP = SensorClass(device_class="timestamp")

_HEALTH: Mapping[str, tuple[str, SensorClass]] = MappingProxyType(
    {
        "valid_readings": ("Valid readings", _COUNT),
        "damaged_frames": ("Damaged frames", _COUNT),
        "retries": ("Retries", _COUNT),
        "rejected_values": ("Rejected values", _COUNT),
        "reconnects": ("Reconnects", _COUNT),
        "left_out": ("Telegrams left out", _COUNT),
        "internal_errors": ("Internal errors", _COUNT),
        "latency_ms": ("Latency", SensorClass("duration", "measurement", "ms", 0)),
        "requests_24h": ("Requests in 24 hours", _RECENT),
        "wake_ups_24h": ("Wake-ups in 24 hours", _RECENT),
    }
)
_DETAIL_TEMPLATE = "{{ {'detail': value_json.detail | default('')} | tojson }}"


@dataclass(frozen=True, slots=True)
class Extras:
    """What is computed besides the meter's own values, and only when asked for."""

    heat_energy_unit: str = ""
    cubic_metres_per_gj: Decimal | None = None


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
        self._status: dict[str, str | int] = {}
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
        for quantity, measurement in self._with_extras(reading):
            self._take(quantity, measurement)
        self._add_time("last_reading", "Last reading", reading["time"], without_meter=True)
        measured = [m["measured_at"] for m in reading["measurements"].values() if "measured_at" in m]
        if measured:
            self._add_time("measured_at", "Measured at", max(measured), without_meter=False)
        if authentication := reading.get("authentication"):
            options = ("verified", "failed", "none")
            sensor = SensorClass(device_class="enum")
            topic = self.topics.state
            self._add(Entity("authentication", "Authentication", topic, sensor, True, False, options))
            self._state["authentication"] = authentication
        self._readings += 1
        if self._readings >= READINGS_UNTIL_REMOVAL:
            self._remove_earlier()

    def take_status(self, status: Status) -> None:
        """Bring availability, state of the meter and line health up to date."""
        self.available = status["state"] == "online"
        self._status |= {
            "status": status["state"],
            "status_reason": (status["reason"] or "none")[:LONGEST_STATE],
            "detail": status["detail"],
        }
        topic = self.topics.status
        options = ("online", "offline", "alert")
        self._add(Entity("status", "Status", topic, SensorClass("enum"), True, True, options))
        self._add(
            Entity("status_reason", "Status reason", topic, SensorClass(), True, True, (), _DETAIL_TEMPLATE)
        )
        for key, count in status.get("health", {}).items():
            if key in _HEALTH and isinstance(count, int):
                name, sensor = _HEALTH[key]
                self._add(Entity(key, name, topic, sensor, diagnostic=True, without_meter=True))
                self._status[key] = count

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

    def _take(self, quantity: Quantity, measurement: Measurement) -> None:
        key, value, unit = quantity.key, measurement["value"], measurement["unit"]
        if self._units.get(key) != unit:
            if value == "" and key not in self._entities and key not in self._earlier:
                return  # a text that was never there: an entity without a state helps nobody
            self._units[key] = unit
            self._add(_entity_of(quantity, value, unit, self.topics.state))
        self._state[key] = state_of(self._entities[key].sensor, value)

    def _with_extras(self, reading: Reading) -> Iterator[tuple[Quantity, Measurement]]:
        """The measurements, each followed by what is computed from it."""
        for key, measurement in reading["measurements"].items():
            quantity = QUANTITIES.get(key) or unknown_quantity(key, measurement["value"])
            yield quantity, measurement
            if key in HEAT_TOTALS:
                yield from _extras_of(quantity, measurement, self._extras)

    def _add_time(self, key: str, name: str, time: datetime, *, without_meter: bool) -> None:
        self._add(Entity(key, name, self.topics.state, _TIMESTAMP, True, without_meter))
        self._state[key] = utc(time)

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


def _entity_of(quantity: Quantity, value: Value, unit: str, topic: str) -> Entity:
    return Entity(quantity.key, quantity.name, topic, sensor_of(quantity, value, unit), quantity.diagnostic)


def sensor_of(quantity: Quantity, value: Value, unit: str) -> SensorClass:
    """The classes of a quantity, as far as its first value bears them out."""
    sensor = sensor_class(quantity, unit)
    if sensor.device_class == "timestamp" and parsed_time(str(value)) is None:
        # A clock of a meter that does not know its zone: text, since Home Assistant wants an offset.
        sensor = SensorClass()
    elif sensor.numeric and not sensor.unit:
        # A plain number may be a count or a ratio: its own digits tell.
        sensor = replace(sensor, precision=decimals(value))
    return sensor


def unknown_quantity(key: str, value: Value) -> Quantity:
    """A quantity that the catalogue does not have, of a meter that tells more than we know."""
    kind = Kind.TEXT if isinstance(value, str) else Kind.COUNT
    return Quantity(key, key.replace("_", " ").capitalize(), kind, diagnostic=True)


def _extras_of(
    total: Quantity, measurement: Measurement, extras: Extras
) -> Iterator[tuple[Quantity, Measurement]]:
    """The total in the second unit, and as a volume of gas, as far as asked for and possible."""
    unit, wanted = measurement["unit"], extras.heat_energy_unit
    if not converts_energy(unit, "GJ"):
        return
    value = bounded_number(measurement["value"])
    if value is None:
        return  # not a number: the total itself is shown as unknown
    try:
        if wanted and wanted != canonical(unit):
            quantity = replace(
                total, key=f"{total.key}_in_{wanted.lower()}", name=f"{total.name} in {wanted}"
            )
            yield quantity, {"value": convert_energy(value, unit, wanted), "unit": wanted}
        if extras.cubic_metres_per_gj:
            name = f"{total.name} as gas"
            quantity = replace(total, key=f"{total.key}_gas_equivalent", name=name, kind=Kind.GAS)
            gas = gas_equivalent(value, unit, extras.cubic_metres_per_gj)
            yield quantity, {"value": gas, "unit": "m³"}
    except ValueFormatError:
        return  # too long for a number: the total itself is shown


def _expire_after(interval: int) -> int:
    """Two missed readings and the third late; whole minutes, so that a measured interval does not flutter."""
    return -(-(3 * interval + 30) // 60) * 60


def _json(values: Mapping[str, str | int | None]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
