"""settings.toml, and .secrets.toml beside it, of the older Smart Meter Reader (mueli): one meter a table.

Facts: its settings.toml and the keys that its clients and its Homie sink look up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.cli.setup.imports.fates import Brought, Theirs
from smart_meter_reader.settings.names import METER_NAME

_BROKER = ("mqtt",)
_SHARED = ("global", "default")
_KEPT_OUT = "dummy"
# Its clients by their id: ours, and what the meter is called where Homie's id does not fit.
_CLIENTS = {"kamstrup_403": ("kamstrup", "heat"), "sagemcom_T210_D_r": ("dsmr", "electricity")}
_INTERVALS = {"kamstrup": "1h", "dsmr": "10s"}


def is_mueli(tables: Mapping[str, Any]) -> bool:
    """Whether these are its settings."""
    return any(
        isinstance(table, Mapping) and isinstance(table.get("client"), Mapping) and "id" in table["client"]
        for table in tables.values()
    )


def mueli(tables: Mapping[str, Any], secrets: Mapping[str, Any]) -> Brought:
    """What becomes of them: all its environments are meters of one here."""
    brought = Brought("the older Smart Meter Reader")
    for name in _SHARED:
        if name in tables or name in secrets:
            _shared(_merged(tables.get(name), secrets.get(name)), name, brought)
    for name in dict.fromkeys([*tables, *secrets]):
        if name in _SHARED:
            continue
        table = _merged(tables.get(name), secrets.get(name))
        client = table.get("client")
        if isinstance(client, Mapping) and client.get("id") == _KEPT_OUT:
            brought.not_needed(f"[{name}]", "it is a meter that does not exist")
        else:
            _environment(table, str(name), brought)
    return brought


def _shared(table: Mapping[str, Any], name: str, brought: Brought) -> None:
    theirs = Theirs(name, table, brought)
    level = theirs.text("debug_level")
    if level:
        brought.not_needed(f"{name}.debug_level", 'log_level is INFO here; "DEBUG" says more')
    theirs.take_text("mqtt_broker", _BROKER, "host")
    theirs.take_port("mqtt_port")
    theirs.take_login("mqtt_username", "mqtt_password")
    theirs.leave()


def _environment(table: Mapping[str, Any], name: str, brought: Brought) -> None:
    theirs = Theirs(name, table, brought)
    theirs.not_needed("dynaconf_merge", "tables are always joined")
    client = Theirs(f"{name}.client", theirs.take("client"), brought)
    kind = client.text("id")
    if kind not in _CLIENTS:
        brought.unfit(f"{name}.client.id", "there is no such client here" if kind else "it is missing")
        return
    ours, usual = _CLIENTS[kind]
    meter = ("meters", _homie(theirs, name, usual, brought))
    brought.take(f"{name}.client.id", meter, "client", ours)
    brought.set(meter, "interval", _INTERVALS[ours])
    serial = Theirs(f"{name}.client.serial", client.take("serial"), brought)
    serial.take_text("port", meter, "port")
    serial.not_needed("settings", "the speed of the line is found out")
    serial.leave()
    for key, own in (("guek", "key"), ("gak", "authentication_key")):
        secret = client.text(key)
        if secret and not secret.startswith("<"):
            brought.take_secret(f"{name}.client.{key}", meter, own, secret)
    for key in ("telegram_specification", "kamstrup_403"):
        client.not_needed(key, "the dialect is recognised")
    client.leave()
    theirs.not_needed("telegram_specification", "the dialect is recognised")
    theirs.leave()


def _homie(theirs: Theirs, name: str, usual: str, brought: Brought) -> str:
    """The name of the meter: the id of its Homie device, so that its topics begin as before."""
    sink = Theirs(f"{name}.sink", theirs.take("sink"), brought)
    homie = Theirs(f"{name}.sink.homie", sink.take("homie"), brought)
    device = homie.text("id")
    brought.add(("sinks", "homie"))
    sink.not_needed("ids", "taken as the sink homie")
    for key in ("name", "device_type"):
        homie.not_needed(key, "name and properties follow from the meter")
    homie.leave()
    sink.leave()
    if METER_NAME.fullmatch(device):
        brought.fates.append(f"{name}.sink.homie.id: taken as the name of the meter, {device}")
        return device
    if device:
        brought.unfit(f"{name}.sink.homie.id", "a meter's name is made of a-z, 0-9 and -")
    return usual


def _merged(table: object, over: object) -> dict[str, Any]:
    """Two tables, key by key."""
    merged = dict(table) if isinstance(table, Mapping) else {}
    for key, value in over.items() if isinstance(over, Mapping) else ():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
