"""Prints poetry.lock as pip requirements with hashes. usage: locked_requirements.py wheels|sources GROUP...

wheels: the packages that have a wheel for this Python, with the hashes of wheels alone; sources: the others,
with those of their sources, which are built. Run by a Python that has pip, whose rules for wheels these are.
What only an extra of ours wants is left out by pip, since its marker says so; the group `extras` is all that.
As a library (scripts/debian_package.py) it answers for another computer, too.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pip._vendor.packaging.markers import Marker
from pip._vendor.packaging.tags import Tag, compatible_tags, cpython_tags, sys_tags
from pip._vendor.packaging.utils import parse_wheel_filename

EXTRAS = "extras"


@dataclass(frozen=True)
class Target:
    """Another computer: CPython (3, 13), "aarch64", and the 41 of its glibc 2.41."""

    python: tuple[int, int]
    machine: str
    glibc: int

    def platforms(self) -> list[str]:
        """What pip calls it, the newest first."""
        return [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 16, -1)]

    def tags(self) -> Set[Tag]:
        """The wheels that fit it."""
        abi = f"cp{self.python[0]}{self.python[1]}"
        platforms = self.platforms()
        return {
            *cpython_tags(self.python, [abi], platforms),
            *compatible_tags(self.python, abi, platforms),
        }

    def wants(self, condition: str) -> bool:
        """Whether an environment marker holds there."""
        version = ".".join(map(str, self.python))
        known = {
            "python_version": version,
            "python_full_version": f"{version}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
            "platform_machine": self.machine,
        }
        return not condition or Marker(condition).evaluate(known)


def marker(package: dict[str, Any], groups: set[str]) -> str:
    """The environment marker under which one of the groups wants the package; "" for always."""
    markers = package.get("markers", "")
    if EXTRAS in groups and package.get("optional"):
        # All extras are chosen; what else a marker says (which Python, which system) stays.
        return re.sub(r'extra == "[^"]+"', 'python_version >= "3"', str(markers))
    if isinstance(markers, str):
        return markers
    wanted = [markers[group] for group in package["groups"] if group in groups and group in markers]
    unconditional = any(group in groups and group not in markers for group in package["groups"])
    return "" if unconditional else " or ".join(f"({text})" for text in wanted)


def requirement(package: dict[str, Any], groups: set[str], wheels: bool) -> str:
    """One pinned requirement; pip refuses a file that has none of the hashes."""
    condition = marker(package, groups)
    files = [file for file in package["files"] if file["file"].endswith(".whl") == wheels]
    hashes = "".join(f" --hash={file['hash']}" for file in files)
    return f"{package['name']}=={package['version']}{' ; ' + condition if condition else ''}{hashes}"


def has_wheel(package: dict[str, Any], known: Set[Tag]) -> bool:
    """Whether one of the wheels has a tag that is known."""
    names = [file["file"] for file in package["files"] if file["file"].endswith(".whl")]
    return any(not known.isdisjoint(parse_wheel_filename(name)[3]) for name in names)


def belongs(package: dict[str, Any], groups: set[str]) -> bool:
    """Whether one of the groups has the package."""
    return bool(groups & set(package["groups"])) or (EXTRAS in groups and bool(package.get("optional")))


def locked() -> list[dict[str, Any]]:
    """The packages of poetry.lock."""
    lock: dict[str, list[dict[str, Any]]] = tomllib.loads(Path("poetry.lock").read_text(encoding="utf-8"))
    return lock["package"]


def wanted_by(target: Target, groups: set[str]) -> Iterator[dict[str, Any]]:
    """The packages of the groups that another computer needs."""
    for package in locked():
        if belongs(package, groups) and target.wants(marker(package, groups)):
            yield package


def main() -> None:
    kind, *names = sys.argv[1:]
    if kind not in ("wheels", "sources"):
        sys.exit(__doc__)
    groups = set(names)
    known = set(sys_tags())
    for package in locked():
        if belongs(package, groups) and has_wheel(package, known) == (kind == "wheels"):
            print(requirement(package, groups, kind == "wheels"))


if __name__ == "__main__":
    main()
