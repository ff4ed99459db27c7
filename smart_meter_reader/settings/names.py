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

# What people call a protocol or a program, and the family or sink that they mean by it.
_CALLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "p1": "dsmr",
        "esmr": "dsmr",
        "smr": "dsmr",
        "kmp": "kamstrup",
        "multical": "kamstrup",
        "d0": "iec62056_21",
        "edl21": "sml",
        "edl40": "sml",
        "mme": "sml",
        "iec1107": "iec62056_21",
        "uh50": "iec62056_21",
        "openhab": "homie",
        "hass": "home_assistant",
        "mqtt": "mqtt_json",
    }
)


def nearest(name: str, known: Sequence[str]) -> str:
    """'; did you mean "..."?' or nothing."""
    called = _CALLED.get(name.lower(), "")
    near = [called] if called in known else get_close_matches(name.lower(), known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def holds_secrets(source: str) -> bool:
    """Whether a source of settings is meant for secrets: .secrets.toml, the credentials file, a variable."""
    return "secrets" in Path(source).name or source.startswith("variable ")


def name_problem(name: str, key: str) -> str:
    """What is wrong with the name of a table in ``key`` (meters or sinks), and what was probably meant."""
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    suggestion = f'; did you mean "{near}"?' if near else ""
    extra = "" if key == "meters" else ", _"
    return (
        f'"{name}"; allowed: a-z, 0-9 and -{extra} (it becomes part of topics), not - at the ends{suggestion}'
    )
