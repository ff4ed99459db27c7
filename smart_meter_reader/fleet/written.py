"""What writers tell an edge: which of its messages the database has. Numbers go as ranges, as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from smart_meter_reader.json_text import dumps, loads_bounded

SequenceRange: TypeAlias = tuple[int, int]
"""First and last sequence, both included."""

# In one message; more are told, or asked for, in the next.
MOST_RANGES: Final = 500
MOST_NUMBERS: Final = 50_000
_LARGEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class WrittenTold:
    """Of one edge's messages by their sequence: ``written`` are in the database, ``refused`` will never be.

    ``settled``: whether no message that was in the streams when it was asked is still on its way, so that
    what is neither written nor refused is lost, and has to be published again. Only answers say so.
    """

    edge: str
    written: tuple[SequenceRange, ...] = ()
    refused: tuple[SequenceRange, ...] = ()
    settled: bool = False


def ranges_of(numbers: Iterable[int]) -> list[SequenceRange]:
    """The numbers as ranges, in order."""
    found: list[SequenceRange] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def numbers_in(ranges: Iterable[SequenceRange]) -> Iterator[int]:
    """The numbers of ranges; those that nobody could have meant are cut off after ``MOST_NUMBERS``."""
    left = MOST_NUMBERS
    for first, last in ranges:
        taken = range(first, min(last, first + left - 1) + 1)
        yield from taken
        left -= len(taken)


def encode_told(told: WrittenTold) -> bytes:
    """As JSON: {"edge": "pi-7", "written": [[1, 12], [14, 14]], "refused": [], "settled": false}."""
    return dumps(
        {"edge": told.edge, "written": told.written, "refused": told.refused, "settled": told.settled}
    ).encode()


def decode_told(text: bytes) -> WrittenTold:
    """Raises ValueError for what no writer says."""
    read = loads_bounded(text)
    if not isinstance(read, dict):
        raise ValueError("no object")
    settled = read.get("settled", False)
    if not isinstance(settled, bool):
        raise ValueError("`settled` is not true or false")
    written, refused = (_ranges(read.get(key, [])) for key in ("written", "refused"))
    return WrittenTold(_edge(read.get("edge")), written, refused, settled)


def encode_asked(edge: str, ranges: Iterable[SequenceRange]) -> bytes:
    """What an edge asks: {"edge": "pi-7", "asked": [[1, 12]]}."""
    return dumps({"edge": edge, "asked": list(ranges)[:MOST_RANGES]}).encode()


def decode_asked(text: bytes) -> tuple[str, tuple[SequenceRange, ...]]:
    """The edge and the ranges that it asks for. Raises ValueError."""
    read = loads_bounded(text)
    if not isinstance(read, dict):
        raise ValueError("no object")
    return _edge(read.get("edge")), _ranges(read.get("asked", []))


def _edge(name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= 64:
        raise ValueError("`edge` is no name")
    return name


def _ranges(found: Any) -> tuple[SequenceRange, ...]:
    if not isinstance(found, list) or len(found) > MOST_RANGES:
        raise ValueError(f"no list of at most {MOST_RANGES} ranges")
    return tuple(_range(each) for each in found)


def _range(found: Any) -> SequenceRange:
    match found:
        case [int(first), int(last)] if 0 <= first <= last < _LARGEST:
            return first, last
    raise ValueError("no range [FIRST, LAST]")
