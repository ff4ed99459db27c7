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
from smart_meter_reader.sinks.home_assistant.entities import Entity, device_id, entity_id, unique_id
from smart_meter_reader.sinks.wording import meter_title

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

    def of_entity(self, entity: Entity) -> str:
        """The topic whose JSON has the entity's state."""
        return self.status if entity.source == "status" else self.state


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
        and component.get("uniq_id") == unique_id(meter, key)
    )


def _device(device: Device) -> dict[str, Any]:
    told = {
        "mf": device.manufacturer,
        "mdl": device.model,
        "sn": device.serial_number,
        "sw": device.firmware,
        "via_device": device_id(device.via) if device.via else "",
    }
    return {"ids": [device_id(device.meter)], "name": meter_title(device.meter)} | _without_empty(told)


def _component(device: Device, topics: Topics, entity: Entity) -> Component:
    sensor, topic = entity.sensor, topics.of_entity(entity)
    component: Component = {
        "p": entity.platform,
        "uniq_id": unique_id(device.meter, entity.key),
        "def_ent_id": entity_id(device.meter, entity.key, entity.platform),
        "name": entity.name,
        "stat_t": topic,
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
    if entity.attributes:
        component |= {"json_attr_t": topic, "json_attr_tpl": _attributes_template(entity.attributes)}
    if entity.without_meter:
        # Replaces the device's list. The same form as there: both forms at once are refused.
        component["avty"] = [{"t": topics.service}]
    elif device.expire_after:
        component["exp_aft"] = device.expire_after
    return component


def _attributes_template(names: Iterable[str]) -> str:
    pairs = ", ".join(f"'{name}': value_json.{name} | default('')" for name in names)
    return f"{{{{ {{{pairs}}} | tojson }}}}"


def _without_empty(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value}
