"""The program that a service runs: where all of it is, who else could change it, and what is closed."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.unit import is_hidden, outermost
from smart_meter_reader.settings.files.ownership import Weakness, weaknesses_below

# Where scripts/install puts it.
INSTALLED = Path("/opt/smart_meter_reader")
# Where the Debian package has it.
PACKAGED = Path("/usr/lib/smart-meter-reader")
# How root types the command, where it is one for everybody.
COMMON = (INSTALLED, PACKAGED)
_SAY = """
import json, os, sys, smart_meter_reader
own = [] if sys.prefix == sys.base_prefix else [sys.prefix]
print(json.dumps([sys.executable, *own, *sys.path, os.path.dirname(smart_meter_reader.__file__)]))
"""


@dataclass(frozen=True, slots=True)
class Program:
    """The interpreter as it is called, and every place that its modules, ours too, are taken from."""

    interpreter: Path
    places: tuple[Path, ...]

    def weakness(self, trusted: Set[int]) -> Weakness | None:
        """The first part that others than the users ``trusted`` can change, in the whole installation."""
        found = (each for path in outermost(self.places) for each in weaknesses_below(path, trusted))
        return next(found, None)

    def closed(self) -> Iterator[Path]:
        """The directories that a user without rights could not enter."""
        for path in self.places:
            closed = closed_directory(path)
            if closed is not None:
                yield closed

    def installer(self) -> Path | None:
        """scripts/install of the checkout that this program is run from."""
        script = Path(__file__).resolve().parents[2] / "scripts" / "install"
        return script if script.is_file() else None


def running_program() -> Program:
    """The program of this process, as a service would find it. Raises ServiceError.

    A service's Python is isolated (-I): neither the working directory nor PYTHONPATH nor a home count.
    """
    command = [sys.executable, "-I", "-c", _SAY]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    if answer.returncode:
        raise ServiceError(
            f"{sys.executable} finds this program only by the working directory or PYTHONPATH; a service "
            "needs it installed: docs/service.md",
        )
    interpreter, *places = (Path(path) for path in json.loads(answer.stdout))
    base = interpreter.resolve().parent.parent
    known = dict.fromkeys((interpreter, *places, *((base,) if is_hidden(base) else ())))
    return Program(interpreter, tuple(known))


def program_place() -> Path:
    """The environment that this process runs in: PACKAGED, INSTALLED, or one of a user's."""
    return Path(sys.prefix)


def closed_directory(path: Path) -> Path | None:
    """The first directory on the way to ``path`` that others cannot enter; hidden parents do not matter."""
    for place in (*reversed(path.parents), path):
        if place != path and is_hidden(place):
            continue  # systemd binds ``path`` over an empty parent
        if place.is_dir() and not place.stat().st_mode & stat.S_IXOTH:
            return place
    return None
