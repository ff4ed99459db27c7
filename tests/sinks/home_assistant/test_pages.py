"""What a person sees on the pages of a meter and of the service (field, broker.json M13, M20, M46)."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader import __homepage__, __version__
from smart_meter_reader.messages import STARTING, Info, Reading
from smart_meter_reader.quantities import QUANTITIES
from tests.sinks.home_assistant.test_mqtt import CONFIG, HEAT, INFO, NOON, House, reading, status

P1 = reading(
    "p1",
    active_power_import=(Decimal("0.1"), "kW"),
    current_l1=(Decimal(1), "A"),
    gas_volume=(Decimal("1.234"), "m³"),
)


def configs(house: House, *messages: Any) -> list[dict[str, Any]]:
    return [json.loads(told.payload) for told in house.tell(*messages) if told.topic == CONFIG]


class TestOnePayload:
    """home-assistant/core#68785, #44730: of two, the second's new components are lost."""

    @pytest.mark.parametrize("first", [[], [status("offline", STARTING, "waiting for the first reading")]])
    def test_who_it_is_that_it_is_there_and_what_it_reads_make_one(self, first: list[Any]) -> None:
        (config,) = configs(House(), *first, INFO, status("online"), HEAT)
        assert config["dev"]["mdl"] == "MULTICAL 403"
        assert {"heat_energy", "status", "last_reading", "problem"} <= config["cmps"].keys()

    def test_after_it_only_what_changes(self) -> None:
        house = House()
        house.tell(INFO, status("online"), HEAT)
        assert configs(house, INFO, status("offline", "no_answer", "x"), status("online"), HEAT) == []
        other: Info = {**INFO, "serial_number": "2"}
        (config,) = configs(house, other, reading(power=(Decimal(1), "kW")))
        assert (config["dev"]["sn"], "power" in config["cmps"]) == ("2", True)

    def test_a_meter_that_is_not_read_is_there_with_its_trouble(self) -> None:
        house = House()
        (config,) = configs(
            house, status("offline", STARTING, "x"), INFO, status("offline", "no_answer", "y")
        )
        assert "status" in config["cmps"]

    def test_a_meter_that_is_known_is_announced_again_whatever_it_waits_for(self) -> None:
        house = House()
        house.tell(INFO, HEAT, INFO)
        assert CONFIG in [message.topic for message in house.presenter.announce()]

    def test_behind_a_p1_meter_each_has_one(self) -> None:
        house = House()
        sub: Info = {"type": "info", "meter": "p1-gas", "time": NOON, "via": "p1"}
        gas = reading("p1-gas", gas_volume=(Decimal("1.5"), "m³"))
        seen = house.tell(
            {**INFO, "meter": "p1"},
            status("online", meter="p1"),
            P1,
            sub,
            status("online", meter="p1-gas"),
            gas,
        )
        told = [message.topic for message in seen if message.topic.endswith("/config")]
        assert len(told) == len(set(told)) == 2


class TestPrecision:
    @pytest.mark.parametrize(
        ("value", "unit", "shown"), [("0.1", "kW", 1), ("1", "A", 0), ("0.074", "m³/h", 3), ("1E+3", "W", 0)]
    )
    def test_as_many_decimals_as_the_meter_sends(self, value: str, unit: str, shown: int) -> None:
        house = House()
        house.tell(reading(power=(Decimal(value), unit)))
        assert house.home.config("sensor.heat_power")["sug_dsp_prc"] == shown

    def test_more_of_them_stay_and_nothing_flaps(self) -> None:
        house = House()
        house.tell(reading(power=(Decimal("0.1"), "kW")))
        assert len(configs(house, reading(power=(Decimal("0.12"), "kW")))) == 1
        assert configs(house, *[reading(power=(Decimal(v), "kW")) for v in ("1", "0.1", "0.13", "2.0")]) == []
        assert house.home.config("sensor.heat_power")["sug_dsp_prc"] == 2

    def test_what_is_no_number_does_not_count(self) -> None:
        house = House()
        house.tell(reading(power=(Decimal("NaN"), "kW")))
        house.tell(reading(power=("12,345", "kW")), reading(power=(Decimal("12.5"), "kW")))
        assert house.home.config("sensor.heat_power")["sug_dsp_prc"] == 1

    def test_another_unit_begins_anew(self) -> None:
        house = House()
        house.tell(reading(heat_energy=(Decimal("1.234"), "GJ")), reading(heat_energy=(Decimal(343), "kWh")))
        assert house.home.config("sensor.heat_heat_energy")["sug_dsp_prc"] == 0


def test_everything_has_a_sign_of_its_own() -> None:
    house = House()
    house.tell(reading(**{key: (Decimal(7), "") for key in QUANTITIES}))
    house.tell(status("online"))
    assert len(house.home.entities) > len(QUANTITIES)
    for entity in house.home.entities.values():
        config = entity.config
        assert ("ic" in config) == (config.get("dev_cla") in (None, "enum")), config


def test_what_hardly_anybody_looks_at_is_switched_off_at_first() -> None:
    house = House()
    told = status("online")
    told["health"] = {
        "valid_readings": 1,
        "retries": 0,
        "latency_ms": 4,
        "rejected_values": 0,
        "reconnects": 0,
    }
    house.tell(told, reading(config_number_1=(Decimal(5), ""), info_code=(0, ""), operating_hours=(7, "h")))
    off = {
        entity.config["name"] for entity in house.home.entities.values() if entity.config.get("en") is False
    }
    assert off == {"Valid readings", "Retries", "Latency", "Reconnects", "Configuration 1"}


def test_a_version_of_p1_is_no_firmware_and_without_encryption_nothing_is_authentic() -> None:
    house = House()
    info: Info = {"type": "info", "meter": "p1", "time": NOON, "p1_version": "50"}
    plain: Reading = {**P1, "authentication": "none"}
    house.tell(info, plain)
    assert "sw" not in house.home.devices["smart_meter_reader_p1"]
    assert "sensor.p1_authentication" not in house.home.states()
    house.tell({**P1, "authentication": "verified"}, plain)
    assert house.home.states()["sensor.p1_authentication"] == "none"


def test_an_authentication_that_an_earlier_run_announced_of_a_plain_meter_goes() -> None:
    earlier = House()
    (config,) = configs(earlier, {**HEAT, "authentication": "verified"})
    house = House()
    house.tell(INFO)
    house.hear(CONFIG, json.dumps(config).encode())
    (last,) = configs(house, *[{**HEAT, "authentication": "none"}] * 3)[-1:]
    assert last["cmps"]["authentication"] == {"p": "sensor"}


class TestProblem:
    PROBLEM = "binary_sensor.heat_problem"

    def test_of_the_meter_by_its_own_code(self) -> None:
        house = House()
        house.tell(status("online"), HEAT)
        assert house.home.states()[self.PROBLEM] == "OFF"
        house.tell(reading(info_code=(Decimal(16), "")), status("online"), reading(power=(Decimal(1), "kW")))
        assert house.home.states()[self.PROBLEM] == "ON"
        house.tell(HEAT)
        assert house.home.states()[self.PROBLEM] == "OFF"

    @pytest.mark.parametrize(
        ("code", "state"),
        [
            ("00000000", "OFF"),
            ("0", "OFF"),
            ("", "OFF"),
            ("00000010", "ON"),
            ("E1", "ON"),
            (Decimal("0.0"), "OFF"),
        ],
    )
    def test_of_a_meter_with_an_error_code(self, code: Any, state: str) -> None:
        house = House()
        house.tell(status("online"), reading(error_code=(code, "")))
        assert house.home.states()[self.PROBLEM] == state

    def test_of_the_reading_by_an_alert(self) -> None:
        house = House()
        house.tell(HEAT, status("alert", "no_key", "x"))
        assert house.home.states()[self.PROBLEM] == "ON"
        house.tell(status("online"))
        assert house.home.states()[self.PROBLEM] == "OFF"


def test_connected_is_a_meter_that_is_read() -> None:
    house = House()
    house.tell(status("online"), HEAT)
    assert house.home.states()["binary_sensor.heat_connected"] == "ON"
    house.tell(status("offline", "no_answer", "x"))
    assert house.home.states()["binary_sensor.heat_connected"] == "OFF"


class TestEvents:
    def test_each_is_told_once(self) -> None:
        house = House()
        house.tell(status("online"), HEAT)
        rejected = status("online", "implausible_value", "heat_energy held back")
        house.tell(rejected, rejected, status("online", "new_baseline", "agreed"), status("online"))
        house.tell(status("online", "meter_replaced", "the serial number was 1 and is 2 now"))
        assert house.home.events == [
            ("event.heat_value_rejected", "implausible_value"),
            ("event.heat_value_rejected", "new_baseline"),
            ("event.heat_meter_replaced", "meter_replaced"),
        ]

    def test_they_are_not_said_again(self) -> None:
        house = House()
        house.tell(status("online"), HEAT, status("online", "meter_replaced", "x"))
        house.see(house.presenter.announce())
        assert len(house.home.events) == 1

    def test_they_wait_for_the_broker(self) -> None:
        presenter = House().presenter
        told = presenter.present(status("online", "meter_replaced", "x"))
        (event,) = [message for message in told if "/event/" in message.topic]
        assert json.loads(event.payload) == {
            "event_type": "meter_replaced",
            "detail": "x",
            "time": "2026-02-01T12:00:00Z",
        }
        assert (event.keep, event.retain, event.topic) == (
            True,
            False,
            "smart_meter_reader_ha/heat/event/meter_replaced",
        )


class TestService:
    def test_it_is_a_device_that_goes_with_it(self) -> None:
        house = House(service="home")
        house.tell(INFO, HEAT)
        house.see(house.presenter.announce())
        device = house.home.devices["smart_meter_reader_service_home"]
        assert (device["name"], device["sw"]) == ("Meter reader home", __version__)
        assert (
            house.home.devices["smart_meter_reader_heat"]["via_device"] == "smart_meter_reader_service_home"
        )
        states = house.home.states()
        assert states["binary_sensor.meter_reader_home_running"] == "online"
        assert states["sensor.meter_reader_home_started"] == "2026-02-01T12:00:00Z"
        house.see(house.presenter.farewell())
        assert set(house.home.states().values()) == {"unavailable"}

    def test_no_meter_has_its_name(self) -> None:
        house = House(service="a b/c".replace("/", ""))
        house.tell(reading("service", power=(Decimal(1), "kW")))
        assert {"smart_meter_reader_service", "smart_meter_reader_service_a_bc"} == house.home.devices.keys()


def test_why_there_is_no_gas_is_told_on_a_page_of_its_own() -> None:
    house = House()
    sub: Info = {"type": "info", "meter": "p1-gas", "time": NOON, "via": "p1", "serial_number": "G42"}
    why = "the gas meter G42 on M-Bus channel 1 has no valid reading"
    house.tell(P1, sub, status("offline", "no_reading", why, meter="p1-gas"))
    assert house.home.states()["sensor.p1_gas_status_reason"] == "no_reading"
    assert house.home.states()["sensor.p1_gas_status_detail"] == why
    assert house.home.devices["smart_meter_reader_p1-gas"]["via_device"] == "smart_meter_reader_p1"


def test_the_help_link_is_the_homepage_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project.get("urls", {}).get("Homepage", "") == __homepage__
    house = House()
    (config,) = configs(house, HEAT)
    assert config["o"].get("url", "") == __homepage__


@pytest.mark.parametrize("form", ["device", "single"])
def test_each_device_links_to_the_page_that_the_settings_name(form: str) -> None:
    url = "http://192.168.1.20:8080/"
    house = House(discovery=form, configuration_url=url)
    house.tell(HEAT, reading(power=(Decimal("6.7"), "kW")))
    assert len(house.home.devices) == 2
    assert {device["cu"] for device in house.home.devices.values()} == {url}


def test_without_an_address_there_is_no_link() -> None:
    house = House()
    house.tell(HEAT, reading(power=(Decimal("6.7"), "kW")))
    assert not any("cu" in device for device in house.home.devices.values())
