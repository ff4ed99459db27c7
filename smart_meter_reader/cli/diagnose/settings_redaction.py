"""What a report says in the place of settings that name a person, a household, a device or an account.

Which they are is said where each key is declared (``setting(..., identifies=True)``).
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from smart_meter_reader.drivers import imported
from smart_meter_reader.fleet.leases import DRIVER as LEASES
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.registry import METERS
from smart_meter_reader.recordings.pseudonyms import HIDDEN, Pseudonyms
from smart_meter_reader.settings.common import CommonSettings, MeterCommonSettings
from smart_meter_reader.settings.keys import setting_values
from smart_meter_reader.settings.schema import Key, keys_of
from smart_meter_reader.settings.values import is_table
from smart_meter_reader.sinks.registry import SINKS

_Settings = TypeVar("_Settings")

# "FILE [ENV] meters.heat.serial_number: found "X"; allowed: ...; did you mean "Y"?"
_PROBLEM = re.compile(
    r"(?P<path>[\w.-]+)(?P<found>: found ).*(?P<allowed>; allowed: )(?P<rest>.*?)(?:; did you mean .*)?\Z",
    re.DOTALL,
)
# "FILE, line N: what is wrong: found THE LINE; write: ANOTHER"
_SLIP = re.compile(r"(?P<slip>[\w./-]+, line [0-9]+: .*?: found ).*", re.DOTALL)
# udev: usb-<vendor>_<model>_<serial>-if<interface>-port<number>. Any part may hold underscores and colons.
_ADAPTER = re.compile(r"(/by-id/usb-[^_/\s]*_)[^\s\"']*?(-if[0-9]{2}(?:-port[0-9]+)?|(?=[\s\"']|\Z))")
_HOME = r"/(?:home|Users)/[\w.-]+|/root"


def redact_settings(settings: _Settings, names: Pseudonyms) -> _Settings:
    """The settings dataclass of a driver with such values replaced, in its tables too.

    What a meter's settings have becomes the same as in its recording, so that the replayed meter is accepted;
    what else is hidden. A default names nobody.
    """
    driver: Any = settings
    values = setting_values(driver)
    as_recorded = isinstance(settings, ClientSettings)
    redacted: _Settings = dataclasses.replace(
        driver,
        **{
            name: _redacted(key, values[name], names, as_recorded=as_recorded)
            for name, key in keys_of(type(driver)).items()
        },
    )
    return redacted


def redact_number(value: Any, names: Pseudonyms) -> Any:
    """A text or number of a meter's settings as the recording has it, of the same type."""
    return type(value)(names.of(str(value))) if isinstance(value, str | int) else value


def redact_problem(problem: str) -> str:
    """What is wrong with a setting; its value only where every key of that name is known to tell nobody."""

    def shown(found: re.Match[str]) -> str:
        if found["path"].rpartition(".")[2].lower() in _harmless_keys():
            return found[0]
        return f"{found['path']}{found['found']}{HIDDEN}{found['allowed']}{found['rest']}"

    if slip := _SLIP.fullmatch(problem):
        return f"{slip['slip']}{HIDDEN}"
    return _PROBLEM.sub(shown, problem)


def redact_places(text: str) -> str:
    """Paths without the serial numbers of USB adapters and without the names of home folders."""
    own = os.environ.get("HOME", "").rstrip("/")
    homes = rf"{re.escape(own)}|{_HOME}" if own else _HOME
    text = re.sub(rf"(?<![\w.~-])(?:{homes})(?![\w.-])", "~", text)
    return _ADAPTER.sub(rf"\g<1>{HIDDEN}\g<2>", text)


def _redacted(key: Key, value: Any, names: Pseudonyms, *, as_recorded: bool) -> Any:
    if is_table(type(value)):
        return redact_settings(value, names)
    if isinstance(value, Mapping):
        inner = {name: redact_settings(each, names) for name, each in value.items() if is_table(type(each))}
        return MappingProxyType({**value, **inner})
    if not key.identifies or value is None or value == key.default:
        return value
    if as_recorded:
        return redact_number(value, names)
    scheme, found, _ = str(value).partition("://")
    return f"{scheme}://{HIDDEN}" if found else HIDDEN


def _harmless_keys() -> frozenset[str]:
    """Names of keys that tell nobody, whichever driver has them."""
    drivers = [imported(imported(path).settings) for path in (*METERS.values(), *SINKS.values())]
    others = (CommonSettings, MeterCommonSettings, GuardSettings, imported(LEASES.settings))
    keys = [key for each in (*others, *drivers) for key in keys_of(each).values()]
    harmless = _names(key for key in keys if not key.identifies) | {"client", "type"}
    return harmless - _names(key for key in keys if key.identifies)


def _names(keys: Iterable[Key]) -> frozenset[str]:
    return frozenset(key.name for key in keys)
