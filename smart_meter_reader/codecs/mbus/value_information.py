"""M-Bus value information blocks: what a value is, in which unit, and what the extensions add to that.

Sources: EN 13757-3, 6.4 (VIF, VIFE, plain text VIF); The M-Bus: A Documentation, 8.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from smart_meter_reader.codecs.mbus.meanings import (
    EXTENDED,
    EXTENDED_WORDS,
    EXTENSIONS,
    MAKERS,
    MAKERS_FOLLOW,
    RECORD_ERRORS,
    TEXT,
    Form,
    addition_of,
    meaning_of,
)
from smart_meter_reader.codecs.mbus.record_octets import RecordOctets

ONLY_POSITIVE_WORDS: Final = "only positive"
ONLY_NEGATIVE_WORDS: Final = "only negative"


@dataclass(frozen=True, slots=True)
class ValueInformation:
    """What VIF and VIFE say of a value. ``error``: why there is none."""

    octets: bytes
    quantity: str
    unit: str
    exponent: int
    form: Form
    modifiers: tuple[str, ...]
    error: str


def value_information(octets: RecordOctets) -> ValueInformation:
    """The value information block that comes next. Raises MalformedError."""
    first = octets.one("VIF")
    code = octets.one("VIF") if first in EXTENSIONS else first
    if first & 0x7F != TEXT:
        return _understood(first, octets.extensions(code, "VIF"), "")
    if octets.text_is_last:
        vifes = octets.extensions(code, "VIF")
        return _understood(first, vifes, octets.unit())
    unit = octets.unit()
    return _understood(first, octets.extensions(code, "VIF"), unit)


@lru_cache(maxsize=512)
def _understood(first: int, vifes: bytes, unit: str) -> ValueInformation:
    """What a meter says in each telegram anew: ``vifes`` begin with the VIF that counts."""
    extension = first if first in EXTENSIONS else None
    code = vifes[0] & 0x7F
    meaning = meaning_of(code, extension)
    added = _Additions(vifes[1:], from_maker=extension is None and code == MAKERS)
    return ValueInformation(
        octets=vifes if extension is None else bytes((extension,)) + vifes,
        quantity=meaning.quantity + added.words,
        unit=added.unit if added.unit is not None else unit or meaning.unit,
        # A duration or a count has nothing of the power of ten of the unit that it stands in for.
        exponent=(meaning.exponent if added.unit is None else 0) + added.exponent,
        form=added.form or meaning.form,
        modifiers=tuple(added.modifiers),
        error=added.error,
    )


class _Additions:
    """What the extensions of a VIF add, taken together."""

    def __init__(self, vifes: bytes, *, from_maker: bool) -> None:
        self.modifiers: list[str] = []
        self.exponent = 0
        self.unit: str | None = None
        self.form: Form | None = None
        self.error = ""
        self.words = ""
        rest = iter(vifes)
        if from_maker:
            self.modifiers += [f"{octet:02x}" for octet in rest]
        else:
            for octet in rest:
                if octet & 0x7F == MAKERS_FOLLOW:
                    self._name(f"{octet:02x}", known=False)
                    break
                self._add(octet & 0x7F, octet, rest)
        for octet in rest:  # the maker's own
            self._name(f"{octet:02x}", known=False)

    def _add(self, vife: int, octet: int, rest: Iterator[int]) -> None:
        if vife == EXTENDED:
            following = next(rest, 0) & 0x7F
            words = EXTENDED_WORDS.get(following)
            self._name(words or f"{octet:02x} {following:02x}", known=bool(words))
            return
        if vife in RECORD_ERRORS:
            self.error = RECORD_ERRORS[vife]
            return
        addition = addition_of(vife)
        if addition is None:
            if vife:
                self._name(f"{octet:02x}", known=False)
            return
        self.exponent += addition.exponent
        self.form = addition.form or self.form
        self.unit = addition.unit if addition.unit is not None else self.unit
        if addition.words:
            self._name(addition.words, known=True)

    def _name(self, words: str, *, known: bool) -> None:
        self.modifiers.append(words)
        # What changes nothing but that the other direction is left out stays the same quantity.
        if words != ONLY_POSITIVE_WORDS:
            self.words += f", {words}" if known else f", VIFE {words.upper()}"


def is_text_vif(vif: bytes) -> bool:
    """Whether the unit of such a record stands in it as text."""
    return vif[0] & 0x7F == TEXT
