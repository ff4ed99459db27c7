"""What dsmr-parser makes of the codes that our table lacks. Importing this takes long: see ``obis.Further``.

dsmr-parser names what a line tells ("CURRENT_ELECTRICITY_USAGE"), for all the national versions it knows;
these agree with each other, so that one table serves all and nobody has to choose a version. Its names need
no translation by hand: those that it gives to lines of our table tell what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dsmr_parser import telegram_specifications

from smart_meter_reader.codecs.p1.obis import KNOWN, ElectricityCode


def look_up(code: str) -> ElectricityCode:
    """What a line with this code, A-B:C.D.E, means: the same as ours with its name, or nothing."""
    return next((_MEANT[name] for name in names(code) if name in _MEANT), ElectricityCode())


def names(code: str) -> tuple[str, ...]:
    """dsmr-parser's names of a line with this code, A-B:C.D.E."""
    line = f"{code}("
    return tuple(name for pattern, name in _REFERENCES if pattern.match(line))


def _references() -> Iterator[tuple[re.Pattern[str], str]]:
    """dsmr-parser's lines over all its specifications, each reference and name once."""
    lines = {
        (line["obis_reference"], line["value_name"]): None
        for specification in vars(telegram_specifications).values()
        if isinstance(specification, dict)
        for line in specification.get("objects", ())
    }
    for reference, name in lines:
        # Their references end in ".+?\r\n", which takes 1.8.11 for 1.8.1; ours end at the bracket.
        yield re.compile(reference.replace(r".+?\r\n", r"\(", 1).replace(r".+?\r\n", ""), re.ASCII), name


_REFERENCES: Final = tuple(_references())
_MEANT: Final = {
    name: known for code, known in KNOWN.items() if known.quantity or known.role for name in names(code)
}
