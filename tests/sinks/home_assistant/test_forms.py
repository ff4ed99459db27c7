"""Discovery by device or entity by entity, and the way from one to the other (field, broker.json M18)."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest

from smart_meter_reader.messages import Reading
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantSettings, HomeAssistantSink
from tests.sinks.home_assistant.test_mqtt import CONFIG, HEAT, INFO, NOON, House, reading, status
from tests.validators.home_assistant import HomeAssistant
from tests.validators.homie import Publish

ENERGY = "homeassistant/sensor/smart_meter_reader_heat/heat_energy/config"
PROBLEM = "homeassistant/binary_sensor/smart_meter_reader_heat/problem/config"
MIGRATE = '{"migr_discvry":true}'
LATER: Reading = {**HEAT, "time": NOON + timedelta(seconds=1)}
Form = Literal["device", "single"]


def test_one_payload_for_each_entity() -> None:
    house = House(discovery="single", service="home")
    told = {message.topic: message.payload for message in house.tell(INFO, status("online"), HEAT)}
    assert CONFIG not in told
    config = json.loads(told[ENERGY])
    assert (config["uniq_id"], config["dev"]["ids"]) == (
        "smart_meter_reader_heat_heat_energy",
        ["smart_meter_reader_heat"],
    )
    assert config["avty_mode"] == "all"
    assert [each["t"] for each in config["avty"]][:2] == [
        "smart_meter_reader_ha/availability/home",
        "smart_meter_reader_ha/heat/availability",
    ]
    assert "p" not in config
    assert json.loads(told[PROBLEM])["avty"] == [{"t": "smart_meter_reader_ha/availability/home"}]
    assert "homeassistant/event/smart_meter_reader_heat/value_rejected/config" in told


def test_either_form_gives_the_same_entities() -> None:
    states = []
    forms: tuple[Form, ...] = ("device", "single")
    for form in forms:
        house = House(discovery=form, service="home")
        house.tell(INFO, status("online"), HEAT)
        house.see(house.presenter.announce())
        states.append((house.home.states(), house.home.devices))
    assert states[0] == states[1]


def test_only_what_changes_is_told_again() -> None:
    house = House(discovery="single")
    house.tell(INFO, status("online"), HEAT)
    told = house.tell(reading(power=(Decimal(1), "kW")))
    assert [message.topic for message in told if message.topic.endswith("/config")] == [
        ENERGY.replace("heat_energy", "power")
    ]


def retained(house: House) -> dict[str, str]:
    """What the broker has of a house's discovery."""
    return {topic: text for topic, text in house.home.retained.items() if text and topic.endswith("/config")}


@pytest.mark.parametrize(("before", "after"), [("device", "single"), ("single", "device")])
def test_switching_moves_every_entity_and_leaves_nothing_behind(before: Form, after: Form) -> None:
    old = House(discovery=before, service="home")
    old.tell(INFO, status("online"), HEAT)
    new = House(discovery=after, service="home")
    new.home = old.home
    # The broker answers the subscriptions with what it has, before the meter is read.
    new.tell(INFO)
    for topic, text in retained(old).items():
        new.hear(topic, text.encode())
    new.tell(status("online"), LATER)
    assert old.home.problems == []
    assert "sensor.heat_heat_energy" in old.home.states()
    assert old.home.removed == []
    expected = House(discovery=after, service="home")
    expected.tell(INFO, status("online"), HEAT)
    assert retained(new).keys() == retained(expected).keys()


def test_the_move_and_the_device_are_not_told_in_one_breath() -> None:
    house = House()
    house.tell(INFO, status("online"), HEAT)
    house.home = HomeAssistant()
    avty = [{"t": "smart_meter_reader_ha/availability"}]
    config = json.dumps({"uniq_id": "smart_meter_reader_heat_heat_energy", "avty": avty}).encode()
    told = house.hear(ENERGY, config)
    assert [m.payload for m in told if m.topic == ENERGY] == [MIGRATE]
    assert CONFIG not in [message.topic for message in told]
    assert CONFIG not in [message.topic for message in house.tell(HEAT)]
    after = house.tell(LATER)
    topics = [message.topic for message in after]
    assert topics.index(CONFIG) < topics.index(ENERGY)
    assert [m.payload for m in after if m.topic == ENERGY] == [""]


def test_a_move_that_was_cut_short_is_finished() -> None:
    house = House()
    house.tell(INFO)
    house.hear(ENERGY, MIGRATE.encode())
    told = house.tell(HEAT)
    assert [message.payload for message in told if message.topic == ENERGY] == [""]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b'{"uniq_id":"other"}',
        b'{"uniq_id":["smart_meter_reader_heat_heat_energy"]}',
        b"[" * 100_000,
    ],
)
def test_what_others_write_there_is_left_alone(payload: bytes) -> None:
    house = House()
    house.tell(INFO, HEAT)
    assert house.hear(ENERGY, payload) == []
    assert ENERGY not in [message.topic for message in house.tell(HEAT)]


def test_an_entity_that_an_earlier_run_announced_goes() -> None:
    house = House(discovery="single")
    power = ENERGY.replace("heat_energy", "power")
    earlier = House(discovery="single")
    (config,) = [m for m in earlier.tell(reading(power=(Decimal(1), "kW"))) if m.topic == power]
    house.home.feed([config])
    house.tell(INFO)
    house.hear(power, config.payload.encode())
    house.tell(HEAT, HEAT, HEAT)
    assert house.home.removed == ["smart_meter_reader_heat_power"]


@pytest.mark.parametrize("form", ["device", "single"])
def test_both_forms_are_cleared_and_tried_without_a_trace(form: Form) -> None:
    sink = HomeAssistantSink("home", HomeAssistantSettings(discovery=form))
    filters = {*sink.retained_topics("heat"), *sink.former_topics("heat")}
    assert filters == {
        CONFIG,
        "smart_meter_reader_ha/heat/+",
        *(
            f"homeassistant/{kind}/smart_meter_reader_heat/+/config"
            for kind in ("sensor", "binary_sensor", "event", "button")
        ),
    }
    home = HomeAssistant()
    topics = [topic.replace("+", "mqtt-test") for topic in sink.retained_topics("mqtt-test")]
    home.feed(Publish(topic, sink.harmless_payload("mqtt-test", topic), 1, False) for topic in topics)
    assert (home.problems, home.entities) == ([], {})
