"""What Home Assistant and Homie are told of meters that send SML, before the eyes of the validators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smart_meter_reader.codecs.sml.frame import SmlFrame
from smart_meter_reader.messages import METER_REPORTS, Current
from smart_meter_reader.meters.sml.heard import HeardMeters
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.sinks.home_assistant.mqtt import HomeAssistantPresenter, HomeAssistantSettings
from smart_meter_reader.sinks.homie.sink import HomieDevicePresenter
from tests.codecs.sml.test_frame import read
from tests.codecs.sml.vectors import GOOD, wire
from tests.validators.home_assistant import HomeAssistant
from tests.validators.homie import HomieValidator, Publish

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
WITHOUT, WITH = "sml-iskra-mt631-nopin", "sml-iskra-mt631-pin"


def messages_of(*names: str) -> list[Current]:
    """What the client publishes of these telegrams, a second apart."""
    heard = HeardMeters("power")
    found: list[Current] = []
    for second, name in enumerate(names):
        (frame,) = (each for each in read(wire(name)) if isinstance(each, SmlFrame))
        for message in frame.messages:
            if message.values is None or (told := heard.read(message.values)) is None:
                continue
            time = NOON + timedelta(seconds=second)
            for each in heard.messages(message.values, told[1], time, 10.0, {"valid_readings": second}):
                assert each["type"] != "past"
                found.append(each)
    return found


def published(messages: list[MqttMessage]) -> list[Publish]:
    return [Publish(each.topic, str(each.payload), each.qos, each.retain) for each in messages]


def in_home_assistant(messages: list[Current]) -> HomeAssistant:
    presenter = HomeAssistantPresenter(HomeAssistantSettings(), NOON)
    home = HomeAssistant()
    home.feed(published(list(presenter.announce())))
    for message in messages:
        home.feed(published(list(presenter.present(message))))
    assert home.problems == []
    return home


def in_homie(messages: list[Current]) -> HomieValidator:
    presenter, validator = HomieDevicePresenter("power", "homie"), HomieValidator()
    for message in messages:
        validator.feed(published(list(presenter.present(message))))
    assert validator.problems == []
    return validator


@pytest.mark.parametrize("name", GOOD)
def test_every_capture_is_accepted(name: str) -> None:
    messages = messages_of(name, name, name)
    states = in_home_assistant(messages).states()
    assert any(key.startswith("sensor.power_active_energy") for key in states)
    assert in_homie(messages).tree("power")["$homie"].startswith("4.")


def test_a_pin_that_comes_and_goes() -> None:
    messages = messages_of(WITHOUT, WITHOUT, WITH, WITH, WITHOUT, WITHOUT, WITHOUT)
    home = in_home_assistant(messages)
    states = home.states()
    assert states["sensor.power_active_energy_import"] == "16786000"
    assert states["sensor.power_info_code_text"] == "PIN missing: only kWh"
    assert states["sensor.power_reported_problems"] == "pin_missing"
    energy = home.config("sensor.power_active_energy_import")
    assert (energy["dev_cla"], energy["stat_cla"], energy["unit_of_meas"]) == (
        "energy",
        "total_increasing",
        "Wh",
    )
    power = home.config("sensor.power_active_power_net")
    assert (power["dev_cla"], power["stat_cla"], power["unit_of_meas"]) == ("power", "measurement", "W")
    tree = in_homie(messages).tree("power")
    assert tree["electricity/active-energy-import"] == "16786000"
    told = [message["reason"] for message in messages if message["type"] == "status"]
    assert told == [METER_REPORTS, "", METER_REPORTS]


def test_an_angle_has_a_unit_and_no_device_class() -> None:
    home = in_home_assistant(messages_of("sml-holley-dtz541-kermit"))
    angle = home.config("sensor.power_phase_angle_l1")
    assert (angle["unit_of_meas"], angle.get("dev_cla"), angle["stat_cla"]) == ("°", None, "measurement")
