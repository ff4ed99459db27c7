"""config.yaml of hass-mc66c: a MULTICAL 66C by IEC 62056-21, to MQTT, Home Assistant's API or the screen.

Facts: its README and config.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.cli.setup.imports.fates import Brought, Theirs

_METER = ("meters", "heat")
_JSON = ("sinks", "mqtt_json")
_REST = ("sinks", "home_assistant_rest")
_BROKER = ("mqtt",)
_NAMED = tuple(
    f"{what}_{key}"
    for what in ("energy", "volume", "temp_in", "temp_out")
    for key in ("entity_id", "friendly_name", "icon")
)


def is_hass_mc66c(tables: Mapping[str, Any]) -> bool:
    """Whether these are its settings."""
    main = tables.get("main")
    return isinstance(main, Mapping) and ("serialport" in main or "destination" in main)


def hass_mc66c(tables: Mapping[str, Any]) -> Brought:
    """What becomes of them."""
    brought = Brought("hass-mc66c")
    brought.set(_METER, "client", "iec62056_21")
    brought.set(_METER, "model", "multical_66c")
    brought.set(_METER, "interval", "1h")
    main = Theirs("main", tables.get("main"), brought)
    main.take_text("serialport", _METER, "port")
    chosen = main.text("destination")
    for key in ("compare_previous_readings", "energy_threshold", "volume_threshold"):
        main.not_needed(key, "the guard refuses counters that fall or jump (docs/guard.md)")
    main.leave()
    http = Theirs("http", tables.get("http"), brought)
    mqtt = Theirs("mqtt", tables.get("mqtt"), brought)
    if chosen == "mqtt":
        brought.fates.append("main.destination: taken as the sink mqtt_json")
        _mqtt(mqtt, brought)
    elif chosen == "http":
        brought.fates.append("main.destination: taken as the sink home_assistant_rest")
        _http(http, brought)
    elif chosen == "screen":
        brought.take("main.destination", ("sinks", "stdout"), "format", "table")
    elif chosen:
        brought.unfit("main.destination", "it is none of mqtt, http and screen")
    _unused("http", tables.get("http"), brought, used=chosen == "http")
    _unused("mqtt", tables.get("mqtt"), brought, used=chosen == "mqtt")
    brought.not_needed("its line in the crontab", "the program stays and reads every hour: interval")
    brought.unknown(str(name) for name in tables if name not in ("main", "http", "mqtt"))
    return brought


def _unused(name: str, table: object, brought: Brought, *, used: bool) -> None:
    if not used and isinstance(table, Mapping):
        brought.not_needed(f"{name} ({len(table)} keys)", "main.destination names another")


def _mqtt(theirs: Theirs, brought: Brought) -> None:
    brought.set(_JSON, "format", "flat")
    theirs.take_text("broker", _BROKER, "host")
    theirs.take_port("port")
    theirs.take_login("username", "password")
    ca, insecure = theirs.text("certificate"), theirs.flag("tls_insecure")
    if ca:
        brought.set(_BROKER, "tls", True)
        brought.take("mqtt.certificate", _BROKER, "ca", ca, remark="and tls = true")
    if ca and insecure:
        brought.take("mqtt.tls_insecure", _BROKER, "insecure", True)
    elif insecure is not None:
        brought.not_needed("mqtt.tls_insecure", "the broker is verified" if ca else "there is no TLS")
    theirs.not_needed("tls_version", "the newest that both sides know is taken, 1.2 at least")
    topic = theirs.text("topic")
    if topic:
        remark = f"values are on {topic}/heat/state, under names such as heat_energy for Energy"
        brought.take("mqtt.topic", _JSON, "base", topic, remark=remark)
    theirs.take_flag("retain", _JSON, "retain")
    theirs.leave()


def _http(theirs: Theirs, brought: Brought) -> None:
    protocol, port = theirs.text("protocol") or "http", theirs.whole("port", 1, 65535) or 8123
    host, url = theirs.text("homeassistant_ip"), theirs.text("url")
    if host or url:
        named = "http.url" if url else "http.protocol, http.homeassistant_ip, http.port"
        brought.take(named, _REST, "url", url or f"{protocol}://{host}:{port}")
    token = theirs.text("token")
    if token:
        brought.take_secret("http.token", _REST, "token", token)
    if theirs.text("api_password"):
        why = "Home Assistant takes no passwords there any more, but long-lived access tokens"
        brought.unfit("http.api_password", why)
    for key in _NAMED:
        theirs.not_needed(key, "names, units and icons are given by themselves")
    theirs.leave()
