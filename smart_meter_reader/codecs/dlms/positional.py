"""Lists without codes: which value is what, by the list's name or length and the types in it.

Only a list that has the very types of a line here is read; any other is told as it is, never guessed.
``codes`` has a code for each value, "" where what it is has not been confirmed.

Sources: Kaifa's HAN description (NVE) and the captures of amsreader-firmware #180 and #242; Iskraemeco in
Slovenia: amsreader-firmware #615 and #869, and what its decoder tells of the lists of Elektro Ljubljana,
Celje and others (facts); Iskraemeco in Croatia: amsreader-firmware #1072 and #1107; Wiener Netze's
description of the customer interface and amsreader-firmware #787; Netz Burgenland's table in #501 there;
Landis+Gyr in Slovenia: the push object list of the grid operator, as told with amsreader-firmware's
captures of 2026 (facts); Landis+Gyr's load profile list: smartmeter-datacollector #74.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from smart_meter_reader.codecs.dlms.axdr import (
    ARRAY,
    BOOLEAN,
    ENUM,
    OCTETS,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    Item,
)

# One letter for each type in a list.
_LETTERS: Final[Mapping[int, str]] = MappingProxyType(
    {OCTETS: "o", UINT64: "8", UINT32: "4", UINT16: "2", UINT8: "1", ENUM: "e", BOOLEAN: "b", ARRAY: "a"}
)
_IDENTITY: Final = ("1-0:0.2.129", "0-0:96.1.0", "0-0:96.1.7")
_POWERS: Final = ("1-0:1.7.0", "1-0:2.7.0", "1-0:3.7.0", "1-0:4.7.0")
_CURRENTS: Final = ("1-0:31.7.0", "1-0:51.7.0", "1-0:71.7.0")
_VOLTAGES: Final = ("1-0:32.7.0", "1-0:52.7.0", "1-0:72.7.0")
_CLOCK: Final = ("0-0:1.0.0",)
_ENERGIES: Final = ("1-0:1.8.0", "1-0:2.8.0", "1-0:3.8.0", "1-0:4.8.0")
_IMPORT: Final = ("1-0:1.8.0", "1-0:1.8.1", "1-0:1.8.2")
_EXPORT: Final = ("1-0:2.8.0", "1-0:2.8.1", "1-0:2.8.2")
_NAMES: Final = ("0-0:42.0.0", "")
_PHASE_IMPORT: Final = ("1-0:21.7.0", "1-0:41.7.0", "1-0:61.7.0")
_PHASE_EXPORT: Final = ("1-0:22.7.0", "1-0:42.7.0", "1-0:62.7.0")


class Positions(NamedTuple):
    """One list: what its first value begins with, its types, and a code for each of its values."""

    make: str
    begins: bytes
    types: str
    codes: tuple[str, ...]
    # Positions of a total and of its parts, which must add up to it, where nothing else confirms the list.
    sums: tuple[tuple[int, tuple[int, ...]], ...] = ()
    # Whether the first value is a bare number, nothing but digits.
    numbered: bool = False


POSITIONAL: Final = (
    # Kaifa, Norway and Sweden.
    Positions("kaifa", b"", "4", ("1-0:1.7.0",)),
    Positions("kaifa", b"KFM", "ooo444444", (*_IDENTITY, *_POWERS, _CURRENTS[0], _VOLTAGES[0])),
    Positions("kaifa", b"KFM", "ooo4444444444", (*_IDENTITY, *_POWERS, *_CURRENTS, *_VOLTAGES)),
    Positions(
        "kaifa",
        b"KFM",
        "ooo444444o4444",
        (*_IDENTITY, *_POWERS, _CURRENTS[0], _VOLTAGES[0], *_CLOCK, *_ENERGIES),
    ),
    Positions(
        "kaifa",
        b"KFM",
        "ooo4444444444o4444",
        (*_IDENTITY, *_POWERS, *_CURRENTS, *_VOLTAGES, *_CLOCK, *_ENERGIES),
    ),
    # Kaifa's meters behind current transformers count in more octets.
    Positions(
        "kaifa",
        b"KFM",
        "ooo4444444444o8888",
        (*_IDENTITY, *_POWERS, *_CURRENTS, *_VOLTAGES, *_CLOCK, *_ENERGIES),
    ),
    # Iskraemeco, Slovenia. The order differs from operator to operator.
    Positions(
        "iskra",
        b"ISK",
        "oo4444222222444444",
        (*_NAMES, *_POWERS, *_VOLTAGES, *_CURRENTS, *_PHASE_IMPORT, *_PHASE_EXPORT),
    ),
    *(
        Positions(
            "iskra",
            b"ISK",
            f"oo{switch}o44444444",
            (*_NAMES, "0-0:96.3.10", "0-0:96.14.0", *_IMPORT, *_EXPORT, "1-0:3.8.0", "1-0:4.8.0"),
        )
        for switch in "eb"
    ),
    Positions("iskra", b"ISK", "oo2222224444", (*_NAMES, *_VOLTAGES, *_CURRENTS, *_POWERS)),
    Positions(
        "iskra",
        b"ISK",
        "oo44442244",
        (*_NAMES, *_POWERS, _VOLTAGES[0], _CURRENTS[0], _PHASE_IMPORT[0], _PHASE_EXPORT[0]),
    ),
    Positions(
        "iskra",
        b"ISK",
        "oo44444444",
        (*_NAMES, *(f"1-0:{c}.8.{tariff}" for c in (1, 2, 3, 4) for tariff in (1, 2))),
    ),
    Positions("iskra", b"ISK", "oo4444244", (*_NAMES, *_POWERS, _VOLTAGES[0], "1-0:2.8.1", "1-0:2.8.2")),
    Positions(
        "iskra",
        b"ISK",
        "o44444444",
        ("0-0:42.0.0", "1-0:1.7.0", "1-0:2.7.0", *_IMPORT, *_EXPORT),
        ((3, (4, 5)), (6, (7, 8))),
    ),
    Positions("iskra", b"ISK", "oo224444", (*_NAMES, _VOLTAGES[0], _CURRENTS[0], *_POWERS)),
    Positions("iskra", b"ISK", "oo44", (*_NAMES, "1-0:1.8.0", "1-0:2.8.0")),
    # Confirmed by the list of a second later in #869, which has the same totals behind ISK's name.
    Positions("iskra", b"", "o144", ("", "", "1-0:1.8.0", "1-0:2.8.0"), numbered=True),
    # Landis+Gyr, Slovenia: two lists in turns.
    Positions("landis+gyr", b"", "o44444444", ("0-0:96.1.0", *_POWERS, *_ENERGIES), numbered=True),
    Positions(
        "landis+gyr",
        b"",
        "o2222222444444",
        ("0-0:96.1.1", "1-0:14.7.0", *_CURRENTS, *_VOLTAGES, *_PHASE_IMPORT, *_PHASE_EXPORT),
        numbered=True,
    ),
    # Iskraemeco IE.5, Croatia: who it is, its time and date, then what its table of the port names; the four
    # behind the currents (a limit, and arrays of one) and the switch have not been confirmed.
    Positions(
        "iskra",
        b"",
        "ooo4444444444442444444222222" + "4aaab",
        (
            *("0-0:96.1.0", "", "", *_IMPORT, *_EXPORT),
            *(f"1-0:{quadrant}.8.0" for quadrant in (5, 6, 7, 8)),
            *("1-0:1.7.0", "1-0:2.7.0", "1-0:13.7.0", *_PHASE_IMPORT, *_PHASE_EXPORT, *_VOLTAGES, *_CURRENTS),
            *("", "", "", "", ""),
        ),
        ((3, (4, 5)), (6, (7, 8))),
        numbered=True,
    ),
    # Iskraemeco, Wiener Netze: the first value is the logical name of the push setup.
    Positions(
        "iskra",
        b"\x00\x06\x19\x09",
        "oooo444444oo",
        ("", "0-0:96.1.0", "", "", *_ENERGIES, "1-0:1.7.0", "1-0:2.7.0", "", ""),
    ),
    # Landis+Gyr, Netz Burgenland: what the three behind the energies are has not been confirmed.
    Positions(
        "landis+gyr",
        b"",
        "2222224444222o",
        (
            *_VOLTAGES,
            *_CURRENTS,
            *("1-0:1.7.0", "1-0:2.7.0", "1-0:1.8.0", "1-0:2.8.0"),
            *("", "", "", "0-0:96.1.0"),
        ),
    ),
    # Landis+Gyr, Switzerland: energies of each minute, several lists in one frame.
    Positions("landis+gyr", b"", "44", ("1-0:1.8.0", "1-0:2.8.0")),
)


def find_positions(items: Sequence[Item]) -> Positions | None:
    """The line that fits a list; None when there is none."""
    types = "".join(_LETTERS.get(item.tag, "?") for item in items)
    for line in POSITIONAL:
        if line.types == types and _begins(line, items[0].octets) and _add_up(line, items):
            return line
    return None


def _begins(line: Positions, first: bytes) -> bool:
    return first.isdigit() if line.numbered else first.startswith(line.begins)


def _add_up(line: Positions, items: Sequence[Item]) -> bool:
    numbers = [item.content if isinstance(item.content, int) else 0 for item in items]
    return all(numbers[total] == sum(numbers[part] for part in parts) for total, parts in line.sums)
