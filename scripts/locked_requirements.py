"""Prints poetry.lock as pip requirements with hashes. usage: locked_requirements.py wheels|sources GROUP...

wheels: the packages that have a wheel for this Python, with the hashes of wheels alone; sources: the others,
with those of their sources, which are built. Run by a Python that has pip, whose rules for wheels these are.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

from pip._vendor.packaging.tags import sys_tags
from pip._vendor.packaging.utils import parse_wheel_filename


def marker(package: dict[str, Any], groups: set[str]) -> str:
    """The environment marker under which one of the groups wants the package; "" for always."""
    markers = package.get("markers", "")
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


def has_wheel(package: dict[str, Any]) -> bool:
    """Whether one of the wheels fits this Python on this computer."""
    names = [file["file"] for file in package["files"] if file["file"].endswith(".whl")]
    known = set(sys_tags())
    return any(not known.isdisjoint(parse_wheel_filename(name)[3]) for name in names)


def main() -> None:
    kind, *names = sys.argv[1:]
    if kind not in ("wheels", "sources"):
        sys.exit(__doc__)
    groups = set(names)
    lock = tomllib.loads(Path("poetry.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        if groups & set(package["groups"]) and has_wheel(package) == (kind == "wheels"):
            print(requirement(package, groups, kind == "wheels"))


if __name__ == "__main__":
    main()
