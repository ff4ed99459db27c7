"""A validator of Homie 4.0.0 traffic, written from the convention and not from our sink.

Source: https://homieiot.github.io/specification/spec-core-v4_0_0/ (sections "Topic IDs", "Payload",
"QoS and retained messages", "Device/Node/Property Attributes", "Device Lifecycle"). That no mandatory
attribute is empty, not even `$extensions`, is a demand of our own: a broker does not keep an empty payload,
and who comes later would miss the attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_ID = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_STATES = {"init", "ready", "disconnected", "sleeping", "lost", "alert"}
_DEVICE = {"$homie", "$name", "$state", "$nodes", "$extensions"}
_DEVICE_OPTIONAL = {"$implementation"}
# Identifier of an extension without version -> the attributes that it requires of the device.
_EXTENSIONS = {"org.homie.legacy-firmware": {"$localip", "$mac", "$fw/name", "$fw/version"}}
_MAC = re.compile("([0-9A-F]{2}:){5}[0-9A-F]{2}")
_EXTENSION = re.compile(r"([a-z0-9-]+(?:\.[a-z0-9-]+)+):\d+\.\d+\.\d+:\[[^]]+\]")
_NODE = {"$name", "$type", "$properties"}
_PROPERTY = {"$name", "$datatype"}
_PROPERTY_OPTIONAL = {"$format", "$settable", "$retained", "$unit"}
_SETTLED = {"ready", "alert", "sleeping"}
_BOOLEAN = {"true", "false"}


@dataclass(frozen=True, slots=True)
class Publish:
    """One PUBLISH as the broker got it."""

    topic: str
    payload: str
    qos: int
    retain: bool


@dataclass(slots=True)
class _Device:
    topics: dict[str, str] = field(default_factory=dict)  # below the device, newest payload
    state: str = ""
    announced: set[str] = field(default_factory=set)  # since the last `init`


class HomieValidator:
    """Takes the traffic in order; ``problems`` says what a strict controller would object to."""

    def __init__(self, base: str = "homie") -> None:
        self.problems: list[str] = []
        self._base = base + "/"
        self._devices: dict[str, _Device] = {}

    def feed(self, messages: Iterable[Publish]) -> HomieValidator:
        for message in messages:
            if message.topic.startswith(self._base):
                self._take(message)
        return self

    def states(self, device: str) -> str:
        return self._devices[device].state

    def tree(self, device: str) -> dict[str, str]:
        return self._devices[device].topics

    def _object(self, message: Publish, words: str) -> None:
        self.problems.append(f"{message.topic} = {message.payload!r}: {words}")

    def _take(self, message: Publish) -> None:
        device_id, _, rest = message.topic[len(self._base) :].partition("/")
        if not message.retain:
            self._object(message, "not retained")
        if message.qos != 1:
            self._object(message, "QoS is not 1")
        if not _ID.fullmatch(device_id):
            self._object(message, "illegal device id")
        device = self._devices.setdefault(device_id, _Device())
        parts = rest.split("/")
        attribute = rest.startswith("$") or parts[-1].startswith("$")
        for part in parts[:-1] if attribute else parts:
            if not _ID.fullmatch(part.removeprefix("$") if rest.startswith("$") else part):
                self._object(message, f"illegal id {part!r}")
        if rest == "$state":
            self._take_state(device, message)
        elif attribute:
            self._take_attribute(device, rest, message)
        elif len(parts) == 2:
            self._take_value(device, rest, message)
        else:
            self._object(message, "no such level in the convention")
        device.topics[rest] = message.payload
        device.announced.add(rest)

    def _take_state(self, device: _Device, message: Publish) -> None:
        state = message.payload
        if state not in _STATES:
            self._object(message, "no state of the convention")
        if not device.state and state not in ("init", "lost"):
            self._object(message, "a device starts with init")
        if state == "init":
            device.announced = set()
        elif state in ("ready", "alert") and device.state == "init":
            self._check_complete(device, message)
        device.state = state

    def _take_attribute(self, device: _Device, rest: str, message: Publish) -> None:
        level = 0 if rest.startswith("$") else rest.count("/")
        device_attributes = _DEVICE | _DEVICE_OPTIONAL | set().union(*_EXTENSIONS.values())
        legal = (device_attributes, _NODE, _PROPERTY | _PROPERTY_OPTIONAL)
        name = rest if level == 0 else rest.rpartition("/")[2]
        if level > 2 or name not in legal[level]:
            self._object(message, "no attribute of the convention")
        if device.state in _SETTLED and device.topics.get(rest) != message.payload:
            self._object(message, f"the structure changes in state {device.state}")
        if device.state in ("", "lost", "disconnected"):
            self._object(message, f"an attribute in state {device.state!r}")

    def _take_value(self, device: _Device, rest: str, message: Publish) -> None:
        datatype = device.topics.get(f"{rest}/$datatype")
        if datatype is None:
            self._object(message, "a value before its attributes")
        elif not fits(datatype, device.topics.get(f"{rest}/$format", ""), message.payload):
            self._object(message, f"is no {datatype}")
        if device.state not in {"init", *_SETTLED}:
            self._object(message, f"a value in state {device.state!r}")

    def _check_complete(self, device: _Device, message: Publish) -> None:
        """Everything mandatory has been said since ``init``, and nothing is there that was not declared."""
        declared = {f"{name}" for name in _DEVICE | _DEVICE_OPTIONAL}
        self._need(device, message, "", _DEVICE - {"$state"})
        declared |= self._check_extensions(device, message)
        if device.topics.get("$homie") != "4.0.0":
            self._object(message, "$homie is not 4.0.0")
        for node in _listed(device.topics.get("$nodes", "")):
            self._need(device, message, f"{node}/", _NODE)
            declared |= {f"{node}/{name}" for name in _NODE}
            for name in _listed(device.topics.get(f"{node}/$properties", "")):
                self._check_property(device, message, f"{node}/{name}")
                declared |= {f"{node}/{name}/{a}" for a in _PROPERTY | _PROPERTY_OPTIONAL} | {
                    f"{node}/{name}"
                }
        for topic in sorted(device.announced - declared):
            self._object(message, f"{topic} belongs to nothing that was declared")

    def _check_extensions(self, device: _Device, message: Publish) -> set[str]:
        """The attributes that the announced extensions bring; all of them are required."""
        brought: set[str] = set()
        for extension in _listed(device.topics.get("$extensions", "")):
            identifier = _EXTENSION.fullmatch(extension)
            if identifier and identifier[1] in _EXTENSIONS:
                brought |= _EXTENSIONS[identifier[1]]
            else:
                self._object(message, f"no extension that we know: {extension!r}")
        self._need(device, message, "", brought)
        if "$mac" in brought and not _MAC.fullmatch(device.topics.get("$mac", "")):
            self._object(message, "$mac is no MAC address")
        return brought

    def _check_property(self, device: _Device, message: Publish, path: str) -> None:
        self._need(device, message, f"{path}/", _PROPERTY)
        datatype = device.topics.get(f"{path}/$datatype", "")
        form = device.topics.get(f"{path}/$format", "")
        if datatype not in ("integer", "float", "boolean", "string", "enum", "color"):
            self._object(message, f"{path} has no datatype of the convention: {datatype!r}")
        if datatype in ("enum", "color") and not form:
            self._object(message, f"{path} is an {datatype} without $format")
        for name in ("$settable", "$retained"):
            if device.topics.get(f"{path}/{name}", "true") not in _BOOLEAN:
                self._object(message, f"{path}/{name} is no boolean")

    def _need(self, device: _Device, message: Publish, prefix: str, names: Iterable[str]) -> None:
        for name in sorted(names):
            if prefix + name not in device.announced:
                self._object(message, f"{prefix}{name} was not published since init")
            elif not device.topics[prefix + name]:
                self._object(message, f"{prefix}{name} is empty")


def fits(datatype: str, form: str, payload: str) -> bool:
    """Whether a payload is one of its datatype (section "Payload")."""
    if datatype == "integer":
        return bool(re.fullmatch(r"-?\d+", payload)) and -(2**63) <= int(payload) < 2**63
    if datatype == "float":
        return bool(re.fullmatch(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", payload))
    if datatype == "boolean":
        return payload in _BOOLEAN
    if datatype == "enum":
        return payload in form.split(",")
    return True


def _listed(text: str) -> list[str]:
    return text.split(",") if text else []
