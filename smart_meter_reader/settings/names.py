"""Names of settings and of their sources: the nearest known one, and which sources hold secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final

METER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
SINK_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")

# Keys, as other programs name them (hass-mc66c, kamstrup-402-mqtt and others).
_KEYS_ELSEWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("broker", "server", "hostname", "ip", "mqtt_ip", "address"), "host"),
        **dict.fromkeys(("user", "login", "mqtt_user"), "username"),
        **dict.fromkeys(("pass", "passwd", "mqtt_pass", "secret"), "password"),
        **dict.fromkeys(("device", "serial_port", "serialport", "com_port", "tty"), "port"),
        **dict.fromkeys(("poll_interval", "every", "schedule"), "interval"),
        **dict.fromkeys(("parameters", "values"), "registers"),
        **dict.fromkeys(("topic", "mqtt_topic", "prefix"), "base"),
        **dict.fromkeys(("driver", "protocol", "meter_type"), "client"),
        **dict.fromkeys(("guek", "decryption_key", "encryption_key"), "key"),
        **dict.fromkeys(("gak", "auth_key"), "authentication_key"),
        **dict.fromkeys(("ssl", "use_tls"), "tls"),
        **dict.fromkeys(("certificate", "ca_cert", "cafile", "ca_file"), "ca"),
        "tls_insecure": "insecure",
        "baudrate": "baud",
        "speed": "baud",
    }
)
_LETTERS: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "å": "a", "ø": "o"}
)


def nearest(name: str, known: Sequence[str], called: Mapping[str, str] = _KEYS_ELSEWHERE) -> str:
    """'; did you mean "..."?' or nothing."""
    near = meant(name, known, called)
    return f'; did you mean "{near}"?' if near else ""


def meant(name: str, known: Sequence[str], called: Mapping[str, str] = _KEYS_ELSEWHERE) -> str:
    """The known name that was probably meant, "" for none; of "MULTICAL 403" the first word counts.

    ``called``: what people call some of them.
    """
    lower = name.strip().lower()
    word = re.split(r"[^a-z]", lower, maxsplit=1)[0]
    for each in (called.get(lower), called.get(word), word):
        if each and each in known:
            return each
    return next(iter(get_close_matches(lower, known, n=1)), "")


def in_plain_letters(text: str) -> str:
    """The text in the letters that names may have: "Wärme" becomes "waerme"."""
    return text.lower().translate(_LETTERS)


def is_environment(name: str, table: Mapping[str, object]) -> bool:
    """Whether a table of settings.toml is an environment.

    None are those that belong to all, that of the page of several, and that of the writer of a fleet; one
    with meters is an environment that is called as the writer is.
    """
    lower = name.lower()
    return lower not in ("default", "global", "page") and (lower != "writer" or "meters" in table)


def holds_secrets(source: str) -> bool:
    """Whether a source of settings is meant for secrets: .secrets.toml, the credentials file, a variable."""
    return "secrets" in Path(source).name or source.startswith("variable ")


def name_problem(name: str, key: str) -> str:
    """What is wrong with the name of a table in ``key`` (meters or sinks), and what was probably meant."""
    near = re.sub(r"[^a-z0-9]+", "-", in_plain_letters(name)).strip("-")
    suggestion = f'; did you mean "{near}"?' if near else ""
    extra = "" if key == "meters" else ", _"
    return (
        f'"{name}"; allowed: a-z, 0-9 and -{extra} (it becomes part of topics), not - at the ends{suggestion}'
    )
