"""Changes of a file of settings as a person makes them: comments and order stay. Pure functions of text.

Every change is read again, and refused where it would come to anything else than what was meant.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import tomlkit

from smart_meter_reader.cli.scan.settings_block import toml_value
from smart_meter_reader.exceptions import SettingsError

TomlValue = str | int | list[str]
Path = tuple[str, ...]


def set_keys(text: str, path: Path, values: Mapping[str, TomlValue], name: str) -> str:
    """``text`` with ``values`` in the table ``path``, which is made at the end where there is none.

    ``name`` is that of the file. Raises SettingsError.
    """
    before = _table(tomllib.loads(text), path)
    old = {key: value for key, value in values.items() if before is not None and key in before}
    new = {key: value for key, value in values.items() if key not in old}

    def change(table: dict[str, Any]) -> None:
        table.update(values)

    if before is not None and not any(_header(line) == path for line in text.split("\n")):
        old, new = dict(values), {}  # written in one line, or as dotted keys
    changed = _replaced(text, path, old) if old else text
    if new or before is None:
        changed = _added(changed, path, new)
    return _verified(text, changed, path, change, name)


def remove_keys(text: str, path: Path, keys: Collection[str], name: str) -> str:
    """``text`` without these keys of a table. Raises SettingsError."""
    before = _table(tomllib.loads(text), path)
    there = [key for key in keys if before is not None and key in before]
    if not there:
        return text

    def change(table: dict[str, Any]) -> None:
        for key in there:
            del table[key]

    document = tomlkit.parse(text)
    node: Any = document
    for part in path:
        node = node[part]
    for key in there:
        del node[key]
    return _verified(text, tomlkit.dumps(document), path, change, name)


def comment_out(text: str, path: Path, name: str) -> str:
    """``text`` with a # before each line of a table and of those in it. Raises SettingsError."""
    if _table(tomllib.loads(text), path) is None:
        return text
    lines, inside = text.split("\n"), False
    for number, line in enumerate(lines):
        header = _header(line)
        if header is not None:
            inside = header[: len(path)] == path
        if inside and line.strip() and not line.lstrip().startswith("#"):
            lines[number] = f"# {line}"
    return _verified(text, "\n".join(lines), path, None, name)


def remove_table(text: str, path: Path, name: str) -> str:
    """``text`` without a table, those in it, and the remarks right above and below. Raises SettingsError."""
    if _table(tomllib.loads(text), path) is None:
        return text
    kept: list[str] = []
    inside = False
    for line in text.split("\n"):
        header = _header(line)
        if header is not None:
            entered, inside = not inside, header[: len(path)] == path
            while inside and entered and kept and kept[-1].lstrip().startswith("#"):
                kept.pop()
        elif inside and not line.strip():
            continue  # the gap before it is enough
        if not inside:
            kept.append(line)
    after = "\n".join(kept).rstrip("\n") + "\n"
    return _verified(text, after, path, None, name)


def _replaced(text: str, path: Path, values: Mapping[str, TomlValue]) -> str:
    document = tomlkit.parse(text)
    node: Any = document
    for part in path:
        node = node[part]
    for key, value in values.items():
        node[key] = value
    return tomlkit.dumps(document)


def _added(text: str, path: Path, values: Mapping[str, TomlValue]) -> str:
    """Behind the last line of the table, before the remarks on the next one; or in a table of its own."""
    written = [f"{key} = {toml_value(value)}" for key, value in values.items()]
    lines = text.split("\n")
    last, inside = -1, False
    for number, line in enumerate(lines):
        header = _header(line)
        if header is not None:
            inside = header == path
        if inside and line.strip() and not line.lstrip().startswith("#"):
            last = number
    if last >= 0:
        return "\n".join([*lines[: last + 1], *written, *lines[last + 1 :]])
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + "\n".join([f"[{'.'.join(map(_key, path))}]", *written]) + "\n"


def _key(part: str) -> str:
    bare = part.replace("-", "").replace("_", "")
    return part if bare.isascii() and bare.isalnum() else toml_value(part)


def _header(line: str) -> Path | None:
    """The path of the table that a line begins; None for any other line."""
    if not line.lstrip().startswith("["):
        return None
    try:
        node: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    path: list[str] = []
    while isinstance(node, dict) and node:
        path += node
        (node,) = node.values()
    return tuple(path)


def _table(tables: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any] | None:
    node: Any = tables
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else None


def _verified(
    before: str, after: str, path: Path, change: Callable[[dict[str, Any]], None] | None, name: str
) -> str:
    """``after``, when it says what ``before`` and the change say; without a change the table is gone."""
    try:
        found = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        found = None
    if found is not None and found in _expected(tomllib.loads(before), path, change):
        return after
    raise SettingsError(
        [f"{name}: [{'.'.join(path)}] cannot be changed as it is written there: change it yourself"]
    )


def _expected(
    tables: dict[str, Any], path: Path, change: Callable[[dict[str, Any]], None] | None
) -> list[dict[str, Any]]:
    """What the file may say. With a table go those around it that only its header had made."""
    nodes = [tables]
    for part in path if change is not None else path[:-1]:
        node = nodes[-1].setdefault(part, {})
        if not isinstance(node, dict):
            return []
        nodes.append(node)
    if change is not None:
        change(nodes[-1])
        return [tables]
    del nodes[-1][path[-1]]
    expected = [copy.deepcopy(tables)]
    for parent, part in zip(reversed(nodes[:-1]), reversed(path[:-1]), strict=True):
        if parent[part]:
            break
        del parent[part]
        expected.append(copy.deepcopy(tables))
    return expected
