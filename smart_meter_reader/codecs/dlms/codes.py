"""What a code in a list means, looked up once for each: a meter sends the same ones every few seconds."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from smart_meter_reader.codecs.obis import ObisCode, quantity_of
from smart_meter_reader.quantities import QUANTITIES, Kind

# A list has some fifty codes; what noise without a checksum brings must not add up.
_MOST_REMEMBERED: Final = 1024
# Group A has four bits (IEC 62056-61): letters and digits of a text are above it.
_HIGHEST_MEDIUM: Final = 0x0F
_OBIS_LENGTH: Final = 6


class DlmsCode(NamedTuple):
    """One code: as text, without its channel and period, and the quantity that it measures ("" for none)."""

    text: str
    reduced: str
    quantity: str
    kind: Kind | None


@lru_cache(maxsize=_MOST_REMEMBERED)
def code_in(octets: bytes) -> ObisCode | None:
    """The code in six octets; None for what can be none."""
    if len(octets) != _OBIS_LENGTH or octets[0] > _HIGHEST_MEDIUM:
        return None
    return ObisCode(*octets)


@lru_cache(maxsize=_MOST_REMEMBERED)
def meaning_of(code: ObisCode) -> DlmsCode:
    """What a code means, whatever its channel."""
    quantity = quantity_of(code)
    return DlmsCode(str(code), code.reduced, quantity, QUANTITIES[quantity].kind if quantity else None)
