"""What Home Assistant's MQTT discovery says of a meter: the device, its components, and their availability.

Sources: the documentation of the MQTT integration and of its sensors, binary sensors and events;
home-assistant/core 2026.2.3, ``homeassistant/components/mqtt/{abbreviations,schemas,sensor}.py``. Keys are
the abbreviated ones. How it is published is in ``forms.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from smart_meter_reader.sinks.home_assistant.entities import (
    BUTTON_KEY,
    Entity,
    Platform,
    device_id,
    entity_id,
    unique_id,
)
from smart_meter_reader.sinks.home_assistant.forms import Component, Described
from smart_meter_reader.sinks.wording import meter_title

_NOTHING: Mapping[str, Platform] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one meter. ``service`` is the will's topic, shared by all meters."""

    service: str
    availability: str
    state: str
    status: str
    events: str  # a topic below it for each sort
    read: str  # where the button says that it was pressed

    @classmethod
    def of(cls, service: str, base: str, meter: str) -> Topics:
        """The topics of a meter below ``base``."""
        own = f"{base}/{meter}"
        return cls(
            service,
            f"{own}/availability",
            f"{own}/state",
            f"{own}/status",
            f"{own}/event",
            f"{own}/read",
        )

    def of_entity(self, entity: Entity) -> str:
        """The topic whose JSON has the entity's state, or the event."""
        if entity.platform == "event":
            return f"{self.events}/{entity.key}"
        return self.status if entity.source == "status" else self.state


@dataclass(frozen=True, slots=True)
class Device:
    """Who the meter is, as far as it said so. ``via``: the id of the announced device behind which it is."""

    meter: str
    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    firmware: str = ""
    via: str = ""
    expire_after: int = 0  # seconds without a reading until values count as gone; 0: never


def described_device(
    device: Device,
    topics: Topics,
    entities: Iterable[Entity],
    removed: Mapping[str, Platform] = _NOTHING,
    *,
    button: bool = False,
) -> Described:
    """All that is to be said of a meter. ``button``: with one to read the meter now."""
    components = {entity.key: _component(device, topics, entity) for entity in entities}
    if button:
        components[BUTTON_KEY] = _button(device, topics)
    shared = {
        "avty": [{"t": topics.service}, {"t": topics.availability}, *_by_age(device, topics)],
        "avty_mode": "all",
        "stat_t": topics.state,
    }
    return Described(_device(device), components, shared, removed)


def _by_age(device: Device, topics: Topics) -> list[Component]:
    """Values are available while the reading they are of is young enough by its own time.

    ``exp_aft`` counts from the arrival, and what the broker has retained arrives anew at each restart of Home
    Assistant. This is judged at each arrival, and never between: so both are needed. A state without time,
    as an earlier version left it, is too old.
    """
    if not device.expire_after:
        return []
    taken = "value_json.last_reading | default('') | as_timestamp(0)"
    fresh = f"({taken}) + {device.expire_after} > as_timestamp(now())"
    return [{"t": topics.state, "val_tpl": f"{{{{ 'online' if {fresh} else 'offline' }}}}"}]


def _device(device: Device) -> dict[str, Any]:
    told = {
        "mf": device.manufacturer,
        "mdl": device.model,
        "sn": device.serial_number,
        "sw": device.firmware,
        "via_device": device.via,
    }
    return {"ids": [device_id(device.meter)], "name": meter_title(device.meter)} | _without_empty(told)


def _component(device: Device, topics: Topics, entity: Entity) -> Component:
    topic = topics.of_entity(entity)
    component: Component = {
        "p": entity.platform,
        "uniq_id": unique_id(device.meter, entity.key),
        "def_ent_id": entity_id(device.meter, entity.key, entity.platform),
        "name": entity.name,
        "stat_t": topic,
        # Inherited from the device when absent; but qos is not.
        "qos": 1,
    }
    if entity.platform == "event":
        component["evt_typ"] = list(entity.options)
    else:
        component |= _value(entity)
    component |= _without_empty({"ent_cat": "diagnostic" if entity.diagnostic else "", "ic": entity.icon})
    if not entity.enabled:
        component["en"] = False
    if entity.attributes:
        component |= {"json_attr_t": topic, "json_attr_tpl": _attributes_template(entity.attributes)}
    if entity.without_meter:
        # Replaces the device's list. The same form as there: both forms at once are refused.
        component["avty"] = [{"t": topics.service}]
    elif device.expire_after:
        component["exp_aft"] = device.expire_after
    return component


def _button(device: Device, topics: Topics) -> Component:
    """What is shown while the meter can be read; a press out of time is told by the status.

    Source: home-assistant/core 2026.2.3, ``homeassistant/components/mqtt/button.py``.
    """
    return {
        "p": "button",
        "uniq_id": unique_id(device.meter, BUTTON_KEY),
        "def_ent_id": entity_id(device.meter, "read_now", "button"),
        "name": "Read now",
        "cmd_t": topics.read,
        "qos": 1,
        "ent_cat": "diagnostic",
        "ic": "mdi:refresh",
    }


def _value(entity: Entity) -> Component:
    sensor = entity.sensor
    told = {
        # A key that is missing (the retained state may be older than the entity) gives "unknown", silently.
        "val_tpl": f"{{{{ value_json.{entity.key} | default(None) }}}}",
        "dev_cla": sensor.device_class,
        "stat_cla": sensor.state_class,
        "unit_of_meas": sensor.unit,
        "ops": list(entity.options),
    }
    precision = {} if sensor.precision is None else {"sug_dsp_prc": sensor.precision}
    return _without_empty(told) | precision


def _attributes_template(names: Iterable[str]) -> str:
    pairs = ", ".join(f"'{name}': value_json.{name} | default('')" for name in names)
    return f"{{{{ {{{pairs}}} | tojson }}}}"


def _without_empty(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value}
