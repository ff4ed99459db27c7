"""Prints poetry.lock as pip requirements with hashes. usage: locked_requirements.py GROUP..."""

import sys
import tomllib
from pathlib import Path
from typing import Any


def marker(package: dict[str, Any], groups: set[str]) -> str:
    """The environment marker under which one of the groups wants the package; "" for always."""
    markers = package.get("markers", "")
    if isinstance(markers, str):
        return markers
    wanted = [markers[group] for group in package["groups"] if group in groups and group in markers]
    unconditional = any(group in groups and group not in markers for group in package["groups"])
    return "" if unconditional else " or ".join(f"({text})" for text in wanted)


def requirement(package: dict[str, Any], groups: set[str]) -> str:
    """One pinned requirement; pip refuses a file that has none of the hashes."""
    condition = marker(package, groups)
    hashes = "".join(f" --hash={file['hash']}" for file in package["files"])
    return f"{package['name']}=={package['version']}{' ; ' + condition if condition else ''}{hashes}"


def main() -> None:
    groups = set(sys.argv[1:])
    lock = tomllib.loads(Path("poetry.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        if groups & set(package["groups"]):
            print(requirement(package, groups))


if __name__ == "__main__":
    main()
