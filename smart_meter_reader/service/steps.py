"""What installing a service does, step by step: each is shown first, and done when a person has agreed."""

from __future__ import annotations

import difflib
import os
import shlex
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.settings_files import place_file
from smart_meter_reader.service.unit import DROP_IN, UNIT, instance_name
from smart_meter_reader.text import printable

SETTINGS_HOME = Path("/etc/smart_meter_reader")
# Where packages of the system have their units; those in /etc come before them.
PACKAGE_UNITS = Path("/usr/lib/systemd/system")
# Where systemd keeps what `StateDirectory=` and `DynamicUser=` name.
STATE_HOME = Path("/var/lib/private/smart_meter_reader")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a command does: what is shown of it, and the doing.

    ``changed``: the file that it makes or changes, where it does.
    """

    shown: str
    act: Callable[[], object]
    changed: Path | None = None

    def do(self) -> None:
        """Do it. Raises ServiceError."""
        try:
            self.act()
        except OSError as error:
            raise ServiceError(f"{self.shown.splitlines()[0]}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Machine:
    """Where services are installed: the running system, or an image below ``root``."""

    root: Path | None = None

    @property
    def units(self) -> Path:
        return self.inside(Path("/etc/systemd/system"))

    def inside(self, path: Path) -> Path:
        """Where a path of the system that is installed is now."""
        return self.root / path.relative_to("/") if self.root else path

    def outside(self, path: Path) -> Path:
        """What the installed system will call a path that ``inside`` gave."""
        return Path("/") / path.relative_to(self.root) if self.root else path

    def drop_in(self, environment: str) -> Path:
        return self.drop_in_of(instance_name(environment))

    def drop_in_of(self, unit: str) -> Path:
        return self.units / f"{unit}.d" / DROP_IN

    def packaged(self, unit: str) -> bool:
        """Whether a package of the system brought the unit, which then is its to write."""
        return (self.inside(PACKAGE_UNITS) / unit).exists()

    def hidden(self, unit: str) -> Path | None:
        """The file that hides a package's unit, as scripts/install and `service install` left it before."""
        hiding = self.units / unit
        return hiding if self.packaged(unit) and hiding.exists() else None

    def installed(self, environment: str) -> bool:
        return self.has(instance_name(environment))

    def has(self, unit: str) -> bool:
        """Whether it is a service here: it has a drop-in, or a package's unit starts it with the machine."""
        wants = self.units / "multi-user.target.wants" / unit
        return self.drop_in_of(unit).exists() or wants.is_symlink()

    def unit_steps(self, unit: str, text: str) -> list[Step]:
        """Writes a unit, unless it is a package's."""
        return [] if self.packaged(unit) else [write_step(self.units / unit, text.encode())]

    def others(self, environment: str) -> bool:
        """Whether environments beside this one are installed or enabled."""
        pattern = UNIT.replace("@", "@*")
        wants = (self.units / "multi-user.target.wants").glob(pattern)
        found = {path.name for path in wants} | {path.stem for path in self.units.glob(f"{pattern}.d")}
        return bool(found - {instance_name(environment)})

    def systemctl(self, *arguments: str) -> Step:
        command = ["systemctl", *([f"--root={self.root}"] if self.root else []), *arguments]
        return Step(f"run    {shlex.join(command)}", lambda: _run(command))

    @property
    def runs_systemd(self) -> bool:
        """Whether there is a systemd to install a service with."""
        return shutil.which("systemctl") is not None and (
            self.root is not None or Path("/run/systemd/system").is_dir()
        )

    def check(self, again: Sequence[str]) -> None:
        """Raise ServiceError when nothing can be installed here. ``again`` is the command to repeat."""
        if not self.runs_systemd:
            raise ServiceError(
                "systemd does not run here; let what does start `smart-meter-reader run ENV`: "
                "docs/service.md",
            )
        if not _may_write(self.units):
            sentence = f"{self.units} belongs to root. Run it again as root:"
            raise ServiceError(sentence, f"  {shlex.join(again)}")


def write_step(path: Path, content: bytes, mode: int = 0o644, shown: str = "") -> Step:
    """Write a file; ``shown`` is by default its text or how it differs from what is there, but no secrets."""
    if not shown:
        readable = mode & stat.S_IROTH
        shown = difference(path, content) if readable else "(not shown; for root alone to read)"
    same = _content(path) == content
    if same:
        shown = "(as it is there already)"
    text = f"write  {path}:\n\n{_indented(shown)}"
    return Step(text, lambda: place_file(path, content, mode), None if same else path)


def remove_step(path: Path, why: str = "") -> Step:
    """Remove a file, and its directory when nothing else is in it."""

    def act() -> None:
        path.unlink(missing_ok=True)
        if path.parent.suffix == ".d" and not any(path.parent.iterdir()):
            path.parent.rmdir()

    return Step(f"remove {path}{why}", act)


def difference(path: Path, content: bytes) -> str:
    """The lines that change in a file; all of one that is new."""
    text, before = content.decode("utf-8", errors="replace"), _content(path)
    if before is None:
        return text
    old = before.decode("utf-8", errors="replace")
    return "\n".join(
        difflib.unified_diff(old.splitlines(), text.splitlines(), "before", "after", lineterm="")
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _indented(text: str) -> str:
    """Below its headline, and printable: it may be a user's text on root's terminal."""
    return "".join(f"    {printable(line.expandtabs(4))}".rstrip() + "\n" for line in text.splitlines())


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if result.returncode:
        raise ServiceError(f"{shlex.join(command)} failed:", *result.stderr.strip().splitlines())


def _may_write(path: Path) -> bool:
    """Whether we may create or replace files in ``path`` or in what exists of the way to it."""
    existing = next(place for place in (path, *path.parents) if place.exists())
    return os.access(existing, os.W_OK)
