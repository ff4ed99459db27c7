"""Values as people type them who come from other programs: each has a sentence that says what to write.

Sources: the config.yaml of kamstrup-402-mqtt and hass-mc66c (broker, com_port, serialport), and the first
hour of newcomers (issue 13: http:// before a host, a port behind it, blanks of copied passwords).
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from smart_meter_reader.drivers import other_names
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.registry import METERS
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.hosts import HOST_PATTERN, host_meant
from smart_meter_reader.settings.names import name_problem, nearest
from smart_meter_reader.settings.schema import Origin, Place, keys_of, parse
from smart_meter_reader.settings.values import Secret
from smart_meter_reader.settings.warnings import DriverTable, warnings_about
from smart_meter_reader.transport import port_meant

PLACE = Place({(): Origin("settings.toml", "home", ())}, ("meters", "heat"))


def told(settings_type: type[Any], **table: Any) -> str:
    """The one problem of a table."""
    settings, problems = parse(settings_type, table, PLACE)
    assert settings is None
    (problem,) = problems
    return problem


@pytest.mark.parametrize(
    "host",
    ["broker", "broker.lan", "192.168.1.10", "::1", "fe80::1%eth0", "smart_meter", "10-0-0-1.lan", "4you"],
)
def test_names_and_addresses_are_hosts(host: str) -> None:
    assert re.fullmatch(HOST_PATTERN, host)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://192.168.1.10", '"192.168.1.10"'),
        ("mqtts://broker:8883", '"broker" with port = 8883'),
        ("mqtt://me:secret@broker:1883/", '"broker" with port = 1883'),
        ("192.168.1.10:1883", '"192.168.1.10" with port = 1883'),
        ("broker.lan/mqtt", '"broker.lan"'),
        ("[::1]", '"::1"'),
        ("[::1]:1884", '"::1" with port = 1884'),
        ("localhost,", '"localhost"'),
        ("192.168.1.300", ""),
        ("192.168.1", ""),
        ("broker lan", ""),
        ("http://", ""),
    ],
)
def test_a_host_is_told_from_what_is_written_around_it(written: str, meant: str) -> None:
    assert not re.fullmatch(HOST_PATTERN, written)
    assert host_meant(written) == meant
    problem = told(BrokerSettings, host=written)
    assert problem.endswith(f"did you mean {meant}?") == bool(meant)
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ttyUSB0", '"/dev/ttyUSB0"'),
        ("dev/ttyACM1", '"/dev/ttyACM1"'),
        ("serial/by-id/usb-1", '"/dev/serial/by-id/usb-1"'),
        ("10.0.0.1:2001", '"socket://10.0.0.1:2001"'),
        ("tcp://meter.lan:2001", '"socket://meter.lan:2001"'),
        ("http://10.0.0.1:2001/", '"socket://10.0.0.1:2001"'),
        ("socket://10.0.0.1:70000", ""),
        ("socket://10.0.0.1", ""),
        ("COM3", ""),
    ],
)
def test_a_port_is_told_from_a_part_of_it(written: str, meant: str) -> None:
    assert port_meant(written) == meant
    assert told(KamstrupSettings, port=written).endswith(f"did you mean {meant}?") == bool(meant)


def test_no_setting_has_a_blank_at_its_ends() -> None:
    problem = told(KamstrupSettings, port="/dev/ttyUSB0 ")
    assert problem.endswith('allowed: the same without a blank at its ends; did you mean "/dev/ttyUSB0"?')


def test_a_number_is_no_port() -> None:
    assert "did you mean" not in told(KamstrupSettings, port=3)


def test_a_password_with_a_blank_is_taken_and_told() -> None:
    table = {"host": "broker", "username": "me", "password": "secret "}
    settings, _ = parse(BrokerSettings, table, PLACE)
    assert settings is not None
    assert settings.password == Secret("secret ")
    (line,) = [
        line for line in warnings_about([DriverTable(BrokerSettings, table, PLACE)], ()) if "blank" in line
    ]
    assert "heat.password: it begins or ends with a blank" in line


def test_a_password_of_digits_wants_quotes_and_shows_nowhere() -> None:
    problem = told(BrokerSettings, host="broker", username="me", password=12345)
    assert problem.endswith("found <hidden>; allowed: text in quotes (a number as well)")


def test_a_key_is_told_with_its_own_place() -> None:
    problem = told(DsmrSettings, port="/dev/ttyUSB0", key="00" * 15)
    assert problem.startswith("settings.toml [home] meters.heat.key: a key has 32")


@pytest.mark.parametrize(
    ("settings_type", "key", "meant"),
    [
        (BrokerSettings, "broker", "host"),
        (BrokerSettings, "mqtt_user", "username"),
        (BrokerSettings, "pass", "password"),
        (KamstrupSettings, "com_port", "port"),
        (KamstrupSettings, "serialport", "port"),
        (KamstrupSettings, "poll_interval", "interval"),
        (KamstrupSettings, "parameters", "registers"),
        (DsmrSettings, "GAK", "authentication_key"),
    ],
)
def test_keys_of_other_programs_are_known(settings_type: type[Any], key: str, meant: str) -> None:
    assert nearest(key, list(keys_of(settings_type))) == f'; did you mean "{meant}"?'


@pytest.mark.parametrize("client", ["MULTICAL 403", "multical_21", "Kamstrup 402", "kamstrupp"])
def test_a_model_tells_its_client(client: str) -> None:
    assert nearest(client, list(METERS), other_names(METERS)) == '; did you mean "kamstrup"?'


def test_a_name_with_an_umlaut_is_written_out() -> None:
    assert name_problem("Wärme", "meters").endswith('did you mean "waerme"?')


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"username": "me"}, ("`password` is not",)),
        ({"port": 8883}, ("8883 is usually the one for `tls` = true",)),
        ({"port": 1883, "tls": True}, ("1883 is usually the one for `tls` = false",)),
        ({"tls": True, "ca": "/nowhere/ca.crt"}, ("there is no file /nowhere/ca.crt",)),
        ({"tls": True, "port": 8883}, ()),
        ({"port": 8883, "transport": "websockets"}, ()),
    ],
)
def test_what_looks_like_a_slip_is_remarked(table: dict[str, Any], words: tuple[str, ...]) -> None:
    settings, problems = parse(BrokerSettings, {"host": "broker", **table}, PLACE)
    assert settings is not None, problems
    assert len(settings.remarks) == len(words)
    assert all(word in remark for word, remark in zip(words, settings.remarks, strict=True))
