"""The systemd unit, the same for all, and the drop-in that says where one environment's files are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import smart_meter_reader
from smart_meter_reader.text import printable

UNIT = "smart_meter_reader@.service"
# Digits, so that it is read before the override.conf that `systemctl edit` writes.
DROP_IN = "10-paths.conf"
_SOURCE = "# Settings from: "
# What `ProtectHome=` and `PrivateTmp=` hide from the service.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - names to compare with
# systemd's limit for the names of users is 31 characters; `smr-%i` is the unit's own.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,27}")


@dataclass(frozen=True, slots=True)
class SoleService:
    """A service of which a machine has one. ``word`` names it where the name of an environment would stand.

    ``table`` is its table of settings.toml, ``settings`` where the service has them.
    """

    word: str
    table: str
    unit: str
    settings: Path


# The page of several environments, and the writer of a fleet.
PAGE = SoleService("web", "page", "smart_meter_reader_web.service", Path("/etc/smart_meter_reader_web"))
WRITER = SoleService(
    "writer", "writer", "smart_meter_reader_writer.service", Path("/etc/smart_meter_reader_writer")
)
SOLE_SERVICES = (PAGE, WRITER)
UNITS = (UNIT, *(each.unit for each in SOLE_SERVICES))


def unit_template(unit: str = UNIT) -> str:
    """A unit as it stands in etc/."""
    return (resources.files(smart_meter_reader) / "etc" / unit).read_text("utf-8")


def instance_name(environment: str) -> str:
    """The unit of one environment."""
    return UNIT.replace("@", f"@{environment}")


def drop_in_text(
    environment: str,
    directory: Path,
    interpreter: Path,
    places: Iterable[Path],
    source: Path | None = None,
    ports: Iterable[int] = (),
    *,
    own_paths: bool = True,
) -> str:
    """The drop-in of ``environment``, whose settings are in ``directory``, and came from ``source``.

    ``places`` are the directories that ``interpreter`` needs. Those that the unit's protection hides (root's
    home, say) are let through one by one, read-only. ``ports``: on which TCP ports it may listen. Without
    ``own_paths`` the unit has the paths already.
    """
    lines = _head(environment, source)
    lines += _service(directory, interpreter, "run") if own_paths else ["[Service]"]
    if not PLAIN_NAME.fullmatch(environment):
        lines.append(f"User={_user(environment)}")
    lines += [f"SocketBindAllow=tcp:{port}" for port in ports]
    return "\n".join([*lines, *_let_through((directory, *places))]) + "\n"


def page_drop_in_text(
    environments: Sequence[str],
    directory: Path,
    interpreter: Path,
    places: Iterable[Path],
    states: Iterable[Path],
    port: int,
    source: Path | None = None,
) -> str:
    """The drop-in of the page of several environments; see ``drop_in_text``.

    ``states`` are where the environments have their histories: what is there when the page starts is let
    through, to be read.
    """
    lines = _head(f"web {' '.join(environments)}", source)
    # What is shown is there before the page is.
    lines += ["[Unit]", f"After={' '.join(map(instance_name, environments))}", ""]
    lines += _service(directory, interpreter, f"web {' '.join(environments)}")
    lines.append(f"SocketBindAllow=tcp:{port}")
    lines += [f"BindReadOnlyPaths={_quoted(f'-{_bind(path)}')}" for path in states]
    return "\n".join([*lines, *_let_through((directory, *places))]) + "\n"


def writer_drop_in_text(
    directory: Path, interpreter: Path, places: Iterable[Path], port: int, source: Path | None = None
) -> str:
    """The drop-in of the writer of a fleet; see ``drop_in_text``. ``port`` 0: it listens nowhere."""
    lines = _head(WRITER.word, source)
    lines += _service(directory, interpreter, WRITER.word)
    # The unit allows the port that is the default.
    lines += ["SocketBindAllow=", *([f"SocketBindAllow=tcp:{port}"] if port else [])]
    return "\n".join([*lines, *_let_through((directory, *places))]) + "\n"


def _head(what: str, source: Path | None) -> list[str]:
    came_from = [] if source is None else [f"{_SOURCE}{printable(str(source))}"]
    return [f"# Written by: smart-meter-reader service install {what}", *came_from, ""]


def _service(directory: Path, interpreter: Path, command: str) -> list[str]:
    return [
        "[Service]",
        f"WorkingDirectory={_escaped(str(directory))}",
        "ExecStart=",
        f"ExecStart={_quoted(str(interpreter))} -I -X faulthandler -m smart_meter_reader {command}",
        "LoadCredential=",
        f"LoadCredential=secrets.toml:{_escaped(str(directory / '.secrets.toml'))}",
    ]


def _let_through(places: Iterable[Path]) -> list[str]:
    """Lines for those places that the unit's protection hides."""
    hidden = [path for path in outermost(places) if is_hidden(path)]
    if not hidden:
        return []
    return ["ProtectHome=tmpfs", *(f"BindReadOnlyPaths={_quoted(_bind(path))}" for path in hidden)]


def source_in(drop_in: str) -> str:
    """The directory that the settings of an installed service came from; "" where its drop-in tells none."""
    lines = (line for line in drop_in.splitlines() if line.startswith(_SOURCE))
    return next(lines, "").removeprefix(_SOURCE)


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
