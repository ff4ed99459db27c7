"""The sink ``home_assistant``: entities by MQTT device discovery, their states and availability."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from smart_meter_reader.messages import Message
from smart_meter_reader.mqtt.message import MqttMessage, Presenter
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.sinks.home_assistant.discovery import (
    Device,
    Topics,
    discovery_payload,
    earlier_keys,
)
from smart_meter_reader.sinks.home_assistant.entities import Extras, device_id
from smart_meter_reader.sinks.home_assistant.meter import Meter
from smart_meter_reader.sinks.mqtt_sink import MqttSink

_TOPIC = r"[^/#+$\s]+(/[^/#+$\s]+)*"
_TOPIC_HELP = "a topic without wildcards"


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantSettings(BrokerSettings):
    """Settings of the sink ``home_assistant``."""

    base: str = setting(
        "the topic under which states and availability stand",
        default="smart_meter_reader_ha",
        pattern=_TOPIC,
        pattern_help=_TOPIC_HELP,
        identifies=False,
    )
    discovery_prefix: str = setting(
        "the discovery prefix in Home Assistant's MQTT options",
        default="homeassistant",
        pattern=_TOPIC,
        pattern_help=_TOPIC_HELP,
        identifies=False,
    )
    birth_topic: str = setting(
        "where Home Assistant tells that it has started; all is announced again then",
        default="homeassistant/status",
        pattern=_TOPIC,
        pattern_help=_TOPIC_HELP,
        identifies=False,
    )
    heat_energy_unit: Literal["", "kWh", "MWh", "GJ"] = setting(
        "an extra entity with heat and cooling energy in this unit, besides the meter's own", default=""
    )
    gas_equivalent: Decimal | None = setting(
        "m³ of gas per GJ (31.65, say): an extra entity with heat energy as a volume of gas",
        default=None,
        minimum=Decimal(1),
        maximum=Decimal(1000),
    )

    def discovery_topic(self, meter: str) -> str:
        """Where the discovery payload of a meter belongs."""
        return f"{self.discovery_prefix}/device/{device_id(meter)}/config"


class HomeAssistantPresenter:
    """Presents all meters of a service to Home Assistant.

    Available is an entity when the service is (the will's topic) and its meter is. Discovery, states and
    availability are retained: a state right behind a discovery that is not yet digested would be lost.
    """

    def __init__(self, settings: HomeAssistantSettings, *, stays_available: bool = False) -> None:
        self._settings = settings
        self._stays_available = stays_available
        self._extras = Extras(settings.heat_energy_unit, settings.gas_equivalent)
        self._service = settings.availability_topic(settings.base)
        self._meters: dict[str, Meter] = {}
        self._told: dict[str, str] = {}  # topic: payload, for what is only told when it changes
        self._by_topic: dict[str, Meter] = {}  # of their discovery
        self.will: MqttMessage | None = MqttMessage(self._service, "offline")
        # Each meter's discovery is added: as the broker retained it, it tells which entities an earlier run
        # had. By name, since what others publish beside it is nothing to us, and can be any amount.
        self.subscriptions: tuple[str, ...] = (settings.birth_topic,)

    def present(self, message: Message) -> list[MqttMessage]:
        """What one message changes: discovery first, then states, then availability."""
        name = message["meter"]
        meter = self._meter(name)
        if message["type"] == "info":
            meter.take_info(message)
            return self._discoveries()
        if message["type"] == "reading":
            meter.take_reading(message)
            news = [MqttMessage(meter.topics.state, meter.state())]
        else:
            meter.take_status(message)
            news = [MqttMessage(meter.topics.status, meter.status())]
        return self._discoveries() + news + self._changed(_availability(meter))

    def announce(self) -> list[MqttMessage]:
        """All discovery, states and availability; the service's own last."""
        self._told.clear()
        messages = self._discoveries()
        for meter in self._meters.values():
            messages += [MqttMessage(meter.topics.state, meter.state())] if meter.has_state else []
            messages += [MqttMessage(meter.topics.status, meter.status())] if meter.has_status else []
            messages += self._changed(_availability(meter))
        return [*messages, MqttMessage(self._service, "online")]

    def farewell(self) -> list[MqttMessage]:
        """The service goes offline, and with it every entity; unless all stays, until it expires."""
        return [] if self._stays_available else [MqttMessage(self._service, "offline")]

    def received(self, topic: str, payload: bytes) -> bool:
        """All again at Home Assistant's birth message; entities of an earlier run from our own discovery."""
        if topic == self._settings.birth_topic:
            return payload == b"online"
        meter = self._by_topic.get(topic)
        if meter is not None:
            meter.take_earlier(earlier_keys(payload, meter.name))
        return False

    def _meter(self, name: str) -> Meter:
        if name not in self._meters:
            topics = Topics.of(self._service, self._settings.base, name)
            meter = self._meters[name] = Meter(name, topics, self._extras)
            discovery = self._settings.discovery_topic(name)
            self._by_topic[discovery] = meter
            self.subscriptions += (discovery,)
        return self._meters[name]

    def _discoveries(self) -> list[MqttMessage]:
        """The discovery payloads that changed, a meter's before those of its sub-meters.

        Home Assistant warns of a ``via_device`` that it has not met yet.
        """
        messages: list[MqttMessage] = []
        for name, meter in sorted(self._meters.items(), key=lambda item: bool(item[1].via)):
            via = meter.via if self._settings.discovery_topic(meter.via) in self._told else ""
            payload = meter.discovery(via)
            if payload:
                messages += self._changed(MqttMessage(self._settings.discovery_topic(name), payload))
        return messages

    def _changed(self, message: MqttMessage) -> list[MqttMessage]:
        if self._told.get(message.topic) == message.payload:
            return []
        self._told[message.topic] = str(message.payload)
        return [message]


def _availability(meter: Meter) -> MqttMessage:
    return MqttMessage(meter.topics.availability, "online" if meter.available else "offline")


class HomeAssistantSink(MqttSink):
    """Home Assistant by MQTT discovery: one device per meter, all on one connection."""

    _settings: HomeAssistantSettings

    def __init__(self, name: str, settings: HomeAssistantSettings) -> None:
        super().__init__(name, settings)

    def presenter(self, meter: str) -> Presenter:
        """The presenter of all meters."""
        return HomeAssistantPresenter(self._settings, stays_available=self._stays_available)

    def retained_topics(self, meter: str) -> tuple[str, ...]:
        """The meter's discovery, and its states and availability."""
        return self._settings.discovery_topic(meter), f"{self._settings.base}/{meter}/+"

    def harmless_payload(self, meter: str, topic: str) -> str:
        """Discovery of a device without entities: Home Assistant warns of any other text, and of none."""
        if topic != self._settings.discovery_topic(meter):
            return meter
        base = self._settings.base
        topics = Topics.of(self._settings.availability_topic(base), base, meter)
        return discovery_payload(Device(meter), topics, ())
