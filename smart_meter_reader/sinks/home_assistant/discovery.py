"""Home Assistant's MQTT discovery: one payload per device with all its entities, as plain text.

Sources: the MQTT integration's documentation, "Device discovery payload"; home-assistant/core 2026.2.3,
``homeassistant/components/mqtt/{abbreviations,schemas,sensor}.py``. Keys are the abbreviated ones. One key
too many at the top, in ``dev`` or in ``o`` makes Home Assistant reject all entities of the device.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from smart_meter_reader import __version__
from smart_meter_reader.json_text import loads_bounded
from smart_meter_reader.sinks.home_assistant.classes import SensorClass
from smart_meter_reader.sinks.titles import meter_title

Component: TypeAlias = dict[str, Any]

ORIGIN = {"name": "smart-meter-reader", "sw": __version__}
# More entities than this no meter has; the keys of an earlier run are counted with it.
MOST_KEYS = 500
_PLATFORM = "sensor"
_KEY = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one meter. ``service`` is the will's topic, shared by all meters."""

    service: str
    availability: str
    state: str
    status: str

    @classmethod
    def of(cls, service: str, base: str, meter: str) -> Topics:
        """The topics of a meter below ``base``."""
        own = f"{base}/{meter}"
        return cls(service, f"{own}/availability", f"{own}/state", f"{own}/status")


@dataclass(frozen=True, slots=True)
class Entity:
    """One sensor. ``key`` is its key in the JSON of ``topic``, and the stable last part of its ids."""

    key: str
    name: str
    topic: str
    sensor: SensorClass
    diagnostic: bool = False
    # It tells of the meter's trouble, or outlives it: available as long as the service is.
    without_meter: bool = False
    options: tuple[str, ...] = ()
    attributes_template: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """Who the meter is, as far as it said so. ``via``: the announced meter that carries this one."""

    meter: str
    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    firmware: str = ""
    via: str = ""
    expire_after: int = 0  # seconds without a reading until values count as gone; 0: never


def unique_id(meter: str) -> str:
    """The device's id, of its name in the settings: a new meter in the old one's place keeps the history."""
    return f"smart_meter_reader_{meter}"


def discovery_payload(
    device: Device, topics: Topics, entities: Iterable[Entity], removed: Iterable[str] = ()
) -> str:
    """The device's discovery payload. ``removed``: keys of components that Home Assistant is to forget."""
    components = {entity.key: _component(device, topics, entity) for entity in entities}
    payload = {
        "dev": _device(device),
        "o": ORIGIN,
        # A component with its platform and nothing else takes it away; one left out stays as it is.
        "cmps": components | {key: {"p": _PLATFORM} for key in removed},
        "avty": [{"t": topics.service}, {"t": topics.availability}],
        "avty_mode": "all",
        "stat_t": topics.state,
        "qos": 1,
    }
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def earlier_keys(payload: bytes, meter: str) -> frozenset[str]:
    """The keys of the components in an earlier payload of ours for this meter.

    Anybody may have written it: whatever is not exactly as we write it is none of ours, and nothing of it but
    keys of our own form goes any further. Source: our own ``discovery_payload``.
    """
    try:
        components = loads_bounded(payload)["cmps"].items()
    except (ValueError, TypeError, KeyError, AttributeError):
        return frozenset()
    own = (key for key, component in components if _KEY.fullmatch(key) and _is_own(component, meter, key))
    return frozenset(islice(own, MOST_KEYS))


def _is_own(component: object, meter: str, key: str) -> bool:
    return (
        isinstance(component, dict)
        and component.get("p") == _PLATFORM
        and component.get("uniq_id") == f"{unique_id(meter)}_{key}"
    )


def _device(device: Device) -> dict[str, Any]:
    told = {
        "mf": device.manufacturer,
        "mdl": device.model,
        "sn": device.serial_number,
        "sw": device.firmware,
        "via_device": unique_id(device.via) if device.via else "",
    }
    return {"ids": [unique_id(device.meter)], "name": meter_title(device.meter)} | _without_empty(told)


def _component(device: Device, topics: Topics, entity: Entity) -> Component:
    sensor = entity.sensor
    component: Component = {
        "p": _PLATFORM,
        "uniq_id": f"{unique_id(device.meter)}_{entity.key}",
        "def_ent_id": f"sensor.{device.meter.replace('-', '_')}_{entity.key}",
        "name": entity.name,
        "stat_t": entity.topic,
        # Inherited from the device when absent; but qos is not.
        "qos": 1,
        # A key that is missing (the retained state may be older than the entity) gives "unknown", silently.
        "val_tpl": f"{{{{ value_json.{entity.key} | default(None) }}}}",
    }
    component |= _without_empty(
        {
            "dev_cla": sensor.device_class,
            "stat_cla": sensor.state_class,
            "unit_of_meas": sensor.unit,
            "ent_cat": "diagnostic" if entity.diagnostic else "",
            "ops": list(entity.options),
        }
    )
    if sensor.precision is not None:
        component["sug_dsp_prc"] = sensor.precision
    if entity.attributes_template:
        component |= {"json_attr_t": entity.topic, "json_attr_tpl": entity.attributes_template}
    if entity.without_meter:
        # Replaces the device's list. The same form as there: both forms at once are refused.
        component["avty"] = [{"t": topics.service}]
    elif device.expire_after:
        component["exp_aft"] = device.expire_after
    return component


def _without_empty(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value}
