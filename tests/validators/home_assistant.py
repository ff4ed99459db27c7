"""A stand-in for Home Assistant 2026.2.3: takes MQTT traffic, keeps entities, says what the core would log.

Written from what a real core was seen to do with device discovery, not from our sink. Stricter in one point:
a key that the core drops silently is a problem here, since it is a typo.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.validators.homie import Publish

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data/home_assistant/sensor_2026.2.3.json").read_text(encoding="utf-8")
)

_BUTTON = {  # those of `DISCOVERY_SCHEMA` that are of use here; "stat_t" is the device's and is dropped
    *("p", "uniq_id", "def_ent_id", "name", "cmd_t", "cmd_tpl", "pl_prs", "qos", "ret", "ent_cat", "ic"),
    *("en", "dev_cla", "avty", "avty_mode", "avty_t", "stat_t"),
}
_ROOT = {
    *("dev", "o", "cmps", "avty", "avty_t", "avty_tpl", "avty_mode", "pl_avail", "pl_not_avail"),
    *("stat_t", "cmd_t", "qos", "encoding"),
}
_DEVICE = {"ids", "cns", "name", "mf", "mdl", "mdl_id", "sw", "hw", "sn", "sa", "cu", "via_device"}
_ORIGIN = {"name", "sw", "url"}
_PLATFORMS = ("sensor", "binary_sensor", "event", "button")
_COMMON = {
    *("p", "uniq_id", "def_ent_id", "name", "stat_t", "qos", "ent_cat", "ic", "en", "dev_cla", "val_tpl"),
    *("avty", "avty_t", "avty_tpl", "avty_mode", "pl_avail", "pl_not_avail", "json_attr_t", "json_attr_tpl"),
}
# By platform, beside the common ones; those of a sensor are in the table.
_KEYS = {"binary_sensor": {"pl_on", "pl_off", "off_dly", "exp_aft", "frc_upd"}, "event": {"evt_typ"}}
_BINARY_CLASSES = {"connectivity", "problem", "running"}
_MIGRATE = {"migr_discvry": True}
_STATE_CLASSES = {"measurement", "total", "total_increasing"}
_TEMPLATE = re.compile(r"\{\{ value_json\.(\w+) \| default\(None\) \}\}")
_BY_AGE = re.compile(
    r"\{\{ 'online' if \(value_json\.last_reading \| default\(''\) \| as_timestamp\(0\)\) \+ (\d+)"
    r" > as_timestamp\(now\(\)\) else 'offline' \}\}"
)
_ATTRIBUTES = re.compile(r"\{\{ \{'(\w+)': value_json\.\1 \| default\(''\)\} \| tojson \}\}")


@dataclass(slots=True)
class Entity:
    """An entity as the registry has it."""

    device: str
    config: dict[str, Any]
    topic: str  # of its discovery
    migrates: bool = False  # it was told to go on in the other form
    state: str = "unknown"
    fresh: bool = False  # a state came since it was added


class HomeAssistant:
    """``problems`` is the log from WARNING up; ``states`` what a user sees.

    ``now`` is its clock; without one every reading is taken at the time that it tells itself.
    """

    def __init__(self, prefix: str = "homeassistant", now: datetime | None = None) -> None:
        self.problems: list[str] = []
        self.now = now
        self.entities: dict[str, Entity] = {}  # by unique id
        self.devices: dict[str, dict[str, Any]] = {}
        self.removed: list[str] = []
        self.buttons: dict[str, str] = {}  # where a press is told, by unique id
        self.events: list[tuple[str, str]] = []  # entity id and type, as they happened
        self._discovery = re.compile(rf"{re.escape(prefix)}/device/([^/]+)/config")
        platforms = "|".join(_PLATFORMS)
        self._single = re.compile(rf"{re.escape(prefix)}/({platforms})/([^/]+)/([^/]+)/config")
        self.retained: dict[str, str] = {}
        self._heard: dict[str, str] = {}

    def feed(self, messages: Iterable[Publish]) -> HomeAssistant:
        for message in messages:
            if message.retain:
                self.retained[message.topic] = message.payload
            found = self._discovery.fullmatch(message.topic)
            if found:
                self._discover(found[1], message.topic, message.payload)
            elif found := self._single.fullmatch(message.topic):
                self._discover_one(found[1], found[2], found[3], message.topic, message.payload)
            else:
                self._hear(message.topic, message.payload, list(self.entities.values()))
        return self

    def states(self) -> dict[str, str]:
        """Entity id: state; without the events, which have none until they happen."""
        return {
            entity.config["def_ent_id"]: entity.state if self._available(entity) else "unavailable"
            for entity in self.entities.values()
            if entity.config["p"] != "event"
        }

    def config(self, entity_id: str) -> dict[str, Any]:
        return next(e.config for e in self.entities.values() if e.config["def_ent_id"] == entity_id)

    # Discovery

    def _discover_one(self, platform: str, node: str, key: str, topic: str, text: str) -> None:
        if not text:
            self._remove_all(topic)
            return
        config = json.loads(text)
        if config == _MIGRATE:
            self._migrate(topic)
            return
        whole = {"dev": config.pop("dev"), "o": config.pop("o"), "cmps": {key: {"p": platform, **config}}}
        self._take_device(node, topic, whole)

    def _migrate(self, topic: str) -> None:
        for entity in self.entities.values():
            if entity.topic == topic:
                entity.migrates = True

    def _discover(self, object_id: str, topic: str, text: str) -> None:
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", object_id):
            self.problems.append(f"illegal discovery topic: {object_id}")
        if not text:
            if object_id not in self.devices:
                self.problems.append(f"{object_id}: no device components to clean up")
            self._remove_all(topic)
            if not any(entity.device == object_id for entity in self.entities.values()):
                self.devices.pop(object_id, None)
            return
        try:
            payload = json.loads(text)
        except ValueError:
            self.problems.append(f"{object_id}: not JSON")
            return
        if payload == _MIGRATE:
            self._migrate(topic)
            return
        self._take_device(object_id, topic, payload)

    def _take_device(self, object_id: str, topic: str, payload: Any) -> None:
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
                self._add(object_id, key, topic, shared | component)

    def _register(self, object_id: str, payload: dict[str, Any]) -> None:
        device = payload["dev"]
        via = device.get("via_device")
        known = {identifier for other in self.devices.values() for identifier in other["ids"]}
        if via and via not in known:
            self.problems.append(f"{object_id}: via_device {via} does not exist")
        if not device.get("name"):
            self.problems.append(f"{object_id}: device without a name")
        self.devices[object_id] = device

    def _add(self, object_id: str, key: str, topic: str, config: dict[str, Any]) -> None:
        unique_id = config["uniq_id"]
        if config["p"] == "button":
            self.problems += [f"{object_id}/{key}: {refusal}" for refusal in _button_refusals(config)]
            self.buttons[unique_id] = config["cmd_t"]
            return
        refusals = [*_component_refusals(config), *_component_warnings(config)]
        if unique_id != f"{object_id}_{key}":
            refusals.append(f"unique id {unique_id} is not stable")
        old = self.entities.get(unique_id)
        if old and old.device != object_id:
            refusals.append(f"unique id {unique_id} exists already")
        if old and old.topic != topic and not old.migrates:
            refusals.append("conflicting discovery on another topic")
        ids = {e.config["def_ent_id"] for k, e in self.entities.items() if k != unique_id}
        if config.get("def_ent_id") in ids:
            refusals.append(f"entity id {config['def_ent_id']} exists already")
        self.problems += [f"{object_id}/{key}: {refusal}" for refusal in refusals]
        entity = Entity(object_id, config, topic)
        if old:
            entity.state, entity.fresh = old.state, old.fresh
        self.entities[unique_id] = entity
        for topic in [config["stat_t"], *(entry["t"] for entry in config["avty"])]:
            if topic in self.retained:
                self._hear(topic, self.retained[topic], [entity])

    def _remove(self, unique_id: str) -> None:
        if self.buttons.pop(unique_id, None) or self.entities.pop(unique_id, None):
            self.removed.append(unique_id)

    def _remove_all(self, topic: str) -> None:
        for unique_id in [key for key, entity in self.entities.items() if entity.topic == topic]:
            self._remove(unique_id)

    # States

    def _hear(self, topic: str, text: str, entities: Iterable[Entity]) -> None:
        self._heard[topic] = text
        for entity in entities:
            if entity.config["stat_t"] == topic and text and entity.config["p"] == "event":
                self._happen(entity, json.loads(text))
            elif entity.config["stat_t"] == topic and text:
                self._update(entity, topic, text)

    def _happen(self, entity: Entity, event: dict[str, str]) -> None:
        if event["event_type"] not in entity.config["evt_typ"]:
            self.problems.append(f"{entity.config['uniq_id']}: {event} is none of its types")
        self.events.append((entity.config["def_ent_id"], event["event_type"]))

    def _update(self, entity: Entity, topic: str, text: str) -> None:
        name = entity.config["uniq_id"]
        key = _TEMPLATE.fullmatch(entity.config.get("val_tpl", ""))
        try:
            value = json.loads(text).get(key[1]) if key else text
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
        told = [self._says_online(entry) for entry in entity.config["avty"]]
        expires = bool(entity.config.get("exp_aft"))
        good = all(told) if entity.config.get("avty_mode") == "all" else bool(told and told[-1])
        return good and (entity.fresh or not expires)

    def _says_online(self, entry: dict[str, str]) -> bool:
        heard = self._heard.get(entry["t"])
        if "val_tpl" not in entry:
            return heard == "online"
        age = _BY_AGE.fullmatch(entry["val_tpl"])
        assert age, f"a template that is not known here: {entry['val_tpl']}"
        taken = json.loads(heard).get("last_reading") if heard else None
        if not taken:
            return False
        time = datetime.fromisoformat(taken)
        return time + timedelta(seconds=int(age[1])) > (self.now or time)


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
        if component.get("p") not in _PLATFORMS:
            yield f"{key}: platform {component.get('p')!r}"
        if len(component) > 1 and not component.get("uniq_id"):
            yield f"{key}: no uniq_id"


def _button_refusals(config: Mapping[str, Any]) -> Iterable[str]:
    """What ``mqtt/button.py`` of home-assistant/core 2026.2.3 does not take, or drops."""
    yield from (f"key {key} is dropped" for key in config.keys() - _BUTTON)
    if not config.get("cmd_t"):
        yield "no command topic"
    if not str(config.get("def_ent_id", "")).startswith("button."):
        yield "no default entity id with its domain"
    if config.get("ent_cat", "diagnostic") not in ("config", "diagnostic"):
        yield f"entity category {config['ent_cat']}"


def _component_refusals(config: Mapping[str, Any]) -> Iterable[str]:
    platform = config["p"]
    known = {*TABLE["sensor_keys"], "p"} if platform == "sensor" else _COMMON | _KEYS[platform]
    yield from (f"key {key} is dropped" for key in config.keys() - known)
    if "avty" in config and "avty_t" in config:
        yield "avty and avty_t"
    if not config.get("stat_t"):
        yield "no state topic"
    if not str(config.get("def_ent_id", "")).startswith(f"{platform}."):
        yield "no default entity id with its domain"
    if config.get("ent_cat", "diagnostic") != "diagnostic":
        yield f"entity category {config['ent_cat']}"
    if not isinstance(config.get("exp_aft", 0), int):
        yield "expire_after is no integer"
    if "val_tpl" in config and not _TEMPLATE.fullmatch(config["val_tpl"]):
        yield f"a template that warns of a missing key: {config.get('val_tpl')}"
    if "json_attr_tpl" in config and not _ATTRIBUTES.fullmatch(config["json_attr_tpl"]):
        yield f"a template that warns of a missing key: {config['json_attr_tpl']}"
    yield from _platform_refusals(platform, config)


def _platform_refusals(platform: str, config: Mapping[str, Any]) -> Iterable[str]:
    if not config.get("ic", "mdi:x").startswith("mdi:"):
        yield f"icon {config['ic']}"
    if platform == "sensor":
        yield from _class_refusals(config)
    elif platform == "event" and not config.get("evt_typ"):
        yield "an event without types"
    elif platform == "binary_sensor" and config.get("dev_cla") not in _BINARY_CLASSES:
        yield f"binary sensor of class {config.get('dev_cla')}"


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
    if config["p"] != "sensor":
        return
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
    if config["p"] == "binary_sensor":
        states = config.get("pl_on", "ON"), config.get("pl_off", "OFF")
        return "" if state in states else f"{state!r} is none of {states}"
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
