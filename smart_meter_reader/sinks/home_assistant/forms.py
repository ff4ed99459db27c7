"""The two forms of Home Assistant's MQTT discovery: one payload for a device, or one for each entity.

One for the device is the better one: it cannot come in part, and takes away what is gone. Others who read
Home Assistant's discovery know only the other (Domoticz; openHAB before 5.2).

Sources: the MQTT integration's documentation, "Device discovery payload" and "Migration from single component
to device-based discovery"; home-assistant/core 2026.2.3, ``homeassistant/components/mqtt/discovery.py``. One
key too many at the top, in ``dev`` or in ``o`` makes Home Assistant reject all entities of the device.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal, TypeAlias

from smart_meter_reader import __homepage__, __version__
from smart_meter_reader.json_text import dumps, loads_bounded
from smart_meter_reader.sinks.home_assistant.entities import BUTTON_KEY, PLATFORMS, Platform

Component: TypeAlias = dict[str, Any]
Form: TypeAlias = Literal["device", "single"]

ORIGIN: Mapping[str, str] = {"name": "smart-meter-reader", "sw": __version__} | (
    {"url": __homepage__} if __homepage__ else {}
)
# More entities than this no meter has; the keys of an earlier run are counted with it.
MOST_KEYS = 500
# Says that the entity goes on in the other form: its place in the registry, and its history, stay.
MIGRATE = '{"migr_discvry":true}'
_KEY = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True)
class Described:
    """A device with all that is to be said of it. ``shared``: what its components inherit."""

    device: Mapping[str, Any]
    components: Mapping[str, Component]  # by key, each with its platform
    shared: Mapping[str, Any]
    removed: Mapping[str, Platform]  # components that Home Assistant is to forget


@dataclass(frozen=True, slots=True)
class DiscoveryPlace:
    """Where a device is announced: below the discovery prefix, by its id."""

    prefix: str
    device: str
    form: Form = "device"
    service: str = ""  # the name of ours, by which an earlier run is known
    url: str = ""  # where the link on the device's page in Home Assistant leads

    @property
    def of_device(self) -> str:
        """The topic of the payload for all of it."""
        return f"{self.prefix}/device/{self.device}/config"

    @property
    def of_entities(self) -> tuple[str, ...]:
        """The filters of the payloads for one entity each."""
        return tuple(f"{self.prefix}/{platform}/{self.device}/+/config" for platform in PLATFORMS)

    @property
    def filters(self) -> tuple[str, ...]:
        """Where the device's discovery stands in this form."""
        return (self.of_device,) if self.form == "device" else self.of_entities

    @property
    def other_filters(self) -> tuple[str, ...]:
        """Where it would stand in the other form."""
        return self.of_entities if self.form == "device" else (self.of_device,)

    def payloads(self, told: Described) -> dict[str, str]:
        """Topic: payload."""
        if self.url:
            told = replace(told, device={**told.device, "cu": self.url})
        if self.form == "device":
            return {self.of_device: device_payload(told)}
        whole = {"dev": told.device, "o": ORIGIN}
        payloads = {}
        for key, component in told.components.items():
            platform = component["p"]
            own = {name: value for name, value in component.items() if name != "p"}
            payloads[self._of_entity(platform, key)] = dumps({**told.shared, **own, **whole})
        return payloads | {self._of_entity(platform, key): "" for key, platform in told.removed.items()}

    def found(self, topic: str, payload: bytes) -> dict[str, Platform]:
        """The components of ours that a retained message of either form has: key and platform.

        What another service announced is not ours to take away; an earlier run may have had another base.
        Anybody may have written it: whatever is not exactly as we write it is none of ours, and nothing of it
        but keys of our own form goes any further.
        """
        try:
            content = loads_bounded(payload)
            if content["avty"][0]["t"].rpartition("/")[2] != (self.service or "availability"):
                return {}
            if topic == self.of_device:
                components = content["cmps"].items()
            else:
                platform, _, key = topic.removesuffix("/config").rsplit("/", 3)[1:]
                components = {key: {**content, "p": platform}}.items()
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return {}
        own = ((key, component["p"]) for key, component in components if self._is_own(key, component))
        return dict(islice(own, MOST_KEYS))

    def _of_entity(self, platform: Platform, key: str) -> str:
        return f"{self.prefix}/{platform}/{self.device}/{key}/config"

    def _is_own(self, key: str, component: object) -> bool:
        return (
            _KEY.fullmatch(key) is not None
            and isinstance(component, dict)
            and component.get("p") in PLATFORMS
            and (component["p"] == "button") is (key == BUTTON_KEY)
            and component.get("uniq_id") == f"{self.device}_{key}"
        )


def device_payload(told: Described) -> str:
    """The payload for all of a device."""
    # A component with its platform and nothing else takes it away; one left out stays as it is.
    removed = {key: {"p": platform} for key, platform in told.removed.items()}
    whole = {"dev": told.device, "o": ORIGIN, "cmps": {**told.components, **removed}}
    return dumps({**whole, **told.shared, "qos": 1})
