"""The Homie presenter: what it publishes for any course of events satisfies the convention."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader import __version__
from smart_meter_reader.messages import STARTING, Current, Info, Reading, Status
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement, Value
from smart_meter_reader.sinks.homie.layout import property_id, slot_of
from smart_meter_reader.sinks.homie.own_address import local_ip, mac_address
from smart_meter_reader.sinks.homie.sink import HomieDevicePresenter, HomieSettings, HomieSink
from tests.validators.homie import HomieValidator, Publish

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)


def reading(**measurements: tuple[Value, str]) -> Reading:
    values: dict[str, Measurement] = {
        key: {"value": value, "unit": unit} for key, (value, unit) in measurements.items()
    }
    return {"type": "reading", "meter": "heat", "time": NOON, "measurements": values}


def status(state: Literal["online", "offline", "alert"], reason: str = "", detail: str = "") -> Status:
    return {
        "type": "status",
        "meter": "heat",
        "time": NOON,
        "state": state,
        "reason": reason,
        "detail": detail,
        "health": {"valid_readings": 3, "latency_ms": 120, "last_valid": NOON},
    }


INFO: Info = {
    "type": "info",
    "meter": "heat",
    "time": NOON,
    "manufacturer": "Kamstrup",
    "model": "MULTICAL 403",
    "serial_number": "12345678",
}
HEAT = reading(heat_energy=(Decimal("227.445"), "GJ"), volume_flow=(Decimal(7), "l/h"), info_code=(0, ""))


def published(messages: Iterable[MqttMessage]) -> list[Publish]:
    return [Publish(m.topic, str(m.payload), m.qos, m.retain) for m in messages]


class Course:
    """A presenter that is fed message by message, under the eyes of the validator."""

    def __init__(self) -> None:
        self.presenter = HomieDevicePresenter("heat", "homie")
        self.validator = HomieValidator()

    def tell(self, *messages: Current) -> list[Publish]:
        return self.see(told for message in messages for told in self.presenter.present(message))

    def see(self, messages: Iterable[MqttMessage]) -> list[Publish]:
        seen = published(messages)
        self.validator.feed(seen)
        assert self.validator.problems == []
        return seen

    @property
    def tree(self) -> dict[str, str]:
        return self.validator.tree("heat")


def payloads(messages: list[Publish], topic: str) -> list[str]:
    return [message.payload for message in messages if message.topic == f"homie/heat/{topic}"]


def test_from_init_over_attributes_to_ready() -> None:
    course = Course()
    course.tell(INFO, status("online"))
    assert course.tree["$state"] == "init"  # it has measured nothing yet
    seen = course.tell(HEAT)
    assert payloads(seen, "$state") == ["init", "ready"]
    assert seen[-1] == Publish("homie/heat/$state", "ready", 1, True)
    assert course.tree == course.tree | {
        "$homie": "4.0.0",
        "$name": "Heat meter",
        "$extensions": "org.homie.legacy-firmware:0.1.1:[4.x]",
        "$fw/name": "smart-meter-reader",
        "$fw/version": __version__,
        "$localip": local_ip(),
        "$mac": mac_address(local_ip()),
        "$nodes": "meter,heat",
        "heat/$name": "Heat",
        "heat/$type": "heat",
        "heat/$properties": "heat-energy,volume-flow",
        "heat/heat-energy": "227.445",
        "heat/heat-energy/$name": "Heat energy",
        "heat/heat-energy/$datatype": "float",
        "heat/heat-energy/$unit": "GJ",
        "heat/heat-energy/$settable": "false",
        "heat/heat-energy/$retained": "true",
        "heat/volume-flow/$unit": "L/h",
        "meter/info-code": "0",
        "meter/info-code/$datatype": "integer",
        "meter/serial-number": "12345678",
        "meter/state": "online",
        "meter/state/$format": "online,offline,alert",
        "meter/valid-readings": "3",
        "meter/last-reading": "2026-02-01T12:00:00Z",
    }


def test_known_quantities_only_publish_their_values() -> None:
    course = Course()
    course.tell(INFO, HEAT)
    seen = course.tell(HEAT)
    assert sorted(message.topic for message in seen) == [
        "homie/heat/heat/heat-energy",
        "homie/heat/heat/volume-flow",
        "homie/heat/meter/info-code",
        "homie/heat/meter/last-reading",
    ]


def test_a_whole_number_may_get_decimals_without_a_change_of_structure() -> None:
    course = Course()
    course.tell(HEAT)
    seen = course.tell(reading(volume_flow=(Decimal("7.25"), "l/h")))
    assert payloads(seen, "heat/volume-flow") == ["7.25"]
    assert payloads(seen, "$state") == []


@pytest.mark.parametrize(
    ("value", "payload"),
    [(Decimal("1E+3"), "1000"), (Decimal("-7.60"), "-7.60"), (Decimal("1E-7"), "0.0000001"), (3, "3")],
)
def test_floats_keep_their_digits_and_have_no_exponent(value: Value, payload: str) -> None:
    assert payloads(Course().tell(reading(power=(value, "kW"))), "heat/power") == [payload]


def test_a_late_property_takes_the_device_back_to_init() -> None:
    course = Course()
    course.tell(HEAT)
    seen = course.tell(reading(power=(Decimal("1.2"), "kW")))
    assert [seen[0].payload, *payloads(seen, "$state")[1:]] == ["init", "ready"]
    assert payloads(seen, "heat/$properties") == ["heat-energy,volume-flow,power"]
    assert payloads(seen, "heat/heat-energy") == ["227.445"]


def test_a_meter_that_changes_its_unit_is_announced_anew() -> None:
    course = Course()
    course.tell(HEAT)
    seen = course.tell(reading(heat_energy=(Decimal("63.179"), "MWh")))
    assert payloads(seen, "$state") == ["init", "ready"]
    assert course.tree["heat/heat-energy/$unit"] == "MWh"
    assert course.tree["heat/heat-energy"] == "63.179"


def test_a_code_that_was_a_number_and_becomes_text_stays_text() -> None:
    course = Course()
    course.tell(reading(info_code=(0, "")))
    course.tell(reading(info_code=("E4", "")))
    assert course.tree["meter/info-code/$datatype"] == "string"
    assert payloads(course.tell(reading(info_code=(0, ""))), "$state") == []


def test_what_is_no_number_where_one_belongs_is_not_published() -> None:
    course = Course()
    seen = course.tell(reading(power=("broken", "kW"), heat_energy=(Decimal("NaN"), "GJ")))
    assert not [message for message in seen if "/heat/heat/" in message.topic]


def test_alert_while_the_meter_fails_and_ready_when_it_is_back() -> None:
    course = Course()
    course.tell(INFO, status("online"), HEAT)
    seen = course.tell(status("offline", "no_answer", "The meter does not answer."))
    assert payloads(seen, "$state") == ["alert"]
    assert payloads(seen, "meter/reason") == ["no_answer"]
    assert course.see(course.presenter.announce())[-1].payload == "alert"
    assert payloads(course.tell(status("online"), HEAT), "$state") == ["ready"]


def test_a_service_that_has_just_started_is_init_and_no_alert() -> None:
    course = Course()
    seen = course.tell(status("offline", STARTING, "waiting for the first reading"), INFO, status("online"))
    assert set(payloads(seen, "$state")) == {"init"}
    assert payloads(course.tell(HEAT), "$state") == ["init", "ready"]


def test_a_meter_that_never_answered_is_an_alert() -> None:
    course = Course()
    seen = course.tell(status("offline", "port_missing", "There is no such port."))
    assert payloads(seen, "$state") == ["init", "alert"]


def test_a_meter_that_comes_back_before_its_first_reading_stays_an_alert_until_then() -> None:
    course = Course()
    course.tell(status("offline", "port_missing", "There is no such port."))
    assert payloads(course.tell(status("online")), "$state") == []
    assert payloads(course.tell(HEAT), "$state") == ["init", "ready"]


def test_after_a_reconnect_everything_again_with_current_values() -> None:
    course = Course()
    course.tell(INFO, HEAT, reading(heat_energy=(Decimal("227.446"), "GJ")))
    seen = course.see(course.presenter.announce())
    assert payloads(seen, "heat/heat-energy") == ["227.446"]
    assert payloads(seen, "$state") == ["init", "ready"]
    assert seen[-1].payload == "ready"


def test_the_will_is_lost_and_the_farewell_disconnected() -> None:
    presenter = HomieDevicePresenter("heat", "homie")
    presenter.present(HEAT)
    assert presenter.will == MqttMessage("homie/heat/$state", "lost", qos=1, retain=True)
    assert presenter.farewell() == [MqttMessage("homie/heat/$state", "disconnected", qos=1, retain=True)]


def test_nothing_is_left_behind_in_the_package() -> None:
    device_base = sys.modules["homie.device_base"]
    homie_mqtt_client = sys.modules["homie.mqtt.homie_mqtt_client"]
    threads = threading.active_count()
    for _ in range(3):
        HomieDevicePresenter("heat", "energy/homie").present(HEAT)
    assert threading.active_count() == threads
    assert device_base.devices == []
    assert homie_mqtt_client.common_mqtt_client is None
    assert homie_mqtt_client.mqtt_clients == []
    assert device_base.HOMIE_SETTINGS["topic"] == "homie"


def test_devices_do_not_mix() -> None:
    one, two = HomieDevicePresenter("one", "homie"), HomieDevicePresenter("two", "energy/homie")
    assert {m.topic.split("/")[1] for m in one.present(HEAT)} == {"one"}
    assert all(m.topic.startswith("energy/homie/two/") for m in two.present(HEAT))


@pytest.mark.parametrize("key", QUANTITIES)
def test_every_quantity_has_a_legal_place(key: str) -> None:
    quantity = QUANTITIES[key]
    texts = {Kind.TEXT, Kind.DATE, Kind.TIME_OF_DAY, Kind.TIMESTAMP}
    value: Value = "2026-01-31" if quantity.kind in texts else Decimal("1.5")
    assert payloads(Course().tell(reading(**{key: (value, "")})), "$state") == ["init", "ready"]
    slot = slot_of(key, value, "", None)
    assert slot is not None
    assert slot.property_id == key.replace("_", "-")


def test_no_two_quantities_share_an_id() -> None:
    assert len({property_id(key) for key in QUANTITIES}) == len(QUANTITIES)


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)
VALUES = st.one_of(NUMBERS, st.integers(-(2**70), 2**70), st.text(max_size=5))
READINGS = st.dictionaries(
    st.sampled_from(sorted(QUANTITIES)), st.tuples(VALUES, st.sampled_from(["", "kWh", "GJ"])), max_size=6
).map(lambda values: reading(**values))
STATUSES = st.sampled_from(
    [
        status("online"),
        status("offline", STARTING, "w"),
        status("offline", "gone", "x"),
        status("alert", "no_key", "y"),
    ]
)


@given(st.lists(st.one_of(READINGS, STATUSES, st.just(INFO), st.just("reconnect")), max_size=12))
def test_any_course_of_events_satisfies_the_convention(events: list[Current | str]) -> None:
    course = Course()
    for event in events:
        if isinstance(event, str):
            course.see(course.presenter.announce())
        else:
            course.tell(event)
    course.see(course.presenter.farewell())


def test_where_the_sink_keeps_what_it_retained() -> None:
    sink = HomieSink("homie", HomieSettings(base="energy"))
    assert sink.retained_topics("heat") == ("energy/heat/#",)
