"""What is wrong with a line of TOML by what stands around it: said twice, or in a list that was left open."""

from __future__ import annotations

import re
import tomllib

from smart_meter_reader.settings.files.toml_slips import slip_in

_POSITION = re.compile(r"\(at line ([0-9]+), column [0-9]+\)\Z")
_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=")
# A list without its end; a text in it may hold any bracket.
_OPEN_LIST = re.compile(r"\s*[A-Za-z0-9_.\"' -]+?\s*=\s*\[(?:[^\]\"'#]|\"[^\"]*\"|'[^']*')*(?:#.*)?")
_TRIPLE = ('"""', "'''")


def failed_line(error: tomllib.TOMLDecodeError, lines: list[str]) -> int:
    """The index of the line at which reading ended: the last one with something in it, at the latest."""
    # Only Python 3.14 gives the position other than in the text.
    found = _POSITION.search(str(error))
    last = max((index for index, line in enumerate(lines) if line.strip()), default=0)
    return min(int(found[1]) - 1, last) if found else last


def left_open(lines: list[str], index: int) -> tuple[int, str] | None:
    """Where a list or a long text begins that goes on at ``index``, and what is wrong with it."""
    for begun in range(index, -1, -1):
        line = lines[begun]
        if any(line.count(mark) % 2 for mark in _TRIPLE):
            return (
                begun,
                "the long text that begins here is never closed; close it with the same three quotes",
            )
        if _OPEN_LIST.fullmatch(line) and (begun < index or index == len(lines) - 1 or line.endswith("[")):
            return begun, _list(lines, begun)
        if _HEADER.fullmatch(line) and begun < index:
            return None
    return None


def reason_in_context(lines: list[str], index: int, error: tomllib.TOMLDecodeError) -> str:
    """Why a line that is right by itself cannot stand there, and what to do. Quotes no value."""
    line = lines[index]
    if header := _HEADER.fullmatch(line):
        return _header_twice(lines, index, _name(header[1]))
    if (key := _KEY.match(line)) and (first := _same_key(lines, index, _name(key[1]))) is not None:
        return f"{_name(key[1])} is set in line {first + 1} already; remove one of the two"
    return f"not valid TOML ({_POSITION.sub('', str(error)).strip()})"


def _list(lines: list[str], begun: int) -> str:
    for end in range(begun + 1, len(lines)):
        if _HEADER.fullmatch(lines[end]) or _KEY.match(lines[end]):
            break
        if "]" in lines[end]:
            joined = " ".join(line.partition(" #")[0].strip() for line in lines[begun : end + 1])
            return "; ".join(slip_in(joined).reasons) or "a comma stands between the values of a list"
    return "the list that begins here is never closed; write ] behind its last value"


def _header_twice(lines: list[str], index: int, name: str) -> str:
    for number, line in enumerate(lines[:index], 1):
        header = _HEADER.fullmatch(line)
        if header and _name(header[1]) == name:
            return (
                f"this table stands in line {number} already; put its keys there, or give one of the two "
                f"another name, such as {name.rpartition('.')[2]}-2"
            )
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        first = _same_key(lines, index, parts[length - 1], ".".join(parts[: length - 1]))
        if first is not None:
            taken = ".".join(parts[:length])
            return f"{taken} is a value in line {first + 1}, and cannot be a table too; remove one of the two"
    return f"{name} is there already, written in another way; remove one of the two"


def _same_key(lines: list[str], index: int, name: str, table: str | None = None) -> int | None:
    """Where the key was set before in the same table (of line ``index``, or the one named)."""
    current, places = "", dict[tuple[str, str], int]()
    for number, line in enumerate(lines[:index]):
        if header := _HEADER.fullmatch(line):
            current = _name(header[1])
        elif key := _KEY.match(line):
            places.setdefault((current, _name(key[1])), number)
    return places.get((current if table is None else table, name))


def _name(written: str) -> str:
    return ".".join(part.strip(" \"'") for part in written.split("."))
