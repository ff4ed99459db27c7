"""Which settings name a person, a device or an account, and what a report says in their place."""

from __future__ import annotations

import os
import re
from dataclasses import fields, replace
from typing import Any, TypeVar

from smart_meter_reader.recordings.pseudonyms import HIDDEN, Pseudonyms

_Settings = TypeVar("_Settings")

# Numbers are replaced by the same as in the recording, so that the replayed meter is accepted.
NUMBERS = frozenset({"serial_number", "address"})
_ACCOUNTS = frozenset({"username", "client_id"})

# "FILE [ENV] meters.heat.serial_number: found "X"; allowed: ...; did you mean "Y"?"
_PROBLEM = re.compile(
    rf"(?P<where>\b(?:{'|'.join(sorted(NUMBERS | _ACCOUNTS))}): found ).*(?P<allowed>; allowed: )"
    r"(?P<rest>.*?)(?:; did you mean .*)?\Z",
    re.DOTALL | re.IGNORECASE,
)
# udev: usb-<vendor>_<model>_<serial>-if<interface>-port<number>. Any part may hold underscores and colons.
_ADAPTER = re.compile(r"(/by-id/usb-[^_/\s]*_)[^\s\"']*?(-if[0-9]{2}(?:-port[0-9]+)?|(?=[\s\"']|\Z))")
_HOME = r"/(?:home|Users)/[\w.-]+|/root"


def redact_setting(key: str, value: Any, names: Pseudonyms) -> Any:
    """The value, of the same type, that may be published for this key."""
    if key in _ACCOUNTS and value:
        return HIDDEN
    # As a number, an address is that of KMP's bus, the same for every meter.
    if (key in NUMBERS and isinstance(value, str)) or (key == "serial_number" and isinstance(value, int)):
        return type(value)(names.of(str(value)))
    return value


def redact_settings(settings: _Settings, names: Pseudonyms) -> _Settings:
    """The settings dataclass of a driver with such values replaced."""
    driver: Any = settings
    keys = [entry.name for entry in fields(driver) if entry.name in NUMBERS | _ACCOUNTS]
    redacted: _Settings = replace(
        driver, **{key: redact_setting(key, getattr(driver, key), names) for key in keys}
    )
    return redacted


def redact_problem(problem: str) -> str:
    """What is wrong with a setting, without its value where that would tell who somebody is."""
    return _PROBLEM.sub(rf"\g<where>{HIDDEN}\g<allowed>\g<rest>", problem)


def redact_places(text: str) -> str:
    """Paths without the serial numbers of USB adapters and without the names of home folders."""
    own = os.environ.get("HOME", "").rstrip("/")
    homes = rf"{re.escape(own)}|{_HOME}" if own else _HOME
    text = re.sub(rf"(?<![\w.~-])(?:{homes})(?![\w.-])", "~", text)
    return _ADAPTER.sub(rf"\g<1>{HIDDEN}\g<2>", text)
