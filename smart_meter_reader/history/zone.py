"""The time zone of this computer by its name, which Python's library does not tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_LOCAL = Path("/etc/localtime")
_NAME = Path("/etc/timezone")
# Where nearly every system has its zones, and how each of their files begins (RFC 8536, section 3.1).
_ZONES = Path("/usr/share/zoneinfo")
_MAGIC = b"TZif"
_SOUND = re.compile(r"[A-Za-z][\w+-]*(/[A-Za-z0-9][\w+-]*)*", re.ASCII)


def is_zone(name: str) -> bool:
    """Whether this computer knows a zone of this name."""
    if _SOUND.fullmatch(name) and _begins_as_zone(_ZONES / name):
        return True
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # a service need not have it in memory

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _begins_as_zone(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def system_zone(variables: Mapping[str, str]) -> str:
    """As TZ says, else as localtime(5) by where its link leads, else Debian's /etc/timezone; else UTC."""
    named = variables.get("TZ", "").removeprefix(":")
    linked = _after_zoneinfo(_LOCAL)
    for name in (named, linked, _content(_NAME)):
        if name and is_zone(name):
            return name
    return "UTC"


def _after_zoneinfo(path: Path) -> str:
    try:
        return str(path.resolve()).partition("/zoneinfo/")[2]
    except OSError:
        return ""


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
