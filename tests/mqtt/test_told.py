"""What a connection to a broker says in the log: once for each cause, and what a person can do about it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.mqtt.failures import LinkLostError
from smart_meter_reader.mqtt.limits import TooLarge
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.told import SUSPICIOUS_LOSSES, ConnectionLog
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.settings.values import Secret


def log_of(**settings: Any) -> ConnectionLog:
    return ConnectionLog("house, heat", BrokerSettings(**settings), Outages())


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said since the last time asked."""
    said = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    caplog.clear()
    return said


@pytest.mark.parametrize("client_id", ["", "house"])
async def test_a_broker_that_hangs_up_again_and_again(
    client_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = log_of(client_id=client_id)
    for failures in range(1, 2 * SUSPICIOUS_LOSSES):
        log.failed(LinkLostError("lost", "the link was lost"), None, failures)
    outage, hint = warnings(caplog)
    assert outage == "house, heat: the link was lost; it is tried until it is back"
    assert "does not allow our topics" in hint
    assert ("another client has our `client_id`" in hint) is bool(client_id)


def test_what_the_broker_refuses_is_told_once_for_each_tree(caplog: pytest.LogCaptureFixture) -> None:
    log = log_of(username="reader")
    for topic in ("homie/heat/power", "homie/heat/volume", "other/heat"):
        log.refused(topic, "publish to", "not authorized")
    log.refused("homie/heat/$state", "subscribe to", "not authorized")
    said = warnings(caplog)
    assert [each.partition(" (")[0] for each in said] == [
        "house, heat: the broker does not let us publish to homie/heat/power",
        "house, heat: the broker does not let us publish to other/heat",
        "house, heat: the broker does not let us subscribe to homie/heat/$state",
    ]
    assert said[0].endswith("(not authorized): check what it allows the user reader")
    log_of().refused("a/b", "publish to", "not authorized")
    assert warnings(caplog)[0].endswith("check what it allows the user without a login")


def test_what_is_too_large_is_told_once_for_each_topic(caplog: pytest.LogCaptureFixture) -> None:
    log = log_of()
    for topic in ("a/state", "a/state", "b/state"):
        log.refused(topic, "publish to", TooLarge("it has 300 bytes"))
    said = warnings(caplog)
    assert [each.partition(" is not sent")[0] for each in said] == [
        "house, heat: the message on a/state",
        "house, heat: the message on b/state",
    ]
    assert "since it has 300 bytes: raise its limit" in said[0]


def test_what_others_write_on_our_topics(caplog: pytest.LogCaptureFixture) -> None:
    log = log_of()
    identity = MqttMessage("a/identity", "x", watched="identity")
    status = MqttMessage("a/status", "online", watched="availability")
    for _ in range(2):
        log.overwritten(identity, b"other")
        log.overwritten(status, b"off\x1bline")
        log.overwritten(status, b"")
    log.overwritten(MqttMessage("b/status", "online", watched="availability"), b"x")
    removed, mixed, overwritten = sorted(warnings(caplog), key=lambda text: "removed" not in text)
    mixed, overwritten = sorted((mixed, overwritten), key=lambda text: "same name (" not in text)
    assert "somebody has removed a/status" in removed
    assert "another service publishes a meter of the same name (a/identity)" in mixed
    assert "a/status was overwritten with off" in overwritten
    assert "\x1b" not in overwritten


def test_a_message_that_is_left_out_is_told_once_for_each_kind(caplog: pytest.LogCaptureFixture) -> None:
    log = log_of()
    for why in ("it has 300 bytes", "it has 4000 bytes", "it is retained"):
        log.left_out("a/command\x1b", why)
    said = warnings(caplog)
    assert ["it has 300 bytes" in said[0], "it is retained" in said[1], len(said)] == [True, True, 2]
    assert "\x1b" not in said[0]


async def test_lost_history_is_told_now_and_then_and_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    log = log_of()
    for dropped in (0, 1, 5, 9):
        log.history_dropped(dropped)
    assert ["1 of the oldest" in each for each in warnings(caplog)] == [True]
    log.history_dropped(9, at_the_end=True)
    assert ["8 of the oldest readings or events lost, 9 in all" in each for each in warnings(caplog)] == [
        True
    ]
    log.history_dropped(9, at_the_end=True)
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"password": Secret("x")}, "`password` needs a `username`"),
        ({"username": "x" * 65_536}, "can have 65535 bytes each"),
        ({"tls": True, "client_key": Path("key")}, "`client_key` needs a `client_cert`"),
        ({"ca": Path("ca")}, "set `tls` to true"),
        ({"client_cert": Path("cert")}, "set `tls` to true"),
        ({"insecure": True}, "set `tls` to true"),
    ],
)
def test_settings_of_a_broker_that_do_not_go_together(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        BrokerSettings(**settings)


@pytest.mark.parametrize(
    ("settings", "port"), [({}, 1883), ({"tls": True}, 8883), ({"port": 1}, 1), ({"tls": True, "port": 1}, 1)]
)
def test_the_port_is_the_registered_one(settings: dict[str, Any], port: int) -> None:
    assert BrokerSettings(**settings).effective_port == port
    assert BrokerSettings().topic_trees == BrokerSettings().trees == {}
