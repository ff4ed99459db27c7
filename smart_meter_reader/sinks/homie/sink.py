"""The sink ``homie``: one Homie 4.0.0 device per meter, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from smart_meter_reader.messages import AUTHENTICATIONS, STARTING, STATES, Current, Info, Reading, Status
from smart_meter_reader.mqtt.message import Command, MqttMessage, Presenter
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.quantities.measurement import Value
from smart_meter_reader.quantities.units import canonical
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.sinks.homie.layout import Slot, slot_of
from smart_meter_reader.sinks.homie.model import QOS, WATCHED, DeviceState, MeterDevice, Property_Base
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.sinks.wording import counted, meter_title, utc_text

_IDENTITY = {
    "manufacturer": "Manufacturer",
    "model": "Model",
    "serial_number": "Serial number",
    "firmware": "Firmware",
    "dialect": "Dialect",
    "p1_version": "P1 version",
}
_STATE = Slot("meter", "state", "State", "enum", format=",".join(STATES))
_REASON = Slot("meter", "reason", "Reason", "string")
_DETAIL = Slot("meter", "detail", "Detail", "string")
_LAST_READING = Slot("meter", "last-reading", "Last reading", "string")
# Shown as retained and false, so that openHAB makes a switch of it, which then goes off by itself: of what is
# not retained it makes a trigger, which nobody can press.
_READ_NOW = Slot("meter", "read-now", "Read now", "boolean", settable=True)
_AUTHENTICATION = Slot("meter", "authentication", "Authentication", "enum", format=",".join(AUTHENTICATIONS))


@dataclass(frozen=True, slots=True, kw_only=True)
class HomieSettings(BrokerSettings):
    """Settings of the sink ``homie``."""

    base: str = setting(
        "the topic under which the devices stand; consumers look under homie",
        default="homie",
        pattern=r"[^/#+$\s]+(/[^/#+$\s]+)*",
        pattern_help="a topic without wildcards",
        identifies=False,
    )

    @property
    def topic_trees(self) -> Mapping[str, str]:
        """All that it publishes stands below its base."""
        return {"base": self.base}

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        topics = ", ".join(f"{self.base}/{meter}" for meter in meters)
        yield f"openHAB: its inbox (MQTT binding); the topics begin with {topics}"


class HomieDevicePresenter:
    """Presents one meter as a Homie device.

    The device announces what it has seen. It is ``init`` until the first reading, ``ready`` while the meter
    is read, ``alert`` when it fails; its structure changes only between ``init`` and one of these.
    """

    def __init__(self, meter: str, base: str, service: str = "", *, readable: bool = False) -> None:
        self._device = MeterDevice(meter, meter_title(meter), base, service)
        self.watched = tuple(f"{self._device.topic}/{attribute}" for attribute in WATCHED)
        self.will: MqttMessage | None = MqttMessage(f"{self._device.topic}/$state", "lost", QOS, retain=True)
        self._state: DeviceState = "init"
        self._readings_seen = False
        self.commands: Mapping[str, Command] = (
            dict([_read_now(meter, self._device.topic)]) if readable else {}
        )
        self.subscriptions: tuple[str, ...] = tuple(self.commands)
        self._properties: dict[tuple[str, str], tuple[Slot, Property_Base]] = {}

    def present(self, message: Current) -> list[MqttMessage]:
        """What changed. A new property or attribute first takes the device back to ``init``."""
        wanted = list(self._slots(message))
        if self.commands and self._known(_READ_NOW) is None:
            wanted.append((_READ_NOW, False))
        new = [(slot, value) for slot, value in wanted if self._known(slot) != slot]
        target = self._target(message)
        if new:
            # To init before the structure changes: the package announces additions to a ready device itself.
            self._device.state = "init"
            for slot, _ in new:
                self._properties[slot.node, slot.property_id] = slot, self._device.place(slot)
        for slot, value in wanted:
            self._properties[slot.node, slot.property_id][1].value = value
        if new:
            self._device.taken()  # what concerns the others is told again by announce
            self._device.announce(target)
        elif target != self._state:
            self._device.state = target
        self._state = target
        return self._device.taken()

    def announce(self) -> list[MqttMessage]:
        """Everything, with the current values; ``$state`` last. Nothing while nothing is known."""
        if not self._properties:
            return []
        self._device.announce(self._state)
        return self._device.taken()

    def farewell(self) -> list[MqttMessage]:
        """``disconnected``, which the convention wants before a clean disconnect."""
        if not self._properties:
            return []
        self._device.state = "disconnected"
        return self._device.taken()

    def received(self, topic: str, payload: bytes) -> bool:
        """Nothing is subscribed to."""
        return False

    def _target(self, message: Current) -> DeviceState:
        if message["type"] == "reading":
            self._readings_seen = True
            return "ready"
        if message["type"] == "status" and message["reason"] != STARTING:
            if message["state"] != "online":
                return "alert"
            return "ready" if self._readings_seen else self._state
        return self._state

    def _known(self, slot: Slot) -> Slot | None:
        known = self._properties.get((slot.node, slot.property_id))
        return known[0] if known else None

    def _slots(self, message: Current) -> Iterator[tuple[Slot, Value]]:
        if message["type"] == "reading":
            yield from self._measured(message)
        elif message["type"] == "status":
            yield from _told(message)
        else:
            yield from _identified(message)

    def _measured(self, reading: Reading) -> Iterator[tuple[Slot, Value]]:
        for key, measurement in reading["measurements"].items():
            value = measurement["value"]
            slot = slot_of(key, value, canonical(measurement["unit"]), None)
            if slot is None:
                continue
            known = self._known(slot)
            if known is not None and known.datatype != slot.datatype:
                slot = slot_of(key, value, slot.unit, known) or slot
            yield slot, value
        yield _LAST_READING, utc_text(reading["time"])
        if authentication := reading.get("authentication"):
            yield _AUTHENTICATION, authentication


def _read_now(meter: str, device: str) -> tuple[str, Command]:
    """The topic to which "true" is sent for a reading, and the command (section "Property command topic")."""
    topic = f"{device}/{_READ_NOW.node}/{_READ_NOW.property_id}"
    echo = MqttMessage(topic, "false", QOS, retain=True)
    return f"{topic}/set", Command(meter, says=b"true", unsays=b"false", echo=echo)


def _told(status: Status) -> Iterator[tuple[Slot, Value]]:
    yield _STATE, status["state"]
    # An empty retained payload would delete the value at the broker instead of telling it.
    yield _REASON, status["reason"] or "none"
    yield _DETAIL, status["detail"] or "none"
    for key, count, value in counted(status):
        yield Slot("meter", key.replace("_", "-"), count.name, "integer", count.unit), value


def _identified(info: Info) -> Iterator[tuple[Slot, Value]]:
    for key, name in _IDENTITY.items():
        text = info.get(key)
        if isinstance(text, str) and text:
            yield Slot("meter", key.replace("_", "-"), name, "string"), text


class HomieSink(MqttSink):
    """Homie 4.0.0: a device per meter, a connection per device, since a connection has one last will."""

    per_meter: ClassVar[bool] = True
    _settings: HomieSettings

    def __init__(self, name: str, settings: HomieSettings) -> None:
        super().__init__(name, settings)

    def presenter(self, meter: str) -> Presenter:
        """A new presenter of this meter."""
        settings = self._settings
        return HomieDevicePresenter(meter, settings.base, settings.service, readable=meter in self.readable)

    def gone(self, meter: str) -> MqttMessage:
        """Its state: the last will and the farewell have seen to that already."""
        return MqttMessage(f"{self._settings.base}/{meter}/$state", "disconnected", QOS)

    def retained_topics(self, meter: str) -> tuple[str, ...]:
        """The meter's device."""
        return (f"{self._settings.base}/{meter}/#",)
