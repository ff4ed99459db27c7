"""What an entity is in Home Assistant, by either way: its ids, its classes, and what is told of it.

By MQTT discovery (``meter.py``, ``discovery.py``) and by states that are posted (``rest_states.py``). Which
entities a message tells of is in ``values.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias, get_args

from smart_meter_reader.quantities.measurement import Value
from smart_meter_reader.sinks.home_assistant.classes import SensorClass
from smart_meter_reader.sinks.home_assistant.states import state_of

# What discovery and entity ids call it.
Platform: TypeAlias = Literal["sensor", "binary_sensor", "event", "button"]
PLATFORMS: tuple[Platform, ...] = get_args(Platform)

# Of no quantity and no count.
BUTTON_KEY = "read_now_button"

# What a binary sensor takes.
ON, OFF = "ON", "OFF"


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
    options: tuple[str, ...] = ()  # an enum's states, or an event's types
    # What it says about other entities or the line. Left out where each entity costs a request of its own.
    aside: bool = False
    attributes: tuple[str, ...] = ()  # told beside its state, also where most entities have none
    platform: Platform = "sensor"
    icon: str = ""  # where the device class brings none
    enabled: bool = True  # False: there for who looks for it, and switches it on


@dataclass(frozen=True, slots=True)
class EntityValue:
    """What one message tells of one entity. ``attributes`` say more than a state can.

    ``needless``: true, but nothing to make an entity for; it is told where there is one already. An event
    that has not happened has the value "".
    """

    entity: Entity
    value: Value
    unit: str = ""  # as the meter sent it: with another one the entity is another, too
    attributes: Mapping[str, str] = field(default_factory=dict)
    needless: bool = False

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


def device_id(meter: str) -> str:
    """The device's id, of its name in the settings: a new meter in the old one's place keeps the history."""
    return f"smart_meter_reader_{meter}"


def unique_id(meter: str, key: str) -> str:
    """What Home Assistant knows the entity by, whatever people rename."""
    return f"{device_id(meter)}_{key}"


def entity_id(meter: str, key: str, platform: Platform = "sensor") -> str:
    """The id that people see; the same by either way, so that one continues the other's history."""
    return f"{platform}.{meter.replace('-', '_')}_{key}"
