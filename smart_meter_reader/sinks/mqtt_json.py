"""The sink `mqtt_json`: readings, states and identities of meters as JSON on topics of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from smart_meter_reader.drivers import SinkDriver
from smart_meter_reader.json_text import message_text
from smart_meter_reader.messages import Message, Reading, Status
from smart_meter_reader.mqtt.message import MqttMessage
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
        "also publish every reading to `history`; those taken while the broker was away follow later",
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


class MqttJsonSink(MqttSink):
    """One JSON object per reading on ``<base>/<meter>/state``; see docs/mqtt.md for all topics."""

    _settings: MqttJsonSettings

    def __init__(self, name: str, settings: MqttJsonSettings) -> None:
        super().__init__(name, settings)

    @property
    def history_size(self) -> int:
        return self._settings.history_size

    def presenter(self, meter: str) -> JsonPresenter:
        return JsonPresenter(self._settings, stays_available=self._stays_available)

    def retained_topics(self, meter: str) -> tuple[str, ...]:
        return (f"{self._settings.base}/{meter}/+",)

    def is_ours(self, meter: str, topic: str, payload: bytes) -> bool:
        last = topic.rpartition("/")[2]
        return last in _PARTS or last in QUANTITIES or last.startswith(_UNNAMED)


class JsonPresenter:
    """What `mqtt_json` publishes. Remembers the newest of every retained topic."""

    subscriptions: tuple[str, ...] = ()

    def __init__(
        self,
        settings: MqttJsonSettings,
        *,
        stays_available: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._now = now
        self._stays_available = stays_available
        self._availability = settings.availability_topic(settings.base)
        self.will: MqttMessage | None = self._state(self._availability, "offline")
        self._newest: dict[str, MqttMessage] = {}
        self._available: dict[str, str] = {}  # by meter
        self._statuses: dict[str, Status] = {}  # the newest, by meter

    def present(self, message: Message) -> list[MqttMessage]:
        if message["type"] == "reading":
            told = self._reading(message)
        elif message["type"] == "status":
            told = self._status(message)
        else:
            told = [
                self._state(self._topic(message["meter"], "info"), message_text(_without_address(message)))
            ]
        self._newest.update((item.topic, item) for item in told if not item.keep)
        return told

    def announce(self) -> list[MqttMessage]:
        return [*self._newest.values(), self._state(self._availability, "online")]

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
                told.append(
                    self._state(self._topic(meter, "status"), message_text(_without_address(stopped)))
                )
                told.append(self._state(self._topic(meter, "availability"), "offline"))
        return [*told, self._state(self._availability, "offline")]

    def received(self, topic: str, payload: bytes) -> bool:
        return False

    def _topic(self, meter: str, part: str) -> str:
        return f"{self._settings.base}/{meter}/{part}"

    def _state(self, topic: str, payload: str) -> MqttMessage:
        """States are retained whatever the settings: who subscribes later has to know them."""
        return MqttMessage(topic, payload, self._settings.qos, retain=True)

    def _reading(self, reading: Reading) -> list[MqttMessage]:
        settings, meter = self._settings, reading["meter"]
        payload = message_text(_nested(reading) if settings.format == "nested" else _flat(reading))
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
        told = [self._state(self._topic(meter, "status"), message_text(_without_address(status)))]
        available = "online" if status["state"] == "online" else "offline"
        if self._available.get(meter) != available:
            self._available[meter] = available
            told.append(self._state(self._topic(meter, "availability"), available))
        return told


def _nested(reading: Reading) -> dict[str, Any]:
    return {key: value for key, value in reading.items() if key not in ("type", "meter")}


def _flat(reading: Reading) -> dict[str, Any]:
    flat: dict[str, Any] = {"time": reading["time"]}
    if "measured_at" in reading:
        flat["measured_at"] = reading["measured_at"]
    for key, measurement in reading["measurements"].items():
        flat[key] = measurement["value"]
        if "measured_at" in measurement:
            flat[f"{key}_measured_at"] = measurement["measured_at"]
    if "authentication" in reading:
        flat["authentication"] = reading["authentication"]
    return flat


def _without_address(message: Mapping[str, Any]) -> dict[str, Any]:
    """The topic says already what it is and of which meter."""
    return {key: value for key, value in message.items() if key not in ("type", "meter")}


DRIVER = SinkDriver(
    sink=f"{__name__}:MqttJsonSink",
    settings=f"{__name__}:MqttJsonSettings",
    examine="smart_meter_reader.mqtt.examination:check_broker",
)
