"""The systemd unit with this machine's paths in it, and what the service's own user could not read."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import smart_meter_reader

UNIT = "smart_meter_reader@.service"
# What `ProtectHome=` and `PrivateTmp=` hide from the service.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - names to compare with


def unit_template() -> str:
    """The unit as it stands in etc/."""
    return (resources.files(smart_meter_reader) / "etc" / UNIT).read_text("utf-8")


def unit_text(directory: Path, interpreter: Path, program_paths: tuple[Path, ...]) -> str:
    """The unit for settings in ``directory``, run by ``interpreter``.

    ``program_paths`` are the directories that the interpreter needs. Those that the unit's protection hides
    (in a home directory, say) are let through one by one, read-only.
    """
    secrets = f"LoadCredential=secrets.toml:{_escaped(str(directory / '.secrets.toml'))}"
    text = unit_template()
    text = _with(text, r"WorkingDirectory=.*", f"WorkingDirectory={_escaped(str(directory))}")
    text = _with(text, r"Environment=PATH=.*\n", "")
    text = _with(text, r"ExecStart=.*", f"ExecStart={_quoted(str(interpreter))} -m smart_meter_reader run")
    text = _with(text, r"LoadCredential=secrets\.toml:.*", secrets)
    hidden = [path for path in _outermost((directory, *program_paths)) if _is_hidden(path)]
    if hidden:
        binds = "".join(f"BindReadOnlyPaths={_quoted(_bind(path))}\n" for path in hidden)
        text = text.replace("ProtectHome=yes\n", f"ProtectHome=tmpfs\n{binds}")
    return text


def _with(text: str, pattern: str, line: str) -> str:
    """The unit with one line replaced."""
    before, *after = re.split(f"^{pattern}", text, flags=re.MULTILINE)
    assert len(after) == 1, pattern
    return before + line + after[0]


def program_paths() -> tuple[Path, ...]:
    """The directories of the running interpreter, its packages, and this package."""
    package = Path(smart_meter_reader.__file__).resolve().parent
    base = Path(sys.executable).resolve().parent.parent
    paths = (Path(sys.prefix), Path(sys.base_prefix), base, package.parent)
    return tuple(dict.fromkeys(path for path in paths if path != Path("/usr")))


def unreadable(directory: Path, program: tuple[Path, ...]) -> Iterator[str]:
    """A line for each thing that a user without rights could not read, with what to do about it."""
    for path in (directory / "config.py", directory / "settings.toml"):
        if path.exists() and not path.stat().st_mode & stat.S_IROTH:
            yield f"{path}: the service's user cannot read it; run: chmod o+r '{path}'"
    for path in (directory, *program):
        closed = _closed_directory(path)
        if closed is not None:
            yield f"{closed}: the service's user cannot enter it; run: chmod o+rx '{closed}'"


def _closed_directory(path: Path) -> Path | None:
    """The first directory on the way to ``path`` that others cannot enter; hidden parents do not matter."""
    for place in (*reversed(path.parents), path):
        if place != path and _is_hidden(path):
            continue  # systemd binds ``path`` over an empty parent
        if place.is_dir() and not place.stat().st_mode & stat.S_IXOTH:
            return place
    return None


def _outermost(paths: tuple[Path, ...]) -> list[Path]:
    """The paths without those that lie inside of others."""
    unique = list(dict.fromkeys(paths))
    return [path for path in unique if not any(other in path.parents for other in unique)]


def _is_hidden(path: Path) -> bool:
    return any(path.is_relative_to(place) for place in _HIDDEN)


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


def may_write(path: Path) -> bool:
    """Whether we may create or replace files in ``path`` or in what exists of the way to it."""
    existing = next(place for place in (path, *path.parents) if place.exists())
    return os.access(existing, os.W_OK)
