"""The sink ``home_assistant``: entities by MQTT device discovery, their states and availability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from smart_meter_reader.messages import Current
from smart_meter_reader.mqtt.message import Command, MqttMessage, Presenter
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.sinks.home_assistant.announced import Announced
from smart_meter_reader.sinks.home_assistant.discovery import Device, Topics, described_device
from smart_meter_reader.sinks.home_assistant.entities import Extras, device_id
from smart_meter_reader.sinks.home_assistant.forms import DiscoveryPlace, Form, device_payload
from smart_meter_reader.sinks.home_assistant.meter import Meter
from smart_meter_reader.sinks.home_assistant.service import (
    described_service,
    service_id,
    started_payload,
    started_topic,
)
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.sinks.wording import meter_title

_TOPIC = r"[^/#+$\s]+(/[^/#+$\s]+)*"
_TOPIC_HELP = "a topic without wildcards"
# The entities of a meter that is gone from the settings; the others are unavailable without it.
_GONE = (
    '{"status":"offline","status_reason":"gone","detail":"no longer in the settings",'
    '"status_detail":"no longer in the settings","connected":"OFF","problem":"OFF"}'
)
# Events that wait for a broker that is away: they tell of what is rare.
_EVENTS_KEPT = 100


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
    discovery: Form = setting(
        "device: all entities of a meter in one payload; single: one payload for each, for Domoticz, and for "
        "openHAB before 5.2",
        default="device",
    )
    configuration_url: str = setting(
        'what "Visit" on a device\'s page in Home Assistant opens, such as the page of the sink `web` by an '
        'address that others can reach: "http://192.168.1.20:8080/"; "": no link',
        default="",
        pattern=r"(https?://[A-Za-z0-9\[][^\s\"<>\\]*)?",
        pattern_help="an address that begins with http:// or https://",
        identifies=True,
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

    @property
    def topic_trees(self) -> Mapping[str, str]:
        """States and availability, and discovery."""
        return {"base": self.base, "discovery_prefix": self.discovery_prefix}

    def place(self, device: str) -> DiscoveryPlace:
        """Where a device is announced, by its id."""
        url = self.configuration_url
        return DiscoveryPlace(self.discovery_prefix, device, self.discovery, self.service, url)

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        devices = ", ".join(f'"{meter_title(meter)}"' for meter in meters)
        yield f"Home Assistant: Settings, Devices & services, MQTT: {devices}"


class HomeAssistantPresenter:
    """Presents all meters of a service to Home Assistant.

    Available is an entity when the service is (the will's topic) and its meter is. Discovery, states and
    availability are retained: a state right behind a discovery that is not yet digested would be lost.
    """

    def __init__(
        self,
        settings: HomeAssistantSettings,
        started: datetime,
        readable: Iterable[str] = (),
        *,
        stays_available: bool = False,
    ) -> None:
        """``started``: when the service did. ``readable``: the meters that get a button to read them now."""
        self._settings = settings
        self._started = self._latest = started
        self._stays_available = stays_available
        self._extras = Extras(settings.heat_energy_unit, settings.gas_equivalent)
        self._service = settings.availability_topic(settings.base)
        self._meters: dict[str, Meter] = {}
        self._availability: dict[str, str] = {}  # as it was told, by topic
        self._announced: dict[str, Announced] = {}  # by the device's id
        self.will: MqttMessage | None = self._service_is("offline")
        self.watched: tuple[str, ...] = (self._service,)
        # Each device's discovery is added: as the broker retained it, it tells which entities an earlier run
        # had. By the device's id: what others publish beside it is nothing to us, and can be any amount.
        self._readable = frozenset(readable)
        self.commands: Mapping[str, Command] = {
            self._topics(meter).read: Command(meter) for meter in sorted(self._readable)
        }
        self.subscriptions: tuple[str, ...] = (settings.birth_topic, *self.commands)
        self._own = self._new_device(service_id(settings.service))
        self._own_payloads = self._own.place.payloads(described_service(settings.service, self._service))

    def present(self, message: Current) -> list[MqttMessage]:
        """What one message changes: discovery first, then states, then availability, then what happened."""
        meter, self._latest = self._meter(message["meter"]), message["time"]
        if message["type"] == "info":
            meter.take_info(message)
            return []  # what follows it tells the rest
        news, events = [], []
        if message["type"] == "reading":
            about = meter.take_reading(message)
            news.append(MqttMessage(meter.topics.state, meter.state()))
        else:
            about, events = True, meter.take_status(message)
        if about:
            news.append(MqttMessage(meter.topics.status, meter.status()))
        return self._discoveries() + news + self._changed(_availability(meter)) + events

    def announce(self) -> list[MqttMessage]:
        """All discovery, states and availability; the service's own last."""
        again = {device for device, announced in self._announced.items() if announced.told}
        for announced in self._announced.values():
            announced.forget()
        self._availability.clear()
        messages = self._discoveries(frozenset(again))
        for meter in self._meters.values():
            messages += [MqttMessage(meter.topics.state, meter.state())] if meter.has_state else []
            messages += [MqttMessage(meter.topics.status, meter.status())] if meter.has_status else []
            messages += self._changed(_availability(meter))
        started = MqttMessage(started_topic(self._service), started_payload(self._started))
        return [*messages, started, self._service_is("online")]

    def farewell(self) -> list[MqttMessage]:
        """The service goes offline, and with it every entity; unless all stays, until it expires."""
        return [] if self._stays_available else [self._service_is("offline")]

    def received(self, topic: str, payload: bytes) -> bool:
        """All again at Home Assistant's birth message; entities of an earlier run from our own discovery."""
        if topic == self._settings.birth_topic:
            return payload == b"online"
        announced = self._announced_at(topic)
        if announced is None or not payload:
            return False
        if announced.is_other(topic):
            return announced.take_other(topic, payload)
        meter = self._meters.get(announced.place.device.removeprefix(device_id("")))
        if meter is not None:
            meter.take_earlier(announced.place.found(topic, payload))
        return False

    def _announced_at(self, topic: str) -> Announced | None:
        """The device whose discovery, in either form, stands at a topic."""
        parts = topic.rsplit("/", 3)
        devices = (self._announced.get(part) for part in reversed(parts[1:3]))
        return next((device for device in devices if device is not None), None)

    def _service_is(self, payload: str) -> MqttMessage:
        return MqttMessage(self._service, payload, watched="availability")

    def _meter(self, name: str) -> Meter:
        if name not in self._meters:
            button = name in self._readable
            self._meters[name] = Meter(name, self._topics(name), self._extras, button=button)
            self._new_device(device_id(name))
            self.watched += (self._meters[name].topics.availability,)
        return self._meters[name]

    def _topics(self, name: str) -> Topics:
        return Topics.of(self._service, self._settings.base, name)

    def _new_device(self, device: str) -> Announced:
        place = self._settings.place(device)
        self._announced[device] = Announced(place)
        self.subscriptions += (*place.filters, *place.other_filters)
        return self._announced[device]

    def _discoveries(self, again: frozenset[str] = frozenset()) -> list[MqttMessage]:
        """The discovery that changed: the service's, then a meter's before those of its sub-meters.

        Home Assistant warns of a ``via_device`` that it has not met yet. ``again``: devices that it knows.
        """
        messages = self._own.messages(self._own_payloads, self._latest)
        for name, meter in sorted(self._meters.items(), key=lambda item: bool(item[1].via)):
            announced = self._announced[device_id(name)]
            carrier = self._announced.get(device_id(meter.via)) if meter.via else self._own
            via = carrier.place.device if carrier is not None and carrier.told else ""
            known = announced.place.device in again
            payloads = meter.discovery(announced.place, via, again=known)
            messages += announced.messages(payloads, self._latest)
        return messages

    def _changed(self, message: MqttMessage) -> list[MqttMessage]:
        if self._availability.get(message.topic) == message.payload:
            return []
        self._availability[message.topic] = str(message.payload)
        return [message]


def _availability(meter: Meter) -> MqttMessage:
    payload = "online" if meter.available else "offline"
    return MqttMessage(meter.topics.availability, payload, watched="availability")


class HomeAssistantSink(MqttSink):
    """Home Assistant by MQTT discovery: one device per meter, all on one connection."""

    _settings: HomeAssistantSettings

    def __init__(self, name: str, settings: HomeAssistantSettings) -> None:
        super().__init__(name, settings)
        self._started = datetime.now(UTC)

    @property
    def history_size(self) -> int:
        """How many events wait for a broker that is away."""
        return _EVENTS_KEPT

    def presenter(self, meter: str) -> Presenter:
        """The presenter of all meters."""
        return HomeAssistantPresenter(
            self._settings, self._started, self.readable, stays_available=self._stays_available
        )

    def gone(self, meter: str) -> MqttMessage:
        """Its availability."""
        return MqttMessage(f"{self._settings.base}/{meter}/availability", "offline")

    def last_words(self, meter: str) -> tuple[MqttMessage, ...]:
        """Its status, whose entities go along with the service's availability and not with the meter's."""
        return (MqttMessage(f"{self._settings.base}/{meter}/status", _GONE),)

    def traces(self, meter: str) -> tuple[str, ...]:
        """Its availability and status, and its discovery."""
        words = (each.topic for each in self.last_words(meter))
        return (self.gone(meter).topic, *words, self._settings.place(device_id(meter)).of_device)

    @property
    def service_topics(self) -> tuple[str, ...]:
        """Availability and start, and where the service's own device is announced."""
        service = self._settings.availability_topic(self._settings.base)
        place = self._settings.place(service_id(self._settings.service))
        return (service, started_topic(service), *place.filters, *place.other_filters)

    def retained_topics(self, meter: str) -> tuple[str, ...]:
        """The meter's discovery, and its states and availability."""
        return (*self._settings.place(device_id(meter)).filters, f"{self._settings.base}/{meter}/+")

    def former_topics(self, meter: str) -> tuple[str, ...]:
        """The meter's discovery in the other form."""
        return self._settings.place(device_id(meter)).other_filters

    def harmless_payload(self, meter: str, topic: str) -> str:
        """Discovery of a device without entities: Home Assistant warns of any other text, and of none.

        Of an entity that is not there it is the other way round.
        """
        place = self._settings.place(device_id(meter))
        if topic == place.of_device:
            base = self._settings.base
            topics = Topics.of(self._settings.availability_topic(base), base, meter)
            return device_payload(described_device(Device(meter), topics, ()))
        return "" if topic.startswith(f"{self._settings.discovery_prefix}/") else meter
