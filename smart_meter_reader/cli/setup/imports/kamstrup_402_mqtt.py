"""config.yaml of kamstrup-402-mqtt: a MULTICAL read over KMP, one flat JSON object to one topic.

Facts: its README, "Configuration file" and "Kamstrup meter parameters".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.cli.setup.imports.fates import Brought, Theirs
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.quantities.aliases import folded

_METER = ("meters", "heat")
_JSON = ("sinks", "mqtt_json")
_BROKER = ("mqtt",)
_TABLES = ("mqtt", "serial_device", "kamstrup")


def is_kamstrup_402_mqtt(tables: Mapping[str, Any]) -> bool:
    """Whether these are its settings."""
    return "serial_device" in tables or "kamstrup" in tables


def kamstrup_402_mqtt(tables: Mapping[str, Any]) -> Brought:
    """What becomes of them."""
    brought = Brought("kamstrup-402-mqtt")
    brought.set(_METER, "client", "kamstrup")
    serial = Theirs("serial_device", tables.get("serial_device"), brought)
    serial.take_text("com_port", _METER, "port")
    serial.leave()
    meter = Theirs("kamstrup", tables.get("kamstrup"), brought)
    _registers(meter.take("parameters"), brought)
    minutes = meter.whole("poll_interval", 1, 100_000)
    if minutes is not None:
        remark = "an hour (1h) is kinder to the battery; nothing has to keep the meter awake here"
        brought.take("kamstrup.poll_interval", _METER, "interval", f"{minutes}min", remark=remark)
    meter.leave()
    _mqtt(Theirs("mqtt", tables.get("mqtt"), brought), brought)
    brought.unknown(str(name) for name in tables if name not in _TABLES)
    return brought


def _registers(listed: object, brought: Brought) -> None:
    key = "kamstrup.parameters"
    if not isinstance(listed, list):
        if listed is not None:
            brought.unfit(key, "it is no list")
        return
    names: list[str] = []
    for each in listed:
        try:
            quantity = resolve_register(folded(str(each))).quantity
        except ValueError as error:
            brought.unfit(f"{key}, {each}", str(error))
            continue
        if quantity not in names:
            names.append(quantity)
    if names:
        brought.take(key, _METER, "registers", names)


def _mqtt(theirs: Theirs, brought: Brought) -> None:
    theirs.take_text("host", _BROKER, "host")
    theirs.take_port("port")
    theirs.not_needed("client", "the name of the connection is made of environment and sink")
    brought.set(_JSON, "format", "flat")
    topic = theirs.text("topic")
    if topic:
        remark = f"values are on {topic}/heat/state, not on {topic}/values; in the meter's own units"
        brought.take("mqtt.topic", _JSON, "base", topic, remark=remark)
    qos = theirs.whole("qos", 0, 2)
    if qos is not None:
        brought.take("mqtt.qos", _JSON, "qos", qos)
    theirs.take_flag("retain", _JSON, "retain")
    if theirs.flag("authentication") is False:
        for key in ("username", "password"):
            theirs.not_needed(key, "authentication is off")
    else:
        theirs.take_login("username", "password")
    _tls(theirs)
    theirs.leave()


def _tls(theirs: Theirs) -> None:
    keys = {"tls_ca_cert": "ca", "tls_cert": "client_cert", "tls_key": "client_key"}
    if theirs.take_flag("tls_enabled", _BROKER, "tls"):
        for key, ours in keys.items():
            theirs.take_text(key, _BROKER, ours)
        theirs.take_flag("tls_insecure", _BROKER, "insecure")
        return
    for key in (*keys, "tls_insecure"):
        theirs.not_needed(key, "TLS is off")
