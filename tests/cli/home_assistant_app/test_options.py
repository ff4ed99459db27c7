"""What the options of the form mean, and what the Supervisor may answer."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.cli.home_assistant_app.broker import Broker, SupervisorError, ask_for_broker
from smart_meter_reader.cli.home_assistant_app.options import as_options, tables_of, toml_of
from tests.peers.supervisor_http import TOKEN, SupervisorHttp

METER = {"name": "heat", "client": "kamstrup", "port": "/dev/ttyUSB0"}
BROKER = Broker({"host": "core-mosquitto", "port": 1883, "username": "addons", "password": "hidden"})


def test_the_broker_of_the_supervisor_is_used_unless_another_is_named() -> None:
    options: dict[str, Any] = {"meters": [METER], "home_assistant": True, "homie": True, "mqtt_json": False}
    tables = tables_of(options, BROKER, TOKEN)
    assert tables.settings["mqtt"] == {"host": "core-mosquitto", "port": 1883, "username": "addons"}
    assert tables.secrets == {"mqtt": {"password": "hidden"}}
    assert list(tables.settings["sinks"]) == ["home_assistant", "homie", "history", "web"]
    other = tables_of({**options, "mqtt_host": "192.168.1.9", "mqtt_username": ""}, BROKER, TOKEN)
    assert other.settings["mqtt"] == {"host": "192.168.1.9"}


def test_without_a_broker_home_assistant_is_told_directly() -> None:
    tables = tables_of({"meters": [METER], "home_assistant": True}, None, TOKEN)
    assert tables.settings["sinks"]["home_assistant_rest"] == {"url": "http://supervisor/core"}
    assert tables.secrets == {"sinks": {"home_assistant_rest": {"token": TOKEN}}}
    assert "install the app Mosquitto" in tables.remarks[0]
    assert tables_of({"meters": [METER], "home_assistant": False}, None, TOKEN).remarks == ()


def test_a_network_address_is_a_port_and_empty_options_are_none() -> None:
    meter = {**METER, "port": "", "network_address": "socket://10.0.0.2:4001", "key": None, "model": ""}
    tables = tables_of({"meters": [meter]}, None, TOKEN)
    assert tables.settings["meters"] == {"heat": {"client": "kamstrup", "port": "socket://10.0.0.2:4001"}}


@pytest.mark.parametrize(
    ("client", "typed", "setting"),
    [
        ("mbus", "7", {"address": 7}),
        ("mbus", "12345678", {"secondary_address": "12345678"}),
        ("iec62056_21", "12345678", {"address": "12345678"}),
    ],
)
def test_an_address_is_that_of_the_family(client: str, typed: str, setting: dict[str, object]) -> None:
    meter = {"name": "heat", "client": client, "port": "/dev/ttyUSB0"}
    tables = tables_of({"meters": [{**meter, "address": typed}]}, None, TOKEN)
    assert tables.settings["meters"] == {"heat": {"client": client, "port": "/dev/ttyUSB0", **setting}}
    problem = "settings.toml [home] meters.heat.secondary_address: too long"
    assert list(as_options((problem,))) == ["option meters, heat, address: too long"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"meters": "heat"}, "option meters: it is no list"),
        ({"meters": [{"client": "dsmr"}]}, "option meters, number 1: it has no name"),
        ({"meters": [METER, METER]}, "option meters, heat: there are two of this name"),
        ({"meters": [{**METER, "network_address": "socket://a:1"}]}, "either port or network_address"),
        ({"meters": [METER], "mqtt_port": 1883}, "option mqtt_host: it is missing"),
    ],
)
def test_what_cannot_be_a_table_is_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        tables_of(options, None, TOKEN)


def test_problems_of_settings_become_those_of_options() -> None:
    problems = (
        'settings.toml [home] meters.heat.interval: found "x"; allowed: ...',
        ".secrets.toml [home] mqtt.password: found 1; allowed: text",
        "settings.toml [home] log_level: found 1",
        "config.py: cannot be read",
    )
    assert list(as_options(problems)) == [
        'option meters, heat, interval: found "x"; allowed: ...',
        "option mqtt_password: found 1; allowed: text",
        "option log_level: found 1",
        "config.py: cannot be read",
    ]


VALUES = st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**31), 2**31) | st.booleans()


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), VALUES))
def test_whatever_stands_in_an_option_is_toml(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_of({"meters": {"heat": table}})) == {"home": {"meters": {"heat": table}}}


def test_what_the_supervisor_answers() -> None:
    with SupervisorHttp({"host": "core-mosquitto", "port": 8883, "ssl": True, "username": ""}) as supervisor:
        found = ask_for_broker(supervisor.url, TOKEN)
        assert found == Broker({"host": "core-mosquitto", "port": 8883, "tls": True})
        supervisor.broker = None
        assert ask_for_broker(supervisor.url, TOKEN) is None
        supervisor.broker = {}
        assert ask_for_broker(supervisor.url, TOKEN) is None
        with pytest.raises(SupervisorError, match="HTTP status 401"):
            ask_for_broker(supervisor.url, "another")
        for body in (b"", b"<html>", b"[]", b'{"data": 1}'):
            supervisor.body = body
            with pytest.raises(SupervisorError):
                ask_for_broker(supervisor.url, TOKEN)
