"""From the options of the app to tables of settings, and from their errors back to options. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from smart_meter_reader.cli.home_assistant_app.broker import Broker
from smart_meter_reader.drivers import imported
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.registry import METERS, meter_driver

ENVIRONMENT = "home"
INGRESS_PORT = 8099
# In the Supervisor's network; the token is the app's own ("App communication").
_HOME_ASSISTANT = "http://supervisor/core"
_SECRET = frozenset({"key", "authentication_key", "password", "token"})
# As in the form: what is no port of this computer has a field of its own.
_NETWORK = "network_address"
_BROKER = "mqtt_"
_ADDRESS = "address"
_SINKS = ("home_assistant", "homie", "mqtt_json")
_PLACE = re.compile(rf"^\.?\w+\.toml \[{ENVIRONMENT}\] ")

OptionsTable = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AppTables:
    """What belongs into settings.toml and .secrets.toml, below the environment; and what to tell."""

    settings: OptionsTable = field(repr=False)
    secrets: OptionsTable = field(repr=False)
    remarks: tuple[str, ...] = ()


def tables_of(
    options: Mapping[str, Any], found: Broker | None, token: str, page_port: int = INGRESS_PORT
) -> AppTables:
    """The settings that the options mean; ``found`` is the Supervisor's broker, ``token`` lets us in there.

    Raises ValueError, which names the option, for what cannot be a table at all; all else is for ``check``.
    """
    tables: OptionsTable = {"meters": _meters(options), "sinks": {}}
    remarks: list[str] = []
    if level := options.get("log_level"):
        tables["log_level"] = level
    wanted = [name for name in _SINKS if options.get(name)]
    broker = _own_broker(options) or (found.settings if found else {})
    if broker:
        tables["mqtt"] = broker
        tables["sinks"].update({name: {} for name in wanted})
    elif wanted:
        remarks.append(
            "no broker: install the app Mosquitto, or set the option mqtt_host. Until then "
            + ("Home Assistant gets its values directly" if "home_assistant" in wanted else "nothing is sent")
        )
        if "home_assistant" in wanted:
            tables["sinks"]["home_assistant_rest"] = {"url": _HOME_ASSISTANT, "token": token}
    tables["sinks"]["history"] = {}
    tables["sinks"]["web"] = page_table(page_port)
    settings, secrets = _apart(tables)
    return AppTables(settings, secrets, tuple(remarks))


def page_table(port: int) -> OptionsTable:
    """The page that Home Assistant shows in its own, and answers to nobody else."""
    return {"host": "0.0.0.0", "port": port, "home_assistant_ingress": True}  # noqa: S104


def toml_of(tables: Mapping[str, Any], path: tuple[str, ...] = (ENVIRONMENT,)) -> str:
    """AppTables as TOML."""
    values = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    lines = [
        f"[{'.'.join(map(_text, path))}]",
        *(f"{_text(key)} = {_text(value)}" for key, value in values.items()),
    ]
    inner = [toml_of(value, (*path, key)) for key, value in tables.items() if isinstance(value, Mapping)]
    return "\n".join([*lines, "", *inner])


def as_options(problems: tuple[str, ...]) -> Iterator[str]:
    """What `check` says of the settings that we wrote, in the words of the form."""
    for problem in problems:
        place, colon, rest = _PLACE.sub("", problem).partition(": ")
        yield f"option {_option(place)}{colon}{rest}" if _PLACE.match(problem) else problem


def _option(place: str) -> str:
    """``meters.heat.interval`` becomes "meters, heat, interval", ``mqtt.host`` mqtt_host."""
    first, *keys = place.split(".")
    if first == "mqtt" and keys:
        return _BROKER + ".".join(keys)
    return ", ".join([first, *(_ADDRESS if key.endswith(_ADDRESS) else key for key in keys)])


def _meters(options: Mapping[str, Any]) -> OptionsTable:
    meters = options.get("meters", [])
    if not isinstance(meters, list) or not all(isinstance(each, dict) for each in meters):
        raise ValueError("option meters: it is no list of meters")
    found: OptionsTable = {}
    for number, each in enumerate(meters, 1):
        name = each.get("name")
        if not isinstance(name, str) or not name:
            raise ValueError(f"option meters, number {number}: it has no name")
        if name in found:
            raise ValueError(f"option meters, {name}: there are two of this name")
        found[name] = _meter(name, each)
    return found


def _meter(name: str, option: Mapping[str, Any]) -> OptionsTable:
    keys = {key: value for key, value in option.items() if key != "name" and value not in (None, "")}
    address = keys.pop(_NETWORK, "")
    if address and "port" in keys:
        raise ValueError(f"option meters, {name}: either port or {_NETWORK}, not both")
    if address:
        keys["port"] = address
    client = keys.get("client")
    if _ADDRESS in keys and isinstance(client, str) and client in METERS:
        family: type[ClientSettings] = imported(meter_driver(client).settings)
        keys |= family.address_keys(str(keys.pop(_ADDRESS)))
    return keys


def _own_broker(options: Mapping[str, Any]) -> OptionsTable:
    """The broker of the options; none without its host."""
    named = {key: value for key, value in options.items() if key.startswith(_BROKER) and key not in _SINKS}
    keys = {key.removeprefix(_BROKER): value for key, value in named.items() if value not in (None, "")}
    if keys and "host" not in keys:
        raise ValueError(f"option {_BROKER}host: it is missing; the other options of the broker need it")
    return keys


def _apart(tables: Mapping[str, Any]) -> tuple[OptionsTable, OptionsTable]:
    """What everybody may read, and the secrets, under the same names."""
    settings: OptionsTable = {}
    secrets: OptionsTable = {}
    for key, value in tables.items():
        if isinstance(value, Mapping):
            settings[key], kept = _apart(value)
            if kept:
                secrets[key] = kept
        else:
            (secrets if key in _SECRET else settings)[key] = value
    return settings, secrets


def _text(value: object) -> str:
    """A value, or a key in quotes. JSON's are TOML's but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
