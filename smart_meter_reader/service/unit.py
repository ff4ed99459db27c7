"""The systemd unit, the same for all, and the drop-in that says where one environment's files are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import smart_meter_reader

UNIT = "smart_meter_reader@.service"
# Digits, so that it is read before the override.conf that `systemctl edit` writes.
DROP_IN = "10-paths.conf"
# What `ProtectHome=` and `PrivateTmp=` hide from the service.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - names to compare with
# systemd's limit for the names of users is 31 characters; `smr-%i` is the unit's own.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,27}")


def unit_template() -> str:
    """The unit as it stands in etc/."""
    return (resources.files(smart_meter_reader) / "etc" / UNIT).read_text("utf-8")


def instance_name(environment: str) -> str:
    """The unit of one environment."""
    return UNIT.replace("@", f"@{environment}")


def drop_in_text(environment: str, directory: Path, interpreter: Path, places: Iterable[Path]) -> str:
    """The drop-in of ``environment``, whose settings are in ``directory``.

    ``places`` are the directories that ``interpreter`` needs. Those that the unit's protection hides (root's
    home, say) are let through one by one, read-only.
    """
    command = f"{_quoted(str(interpreter))} -I -X faulthandler -m smart_meter_reader run"
    lines = [
        f"# Written by: smart-meter-reader service install {environment}",
        "",
        "[Service]",
        f"WorkingDirectory={_escaped(str(directory))}",
        "ExecStart=",
        f"ExecStart={command}",
        "LoadCredential=",
        f"LoadCredential=secrets.toml:{_escaped(str(directory / '.secrets.toml'))}",
    ]
    if not _PLAIN_NAME.fullmatch(environment):
        lines.append(f"User={_user(environment)}")
    hidden = [path for path in outermost((directory, *places)) if is_hidden(path)]
    if hidden:
        lines.append("ProtectHome=tmpfs")
        lines += [f"BindReadOnlyPaths={_quoted(_bind(path))}" for path in hidden]
    return "\n".join(lines) + "\n"


def outermost(paths: Iterable[Path]) -> list[Path]:
    """The paths without those that lie inside of others."""
    unique = list(dict.fromkeys(paths))
    return [path for path in unique if not any(other in path.parents for other in unique)]


def is_hidden(path: Path) -> bool:
    """Whether the service cannot see ``path`` unless it is let through."""
    return any(path.is_relative_to(place) for place in _HIDDEN)


def _user(environment: str) -> str:
    """A user's name for an environment whose own name cannot be part of one."""
    return f"smr-{hashlib.sha256(environment.encode()).hexdigest()[:16]}"


def _bind(path: Path) -> str:
    # A colon separates source and destination.
    return str(path).replace(":", "\\:")


def _escaped(text: str) -> str:
    """``%`` begins a specifier in unit files."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    escaped = _escaped(text)
    if re.fullmatch(r"[\w./:@+%,=-]+", escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'
