"""M-Bus records: data and value information blocks, and the value behind them, one after another.

Sources: EN 13757-3, 6.4 (DIF, DIFE, VIF, VIFE, LVAR, plain text VIF, data fields); The M-Bus: A
Documentation, 6.6 and 8.4. Whatever record cannot be told from what follows it ends the telegram with an
error: where one goes wrong, all behind it would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from smart_meter_reader.codecs.mbus.meanings import Form
from smart_meter_reader.codecs.mbus.record_octets import RecordOctets, malformed
from smart_meter_reader.codecs.mbus.value_information import ValueInformation, value_information
from smart_meter_reader.codecs.mbus.values import bcd, integer, moment, real, scaled, text, unsigned
from smart_meter_reader.exceptions import ValueFormatError

Function: TypeAlias = Literal["instantaneous", "maximum", "minimum", "error"]
_FUNCTIONS: Final[tuple[Function, ...]] = ("instantaneous", "maximum", "minimum", "error")

_FILLER: Final = 0x2F
_REST: Final = 0x0F
_REST_AND_MORE: Final = 0x1F
_GLOBAL_READOUT: Final = 0x7F
# Octets by the data field, the low four bits of DIF; D has a length octet of its own, 8 sends none.
_LENGTHS: Final = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, -1, 6)
_REAL: Final = 5
_FIRST_BCD: Final = 9
# Marks the length octet behind data field D, lest it be taken for a data field.
_LVAR: Final = 0x100
_LONG_BINARY: Final[Mapping[int, int]] = MappingProxyType({0xF5: 48, 0xF6: 64})


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
    reader = RecordOctets(octets)
    found: list[Record] = []
    while not reader.at_end:
        dif = reader.one("DIF")
        if dif in (_FILLER, _GLOBAL_READOUT):
            continue
        if dif in (_REST, _REST_AND_MORE):
            return Records(tuple(found), reader.rest(), more=dif == _REST_AND_MORE)
        found.append(_record(dif, reader))
    return Records(tuple(found))


def _record(first: int, octets: RecordOctets) -> Record:
    dif = octets.extensions(first, "DIF")
    data_field = first & 0x0F
    if data_field == 0x0F:
        raise malformed(f"there is no DIF {first:02X}h")
    vib = value_information(octets)
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


# --- data ---


def _raw(code: int, octets: RecordOctets) -> tuple[bytes, int]:
    """The octets of the value, and the data field that says how to read them (D: by its LVAR)."""
    length = _LENGTHS[code]
    if length >= 0:
        return octets.take(length, "the value"), code
    lvar = octets.one("LVAR")
    return octets.take(_variable_length(lvar), "the value"), _LVAR | lvar


def _variable_length(lvar: int) -> int:
    if lvar < 0xC0:
        return lvar
    if lvar <= 0xC9 or 0xD0 <= lvar <= 0xD9 or 0xE0 <= lvar <= 0xEF:
        return lvar & 0x0F
    if 0xF0 <= lvar <= 0xF4:
        return 4 * (lvar - 0xEC)
    if lvar in _LONG_BINARY:
        return _LONG_BINARY[lvar]
    raise malformed(f"there is no LVAR {lvar:02X}h")


def _value(raw: bytes, code: int, vib: ValueInformation) -> tuple[Decimal | str | None, str]:
    """The value, or None and why there is none."""
    if vib.error:
        return None, vib.error
    if not raw:
        return None, "no value was sent"
    try:
        return _read(raw, code, vib), ""
    except ValueFormatError as error:
        return None, str(error)


def _read(raw: bytes, code: int, vib: ValueInformation) -> Decimal | str:
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


def _read_variable(raw: bytes, lvar: int, vib: ValueInformation) -> Decimal | str:
    if lvar < 0xC0:
        return text(raw)
    if lvar < 0xE0:
        number = bcd(raw)
        return scaled(-number if lvar >= 0xD0 else number, vib.exponent)
    if len(raw) > 8:
        return raw[::-1].hex()  # no number that anybody counts in
    return scaled(integer(raw), vib.exponent)
