"""What stays on this computer, and the warning about secrets that leave it unencrypted."""

from __future__ import annotations

from typing import Any

import pytest

from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.network.loopback import is_this_computer
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.settings.warnings import secrets_sent_openly
from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings
from smart_meter_reader.sinks.stdout import StdoutSettings

HERE = [
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "127.0.0.1",
    "127.8.9.1",
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
]
AWAY = [
    "homeassistant.local",
    "broker",
    "localhost.lan",
    "192.0.2.1",
    "::ffff:192.0.2.1",
    "fe80::1",
    "",
]


@pytest.mark.parametrize(("host", "here"), [(h, True) for h in HERE] + [(h, False) for h in AWAY])
def test_what_this_computer_is(host: str, here: bool) -> None:
    assert is_this_computer(host) is here


def broker(host: str, **more: Any) -> BrokerSettings:
    return BrokerSettings(host=host, username="me", password=Secret("hidden-password"), **more)


def rest(url: str) -> HomeAssistantRestSettings:
    return HomeAssistantRestSettings(url=url, token=Secret("hidden-token"))


def test_one_warning_for_all_that_send_the_same_secret_to_the_same_place() -> None:
    sinks = {
        "homie": broker("broker.lan"),
        "mqtt_json": broker("broker.lan"),
        "elsewhere": broker("192.0.2.1"),
        "rest": rest("http://homeassistant.local:8123"),
        "stdout": StdoutSettings(),
    }
    warnings = list(secrets_sent_openly(sinks))
    assert [warning.partition(":")[0] for warning in warnings] == [
        "sinks homie, mqtt_json",
        "sink elsewhere",
        "sink rest",
    ]
    assert "broker.lan:1883" in warnings[0]
    assert "`tls`" in warnings[0]
    assert "https://" in warnings[2]
    assert "hidden" not in "".join(warnings)


@pytest.mark.parametrize(
    "settings",
    [
        broker("localhost"),
        broker("127.0.0.1"),
        broker("broker.lan", tls=True),
        BrokerSettings(host="broker.lan"),
        rest("http://localhost:8123"),
        rest("http://[::1]:8123"),
        rest("https://homeassistant.local:8123"),
    ],
)
def test_no_warning_where_nothing_secret_leaves_unencrypted(settings: object) -> None:
    assert list(secrets_sent_openly({"sink": settings})) == []
