"""A stand-in for Home Assistant 2026.2.3: takes MQTT traffic, keeps entities, says what the core would log.

Written from what a real core was seen to do with device discovery, not from our sink. Stricter in one point:
a key that the core drops silently is a problem here, since it is a typo.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.validators.homie import Publish

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data/home_assistant/sensor_2026.2.3.json").read_text(encoding="utf-8")
)

_ROOT = {
    *("dev", "o", "cmps", "avty", "avty_t", "avty_tpl", "avty_mode", "pl_avail", "pl_not_avail"),
    *("stat_t", "cmd_t", "qos", "encoding"),
}
_DEVICE = {"ids", "cns", "name", "mf", "mdl", "mdl_id", "sw", "hw", "sn", "sa", "cu", "via_device"}
_ORIGIN = {"name", "sw", "url"}
_STATE_CLASSES = {"measurement", "total", "total_increasing"}
_TEMPLATE = re.compile(r"\{\{ value_json\.(\w+) \| default\(None\) \}\}")
_ATTRIBUTES = re.compile(r"\{\{ \{'(\w+)': value_json\.\1 \| default\(''\)\} \| tojson \}\}")


@dataclass(slots=True)
class Entity:
    """A sensor as the registry has it."""

    device: str
    config: dict[str, Any]
    state: str = "unknown"
    fresh: bool = False  # a state came since it was added


class HomeAssistant:
    """``problems`` is the log from WARNING up; ``states`` what a user sees."""

    def __init__(self, prefix: str = "homeassistant") -> None:
        self.problems: list[str] = []
        self.entities: dict[str, Entity] = {}  # by unique id
        self.devices: dict[str, dict[str, Any]] = {}
        self.removed: list[str] = []
        self._discovery = re.compile(rf"{re.escape(prefix)}/device/([^/]+)/config")
        self._retained: dict[str, str] = {}
        self._heard: dict[str, str] = {}

    def feed(self, messages: Iterable[Publish]) -> HomeAssistant:
        for message in messages:
            if message.retain:
                self._retained[message.topic] = message.payload
            found = self._discovery.fullmatch(message.topic)
            if found:
                self._discover(found[1], message.payload)
            else:
                self._hear(message.topic, message.payload, list(self.entities.values()))
        return self

    def states(self) -> dict[str, str]:
        """Entity id: state."""
        return {
            entity.config["def_ent_id"]: entity.state if self._available(entity) else "unavailable"
            for entity in self.entities.values()
        }

    def config(self, entity_id: str) -> dict[str, Any]:
        return next(e.config for e in self.entities.values() if e.config["def_ent_id"] == entity_id)

    # Discovery

    def _discover(self, object_id: str, text: str) -> None:
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", object_id):
            self.problems.append(f"illegal discovery topic: {object_id}")
        if not text:
            if object_id not in self.devices:
                self.problems.append(f"{object_id}: no device components to clean up")
            self._remove_all(object_id)
            return
        try:
            payload = json.loads(text)
        except ValueError:
            self.problems.append(f"{object_id}: not JSON")
            return
        refusals = [*_root_refusals(payload)]
        if refusals:
            self.problems += [f"{object_id}: whole device rejected: {refusal}" for refusal in refusals]
            return
        self._register(object_id, payload)
        shared = {key: payload[key] for key in ("avty", "avty_mode", "avty_t", "stat_t") if key in payload}
        for key, component in payload["cmps"].items():
            if set(component) == {"p"}:
                self._remove(f"{object_id}_{key}")
            else:
                self._add(object_id, key, shared | component)

    def _register(self, object_id: str, payload: dict[str, Any]) -> None:
        device = payload["dev"]
        via = device.get("via_device")
        known = {identifier for other in self.devices.values() for identifier in other["ids"]}
        if via and via not in known:
            self.problems.append(f"{object_id}: via_device {via} does not exist")
        if not device.get("name"):
            self.problems.append(f"{object_id}: device without a name")
        self.devices[object_id] = device

    def _add(self, object_id: str, key: str, config: dict[str, Any]) -> None:
        unique_id = config["uniq_id"]
        refusals = [*_component_refusals(config), *_component_warnings(config)]
        if unique_id != f"{object_id}_{key}":
            refusals.append(f"unique id {unique_id} is not stable")
        old = self.entities.get(unique_id)
        if old and old.device != object_id:
            refusals.append(f"unique id {unique_id} exists already")
        ids = {e.config["def_ent_id"] for k, e in self.entities.items() if k != unique_id}
        if config.get("def_ent_id") in ids:
            refusals.append(f"entity id {config['def_ent_id']} exists already")
        self.problems += [f"{object_id}/{key}: {refusal}" for refusal in refusals]
        entity = Entity(object_id, config)
        if old:
            entity.state, entity.fresh = old.state, old.fresh
        self.entities[unique_id] = entity
        for topic in [config["stat_t"], *(entry["t"] for entry in config["avty"])]:
            if topic in self._retained:
                self._hear(topic, self._retained[topic], [entity])

    def _remove(self, unique_id: str) -> None:
        if self.entities.pop(unique_id, None):
            self.removed.append(unique_id)

    def _remove_all(self, object_id: str) -> None:
        self.devices.pop(object_id, None)
        for unique_id in [key for key, entity in self.entities.items() if entity.device == object_id]:
            self._remove(unique_id)

    # States

    def _hear(self, topic: str, text: str, entities: Iterable[Entity]) -> None:
        self._heard[topic] = text
        for entity in entities:
            if entity.config["stat_t"] == topic and text:
                self._update(entity, topic, text)

    def _update(self, entity: Entity, topic: str, text: str) -> None:
        name = entity.config["uniq_id"]
        key = _TEMPLATE.fullmatch(entity.config["val_tpl"])
        try:
            value = json.loads(text).get(key[1]) if key else None
        except (ValueError, AttributeError):
            self.problems.append(f"{name}: template error for {text!r}")
            return
        state = "None" if value is None else str(value)
        entity.fresh = True
        if state == "None":
            entity.state = "unknown"
        elif complaint := _state_complaint(entity.config, state):
            self.problems.append(f"{name}: {topic}: {complaint}")
        elif state:
            entity.state = state

    def _available(self, entity: Entity) -> bool:
        topics = [entry["t"] for entry in entity.config["avty"]]
        told = [self._heard.get(topic) == "online" for topic in topics]
        expires = bool(entity.config.get("exp_aft"))
        good = all(told) if entity.config.get("avty_mode") == "all" else bool(told and told[-1])
        return good and (entity.fresh or not expires)


def _root_refusals(payload: Any) -> Iterable[str]:
    if not isinstance(payload, dict):
        yield "no object"
        return
    yield from (f"unknown key {key}" for key in payload.keys() - _ROOT)
    yield from (f"unknown key dev.{key}" for key in payload.get("dev", {}).keys() - _DEVICE)
    yield from (f"unknown key o.{key}" for key in payload.get("o", {}).keys() - _ORIGIN)
    if not payload.get("o", {}).get("name"):
        yield "no origin name"
    if not (payload.get("dev", {}).get("ids") or payload.get("dev", {}).get("cns")):
        yield "no identifiers"
    if not isinstance(payload.get("cmps"), dict):  # an empty one is taken, and nothing comes of it
        yield "no components"
    if "avty" in payload and "avty_t" in payload:
        yield "avty and avty_t"
    for key, component in (payload.get("cmps") or {}).items():
        if component.get("p") != "sensor":
            yield f"{key}: platform {component.get('p')!r}"
        if len(component) > 1 and not component.get("uniq_id"):
            yield f"{key}: no uniq_id"


def _component_refusals(config: Mapping[str, Any]) -> Iterable[str]:
    known = {*TABLE["sensor_keys"], "p"}
    yield from (f"key {key} is dropped" for key in config.keys() - known)
    if "avty" in config and "avty_t" in config:
        yield "avty and avty_t"
    if not config.get("stat_t"):
        yield "no state topic"
    if not str(config.get("def_ent_id", "")).startswith("sensor."):
        yield "no default entity id with its domain"
    if config.get("ent_cat", "diagnostic") != "diagnostic":
        yield f"entity category {config['ent_cat']}"
    if not isinstance(config.get("exp_aft", 0), int):
        yield "expire_after is no integer"
    if not _TEMPLATE.fullmatch(config.get("val_tpl", "")):
        yield f"a template that warns of a missing key: {config.get('val_tpl')}"
    if "json_attr_tpl" in config and not _ATTRIBUTES.fullmatch(config["json_attr_tpl"]):
        yield f"a template that warns of a missing key: {config['json_attr_tpl']}"
    yield from _class_refusals(config)


def _class_refusals(config: Mapping[str, Any]) -> Iterable[str]:
    device_class, unit = config.get("dev_cla"), config.get("unit_of_meas", "")
    state_class = config.get("stat_cla")
    if device_class is not None and device_class not in TABLE["device_classes"]:
        yield f"unknown device class {device_class}"
    if device_class in TABLE["units"] and unit not in TABLE["units"][device_class]:
        yield f"unit {unit!r} is not valid for {device_class}"
    if state_class is not None and state_class not in _STATE_CLASSES:
        yield f"unknown state class {state_class}"
    if ("ops" in config) != (device_class == "enum"):
        yield "options and enum belong together"
    if device_class in TABLE["non_numeric"] and (unit or state_class or "sug_dsp_prc" in config):
        yield f"{device_class} with a unit, state class or precision"
    if config.get("sug_dsp_prc", 0) < 0:
        yield "negative precision"


def _component_warnings(config: Mapping[str, Any]) -> Iterable[str]:
    device_class, state_class = config.get("dev_cla"), config.get("stat_cla")
    if not config.get("name"):
        yield "no name"
    allowed = TABLE["state_classes"].get(device_class) if device_class else None
    if state_class and allowed is not None and state_class not in allowed:
        yield f"state class {state_class} is not valid for {device_class}"
    if _numeric(config) and "sug_dsp_prc" not in config:
        yield "no precision"


def _numeric(config: Mapping[str, Any]) -> bool:
    keys = ("unit_of_meas", "stat_cla", "sug_dsp_prc")
    classes = set(TABLE["device_classes"]) - set(TABLE["non_numeric"])
    return any(key in config for key in keys) or config.get("dev_cla") in classes


def _state_complaint(config: Mapping[str, Any], state: str) -> str:
    if _numeric(config) and not re.fullmatch(r"-?\d+(\.\d+)?", state):
        return f"{state!r} is no number"
    if _numeric(config) and config.get("stat_cla") == "total_increasing" and state.startswith("-"):
        return f"{state!r} is negative"
    if config.get("dev_cla") == "enum" and state not in config["ops"]:
        return f"{state!r} is none of the options"
    if config.get("dev_cla") in ("timestamp", "date") and not _is_time(config["dev_cla"], state):
        return f"{state!r} is no {config['dev_cla']} (with an offset)"
    return f"{len(state)} characters" if len(state) > 255 else ""


def _is_time(device_class: str, state: str) -> bool:
    try:
        time = datetime.fromisoformat(state)
    except ValueError:
        return False
    return len(state) == len("2026-01-31") if device_class == "date" else time.tzinfo is not None
