"""M-Bus records: data and value information blocks, and the value behind them, one after another.

Sources: EN 13757-3, 6.4 (DIF, DIFE, VIF, VIFE, LVAR, plain text VIF, data fields); The M-Bus: A
Documentation, 6.6 and 8.4. Whatever record cannot be told from what follows it ends the telegram with an
error: where one goes wrong, all behind it would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

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
from smart_meter_reader.codecs.mbus.values import bcd, integer, moment, real, scaled, text, unsigned
from smart_meter_reader.exceptions import MalformedError, ValueFormatError

Function: TypeAlias = Literal["instantaneous", "maximum", "minimum", "error"]
_FUNCTIONS: Final[tuple[Function, ...]] = ("instantaneous", "maximum", "minimum", "error")

_EXTENSION: Final = 0x80
_MOST_EXTENSIONS: Final = 10
_FILLER: Final = 0x2F
_REST: Final = 0x0F
_REST_AND_MORE: Final = 0x1F
_GLOBAL_READOUT: Final = 0x7F
# Octets by the data field, the low four bits of DIF; D has a length octet of its own, 8 sends none.
_LENGTHS: Final = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, -1, 6)
_REAL: Final = 5
_FIRST_BCD: Final = 9
_NO_VALUE: Final = (0, 8)


@dataclass(frozen=True, slots=True)
class Record:
    """One value. ``value`` is None where none was sent or measured, which ``missing`` tells in words.

    ``dif`` and ``vif`` are the octets with their extensions; ``modifiers`` what those of VIF say, in words,
    or as octets in hexadecimal where they are the maker's or of no table. ``quantity`` carries every modifier
    that makes it another quantity.
    """

    dif: bytes
    vif: bytes
    quantity: str
    unit: str
    value: Decimal | str | None
    function: Function = "instantaneous"
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    modifiers: tuple[str, ...] = ()
    missing: str = ""
    exponent: int = 0
    raw: bytes = field(default=b"", compare=False)  # the octets of the value
    end: int = field(default=0, compare=False)  # where they end among those of all records


@dataclass(frozen=True, slots=True)
class Records:
    """All of a telegram. ``makers``: the octets behind DIF 0F or 1F; with 1F ``more`` follows in another."""

    records: tuple[Record, ...]
    makers: bytes = b""
    more: bool = False


def parse_records(octets: bytes) -> Records:
    """The records of a telegram, with what is the maker's.

    Raises MalformedError: ``records``, where one breaks off, has more than ten extensions, or a data field
    that there is not.
    """
    reader = _RecordOctets(octets)
    found: list[Record] = []
    while not reader.at_end:
        dif = reader.one("DIF")
        if dif in (_FILLER, _GLOBAL_READOUT):
            continue
        if dif in (_REST, _REST_AND_MORE):
            return Records(tuple(found), reader.rest(), more=dif == _REST_AND_MORE)
        found.append(_record(dif, reader))
    return Records(tuple(found))


class _RecordOctets:
    """What is left of a telegram."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._place = 0

    @property
    def place(self) -> int:
        return self._place

    @property
    def at_end(self) -> bool:
        return self._place >= len(self._octets)

    def one(self, what: str) -> int:
        return self.take(1, what)[0]

    def take(self, count: int, what: str) -> bytes:
        taken = self._octets[self._place : self._place + count]
        if len(taken) < count:
            raise _malformed(f"the telegram ends inside {what} of a record (octet {self._place})")
        self._place += count
        return taken

    def rest(self) -> bytes:
        return self.take(len(self._octets) - self._place, "what is the maker's")

    def extensions(self, first: int, what: str) -> bytes:
        """The octet and those that it says follow."""
        octets = bytearray((first,))
        while octets[-1] & _EXTENSION:
            if len(octets) > _MOST_EXTENSIONS:
                raise _malformed(f"more than {_MOST_EXTENSIONS} {what}E (octet {self._place})")
            octets.append(self.one(what + "E"))
        return bytes(octets)

    def unit(self) -> str:
        """The text of a plain text VIF, behind its length."""
        return text(self.take(self.one("a text VIF"), "the text VIF"))

    @property
    def text_is_last(self) -> bool:
        """Whether the text of a VIF FCh stands behind its extensions.

        The standard says so, but meters (Elvaco's) have it before them: there it is sought first.
        """
        behind = self._place
        while behind < len(self._octets) and self._octets[behind] & _EXTENSION:
            behind += 1
        return not self._has_text(self._place) and self._has_text(behind + 1)

    def _has_text(self, place: int) -> bool:
        length = int.from_bytes(self._octets[place : place + 1])
        letters = self._octets[place + 1 : place + 1 + length]
        return 0 < length == len(letters) and letters.decode("latin-1").isprintable()


def _malformed(detail: str) -> MalformedError:
    return MalformedError("records", detail)


def _record(first: int, octets: _RecordOctets) -> Record:
    dif = octets.extensions(first, "DIF")
    data_field = first & 0x0F
    if data_field == 0x0F:
        raise _malformed(f"there is no DIF {first:02X}h")
    vib = _value_information(octets)
    raw, form = _raw(data_field, octets)
    value, missing = _value(raw, form, vib)
    storage, tariff, subunit = _numbers(dif)
    return Record(
        dif=dif,
        vif=vib.octets,
        quantity=vib.quantity,
        unit=vib.unit,
        value=value,
        function=_FUNCTIONS[first >> 4 & 0x03],
        storage=storage,
        tariff=tariff,
        subunit=subunit,
        modifiers=vib.modifiers,
        missing=missing,
        exponent=vib.exponent,
        raw=raw,
        end=octets.place,
    )


def _numbers(dif: bytes) -> tuple[int, int, int]:
    """Storage number, tariff and subunit: one bit of DIF, then four, two and one of each DIFE."""
    storage, tariff, subunit = dif[0] >> 6 & 1, 0, 0
    for place, octet in enumerate(dif[1:]):
        storage |= (octet & 0x0F) << 1 + 4 * place
        tariff |= (octet >> 4 & 0x03) << 2 * place
        subunit |= (octet >> 6 & 0x01) << place
    return storage, tariff, subunit


# --- value information ---


@dataclass(frozen=True, slots=True)
class _ValueInformation:
    octets: bytes
    quantity: str
    unit: str
    exponent: int
    form: Form
    modifiers: tuple[str, ...]
    error: str


def _value_information(octets: _RecordOctets) -> _ValueInformation:
    first = octets.one("VIF")
    code = octets.one("VIF") if first in EXTENSIONS else first
    if first & 0x7F != TEXT:
        return _understood(first, octets.extensions(code, "VIF"), "")
    if first & _EXTENSION and octets.text_is_last:
        vifes = octets.extensions(code, "VIF")
        return _understood(first, vifes, octets.unit())
    unit = octets.unit()
    return _understood(first, octets.extensions(code, "VIF"), unit)


@lru_cache(maxsize=512)
def _understood(first: int, vifes: bytes, unit: str) -> _ValueInformation:
    """What a meter says in each telegram anew: ``vifes`` begin with the VIF that counts."""
    extension = first if first in EXTENSIONS else None
    code = vifes[0] & 0x7F
    meaning = meaning_of(code, extension)
    added = _Additions(vifes[1:], from_maker=extension is None and code == MAKERS)
    return _ValueInformation(
        octets=vifes if extension is None else bytes((extension,)) + vifes,
        quantity=meaning.quantity + added.words,
        unit=added.unit if added.unit is not None else unit or meaning.unit,
        exponent=meaning.exponent + added.exponent,
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
        if vife == 0 or addition is None:
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


ONLY_POSITIVE_WORDS: Final = "only positive"
ONLY_NEGATIVE_WORDS: Final = "only negative"


# --- data ---


def _raw(code: int, octets: _RecordOctets) -> tuple[bytes, int]:
    """The octets of the value, and the data field that says how to read them (D: by its LVAR)."""
    length = _LENGTHS[code]
    if length >= 0:
        return octets.take(length, "the value"), code
    lvar = octets.one("LVAR")
    return octets.take(_variable_length(lvar), "the value"), _LVAR | lvar


_LVAR: Final = 0x100


def _variable_length(lvar: int) -> int:
    if lvar < 0xC0:
        return lvar
    if lvar <= 0xC9 or 0xD0 <= lvar <= 0xD9 or 0xE0 <= lvar <= 0xEF:
        return lvar & 0x0F
    if 0xF0 <= lvar <= 0xF4:
        return 4 * (lvar - 0xEC)
    if lvar in _LONG_BINARY:
        return _LONG_BINARY[lvar]
    raise _malformed(f"there is no LVAR {lvar:02X}h")


_LONG_BINARY: Final[Mapping[int, int]] = MappingProxyType({0xF5: 48, 0xF6: 64})


def _value(raw: bytes, code: int, vib: _ValueInformation) -> tuple[Decimal | str | None, str]:
    """The value, or None and why there is none."""
    if vib.error:
        return None, vib.error
    if code in _NO_VALUE or not raw:
        return None, "no value was sent"
    try:
        return _read(raw, code, vib), ""
    except ValueFormatError as error:
        return None, str(error)


def _read(raw: bytes, code: int, vib: _ValueInformation) -> Decimal | str:
    if code & _LVAR:
        return _read_variable(raw, code & 0xFF, vib)
    if vib.form is Form.DATE and code not in (_REAL,) and code < _FIRST_BCD:
        return moment(raw)
    if code == _REAL:
        return scaled(real(raw), vib.exponent)
    if code >= _FIRST_BCD:
        return scaled(bcd(raw), vib.exponent)
    number = unsigned(raw) if vib.form is Form.FLAGS else integer(raw)
    return scaled(number, vib.exponent)


def _read_variable(raw: bytes, lvar: int, vib: _ValueInformation) -> Decimal | str:
    if lvar < 0xC0:
        return text(raw)
    if lvar < 0xE0:
        number = bcd(raw)
        return scaled(-number if lvar >= 0xD0 else number, vib.exponent)
    if len(raw) > 8:
        return raw[::-1].hex()  # no number that anybody counts in
    return scaled(integer(raw), vib.exponent)


def is_text_vif(vif: bytes) -> bool:
    """Whether the unit of such a record stands in it as text."""
    return vif[0] & 0x7F == TEXT
