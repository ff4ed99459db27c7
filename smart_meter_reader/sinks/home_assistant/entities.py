"""Which entities a meter has in Home Assistant, and what each message of the queue tells of them.

The one model that both ways share: by MQTT discovery (``meter.py``, ``discovery.py``) and by states that are
posted (``rest_states.py``). Pure and without memory: what was told before is kept by those who present it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.messages import AUTHENTICATIONS, STATES, Info, Message, Reading, Status
from smart_meter_reader.quantities import QUANTITIES, Kind, Quantity
from smart_meter_reader.quantities.measurement import Measurement, Value
from smart_meter_reader.quantities.units import canonical, convert_energy, converts_energy, gas_equivalent
from smart_meter_reader.sinks.home_assistant.classes import UNITS, SensorClass, sensor_class
from smart_meter_reader.sinks.home_assistant.states import LONGEST_STATE, decimals, parsed_time, state_of
from smart_meter_reader.sinks.wording import Count, counted, utc
from smart_meter_reader.text import bounded_number

# What discovery and entity ids call it; buttons or events would be further ones.
Platform: TypeAlias = Literal["sensor"]

# The quantities that get a second unit and a gas equivalent.
HEAT_TOTALS = ("heat_energy", "cooling_energy")

_IDENTITY = ("manufacturer", "model", "serial_number", "firmware")


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of a meter. ``key`` is the stable last part of its ids, and unique in its meter."""

    key: str
    name: str
    source: Literal["reading", "status", "info"]  # the kind of message that tells its state
    sensor: SensorClass
    diagnostic: bool = False
    # It tells of the meter's trouble, or outlives it: available as long as the service is.
    without_meter: bool = False
    options: tuple[str, ...] = ()
    # What it says about other entities or the line. Left out where each entity costs a request of its own.
    aside: bool = False
    attributes: tuple[str, ...] = ()  # told beside its state, also where most entities have none
    platform: Platform = "sensor"


@dataclass(frozen=True, slots=True)
class EntityValue:
    """What one message tells of one entity. ``attributes`` say more than a state can."""

    entity: Entity
    value: Value
    unit: str = ""  # as the meter sent it: with another one the entity is another, too
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str | None:
        """The value as Home Assistant takes it; None for what the entity cannot show."""
        return state_of(self.entity.sensor, self.value)


@dataclass(frozen=True, slots=True)
class Extras:
    """What is computed besides the meter's own values, and only when asked for."""

    heat_energy_unit: str = ""
    cubic_metres_per_gj: Decimal | None = None


NO_EXTRAS = Extras()

_TIMESTAMP = SensorClass(device_class="timestamp")
_TEXT = SensorClass()
_ENUM = SensorClass(device_class="enum")

_LAST_READING = Entity("last_reading", "Last reading", "reading", _TIMESTAMP, True, without_meter=True)
_MEASURED_AT = Entity("measured_at", "Measured at", "reading", _TIMESTAMP, True, aside=True)
_AUTHENTICATION = Entity("authentication", "Authentication", "reading", _ENUM, True, options=AUTHENTICATIONS)
_STATUS = Entity("status", "Status", "status", _ENUM, True, without_meter=True, options=STATES)
_STATUS_REASON = Entity(
    "status_reason",
    "Status reason",
    "status",
    _TEXT,
    diagnostic=True,
    without_meter=True,
    aside=True,
    attributes=("detail",),
)
_MODEL = Entity("model", "Model", "info", _TEXT, diagnostic=True, without_meter=True)


def device_id(meter: str) -> str:
    """The device's id, of its name in the settings: a new meter in the old one's place keeps the history."""
    return f"smart_meter_reader_{meter}"


def unique_id(meter: str, key: str) -> str:
    """What Home Assistant knows the entity by, whatever people rename."""
    return f"{device_id(meter)}_{key}"


def entity_id(meter: str, key: str, platform: Platform = "sensor") -> str:
    """The id that people see; the same by either way, so that one continues the other's history."""
    return f"{platform}.{meter.replace('-', '_')}_{key}"


def entity_values(message: Message, extras: Extras = NO_EXTRAS) -> Iterator[EntityValue]:
    """All that one message tells, in the order in which it is shown."""
    if message["type"] == "reading":
        yield from _of_reading(message, extras)
    elif message["type"] == "status":
        yield from _of_status(message)
    else:
        yield from _of_info(message)


def _of_reading(reading: Reading, extras: Extras) -> Iterator[EntityValue]:
    measured_at = []
    for key, measurement in reading["measurements"].items():
        quantity = QUANTITIES.get(key) or unknown_quantity(key, measurement["value"])
        yield _measured(quantity, measurement)
        if "measured_at" in measurement:
            measured_at.append(measurement["measured_at"])
        if key in HEAT_TOTALS:
            yield from _extras_of(quantity, measurement, extras)
    yield EntityValue(_LAST_READING, utc(reading["time"]))
    if measured_at:
        yield EntityValue(_MEASURED_AT, utc(max(measured_at)))
    if authentication := reading.get("authentication"):
        yield EntityValue(_AUTHENTICATION, authentication)


def _of_status(status: Status) -> Iterator[EntityValue]:
    reason, detail = status["reason"][:LONGEST_STATE], status["detail"]
    yield EntityValue(_STATUS, status["state"], attributes={"reason": reason, "detail": detail})
    yield EntityValue(_STATUS_REASON, reason or "none", attributes={"detail": detail})
    for key, count, value in counted(status):
        entity = Entity(
            key, count.name, "status", _count_class(count), diagnostic=True, without_meter=True, aside=True
        )
        yield EntityValue(entity, value)


def _of_info(info: Info) -> Iterator[EntityValue]:
    """Who the meter is, for where there is no device that could tell it."""
    told = {key: text for key in _IDENTITY if isinstance(text := info.get(key), str)}
    words = " ".join(told[key] for key in ("manufacturer", "model") if key in told)
    yield EntityValue(_MODEL, words, attributes=told)


def _measured(quantity: Quantity, measurement: Measurement) -> EntityValue:
    value, unit = measurement["value"], measurement["unit"]
    sensor = sensor_of(quantity, value, unit)
    entity = Entity(quantity.key, quantity.name, "reading", sensor, quantity.diagnostic)
    if "measured_at" not in measurement:
        return EntityValue(entity, value, unit)
    return EntityValue(entity, value, unit, {"measured_at": utc(measurement["measured_at"])})


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


def _count_class(count: Count) -> SensorClass:
    if count.total:
        return SensorClass(state_class="total_increasing", precision=0)
    device_class = "duration" if count.unit in UNITS["duration"] else None
    return SensorClass(device_class, "measurement", count.unit or None, precision=0)


def _extras_of(total: Quantity, measurement: Measurement, extras: Extras) -> Iterator[EntityValue]:
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
            yield _measured(quantity, {"value": convert_energy(value, unit, wanted), "unit": wanted})
        if extras.cubic_metres_per_gj:
            name = f"{total.name} as gas"
            quantity = replace(total, key=f"{total.key}_gas_equivalent", name=name, kind=Kind.GAS)
            gas = gas_equivalent(value, unit, extras.cubic_metres_per_gj)
            yield _measured(quantity, {"value": gas, "unit": "m³"})
    except ValueFormatError:
        return  # too long for a number: the total itself is shown
