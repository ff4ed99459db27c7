"""The sink `mqtt_json`: readings, states and identities of meters as JSON on topics of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from smart_meter_reader.drivers import SinkDriver
from smart_meter_reader.json_text import message_text
from smart_meter_reader.messages import Current, Past, Reading, Status
from smart_meter_reader.messages.forms import flat, nested, told_later, without_address
from smart_meter_reader.mqtt.message import Command, MqttMessage, Watched
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.text import plain

_PARTS = ("state", "availability", "status", "info")
# So begins the key of a value that the catalogue has no name for.
_UNNAMED = "register_"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttJsonSettings(BrokerSettings):
    """Settings of the sink `mqtt_json`."""

    base: str = setting(
        "topics begin with this",
        default="smart-meter-reader",
        pattern="[^/+#$][^+#]*[^/+#]|[^/+#$]",
        pattern_help="a topic without + and #, not beginning with $, without / at its ends",
        identifies=False,
    )
    format: Literal["nested", "flat"] = setting(
        'nested: {"power": {"value": 1.2, "unit": "kW"}}; flat: {"power": 1.2}', default="nested"
    )
    value_topics: bool = setting("also publish every value on a topic of its own", default=False)
    history: bool = setting(
        "also publish every reading to `history`; those taken while the broker was away follow later, and so "
        "does what a meter had in its own memory",
        default=False,
    )
    history_size: int = setting(
        "readings kept while the broker is away (with `history`)",
        default=10_000,
        minimum=1,
        maximum=1_000_000,
    )
    qos: int = setting("MQTT quality of service", default=1, minimum=0, maximum=2)
    retain: bool = setting("let the broker keep the newest reading for later subscribers", default=True)

    @property
    def takes_past(self) -> bool:
        """With the topic on which every reading counts."""
        return self.history

    @property
    def topic_trees(self) -> Mapping[str, str]:
        """All that it publishes stands below its base."""
        return {"base": self.base}

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        topics = ", ".join(f"{self.base}/{meter}/state" for meter in meters)
        yield f"MQTT: {topics}"


class MqttJsonSink(MqttSink):
    """One JSON object per reading on ``<base>/<meter>/state``; see docs/mqtt.md for all topics."""

    _settings: MqttJsonSettings

    def __init__(self, name: str, settings: MqttJsonSettings) -> None:
        super().__init__(name, settings)

    @property
    def history_size(self) -> int:
        return self._settings.history_size

    @property
    def takes_past(self) -> bool:
        return self._settings.takes_past

    def past(self, past: Past) -> list[MqttMessage]:
        """A message for each row, like a reading of that time, and with what tells it from one."""
        settings, topic = self._settings, f"{self._settings.base}/{past['meter']}/history"
        qos, receipt = max(1, settings.qos), past.get("receipt", "")
        return [
            MqttMessage(
                topic,
                message_text(told_later(past, row, settings.format)),
                qos,
                retain=False,
                keep=True,
                receipt=receipt,
            )
            for row in past["rows"]
        ]

    def presenter(self, meter: str) -> JsonPresenter:
        return JsonPresenter(self._settings, self.readable, stays_available=self._stays_available)

    def gone(self, meter: str) -> MqttMessage:
        """Its availability."""
        return MqttMessage(f"{self._settings.base}/{meter}/availability", "offline")

    @property
    def service_topics(self) -> tuple[str, ...]:
        return (self._settings.availability_topic(self._settings.base),)

    def retained_topics(self, meter: str) -> tuple[str, ...]:
        return (f"{self._settings.base}/{meter}/+",)

    def is_ours(self, meter: str, topic: str, payload: bytes) -> bool:
        last = topic.rpartition("/")[2]
        return last in _PARTS or last in QUANTITIES or last.startswith(_UNNAMED)


class JsonPresenter:
    """What `mqtt_json` publishes. Remembers the newest of every retained topic."""

    def __init__(
        self,
        settings: MqttJsonSettings,
        readable: Iterable[str] = (),
        *,
        stays_available: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._now = now
        self._stays_available = stays_available
        self._availability = settings.availability_topic(settings.base)
        self.watched: tuple[str, ...] = (self._availability,)
        self.will: MqttMessage | None = self._state(self._availability, "offline", "availability")
        self.commands: Mapping[str, Command] = {
            self._topic(meter, "read"): Command(meter) for meter in readable
        }
        self.subscriptions: tuple[str, ...] = tuple(self.commands)
        self._newest: dict[str, MqttMessage] = {}
        self._available: dict[str, str] = {}  # by meter
        self._statuses: dict[str, Status] = {}  # the newest, by meter

    def present(self, message: Current) -> list[MqttMessage]:
        if message["type"] == "reading":
            told = self._reading(message)
        elif message["type"] == "status":
            told = self._status(message)
        else:
            told = [
                self._watched(message["meter"], "info", message_text(without_address(message)), "identity")
            ]
        for item in told:
            if not item.keep:
                self._newest[item.topic] = item
        return told

    def announce(self) -> list[MqttMessage]:
        return [*self._newest.values(), self._state(self._availability, "online", "availability")]

    def farewell(self) -> list[MqttMessage]:
        if self._stays_available:
            return []
        told = []
        for meter, available in self._available.items():
            if available == "online":
                stopped = self._statuses[meter] | {
                    "time": self._now(),
                    "state": "offline",
                    "reason": "stopped",
                    "detail": "the service was stopped",
                }
                told.append(self._state(self._topic(meter, "status"), message_text(without_address(stopped))))
                told.append(self._watched(meter, "availability", "offline", "availability"))
        return [*told, self._state(self._availability, "offline", "availability")]

    def received(self, topic: str, payload: bytes) -> bool:
        return False

    def _topic(self, meter: str, part: str) -> str:
        return f"{self._settings.base}/{meter}/{part}"

    def _state(self, topic: str, payload: str, watched: Watched = "") -> MqttMessage:
        """States are retained whatever the settings: who subscribes later has to know them."""
        return MqttMessage(topic, payload, self._settings.qos, retain=True, watched=watched)

    def _watched(self, meter: str, part: str, payload: str, kind: Watched) -> MqttMessage:
        topic = self._topic(meter, part)
        if topic not in self._newest and topic not in self.watched:
            self.watched += (topic,)
        return self._state(topic, payload, kind)

    def _reading(self, reading: Reading) -> list[MqttMessage]:
        settings, meter = self._settings, reading["meter"]
        payload = message_text(nested(reading) if settings.format == "nested" else flat(reading))
        told = [MqttMessage(self._topic(meter, "state"), payload, settings.qos, settings.retain)]
        if settings.value_topics:
            told += [
                MqttMessage(self._topic(meter, key), plain(entry["value"]), settings.qos, settings.retain)
                for key, entry in reading["measurements"].items()
            ]
        if settings.history:
            # At QoS 0 nobody would notice the loss of what was kept for the sake of not losing it.
            qos = max(1, settings.qos)
            told.append(MqttMessage(self._topic(meter, "history"), payload, qos, retain=False, keep=True))
        return told

    def _status(self, status: Status) -> list[MqttMessage]:
        meter = status["meter"]
        self._statuses[meter] = status
        told = [self._state(self._topic(meter, "status"), message_text(without_address(status)))]
        available = "online" if status["state"] == "online" else "offline"
        if self._available.get(meter) != available:
            self._available[meter] = available
            told.append(self._watched(meter, "availability", available, "availability"))
        return told


DRIVER = SinkDriver(
    sink=f"{__name__}:MqttJsonSink",
    settings=f"{__name__}:MqttJsonSettings",
    examine="smart_meter_reader.mqtt.examination:check_broker",
    called=("mqtt",),
    past="`mqtt_json` with history = true",
)
