"""From the entries of a value list to quantities, and what single models do otherwise.

What a model does is corrected in ``measurements`` alone: ``objects`` are as sent.

* DZG DVS74: a positive power in one to three octets is tagged signed though it is not (volkszaehler/libsml
  #59, #125): 53 8B 28 is 356.24 W and not -299.12 W; negative ones come in four octets. Only in the ranges of
  serial numbers that have it, and only while the export total stands: done for all it broke other meters.
* EMH's two-way meters send their power without a sign at 15.7.0, and the direction in the status word of
  1.8.0: bit 5 is export (volkszaehler/vzlogger#431, #688). Other makers mean other things by it, so it is by
  table.
* Some have the net power at 1.7.0 and its like of the phases (``codecs.signed_power``).
* Without its PIN a meter tells whole kWh and no power.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from smart_meter_reader.codecs.obis import TABLES, ObisCode, quantity_of, with_own
from smart_meter_reader.codecs.signed_power import SignedPowers
from smart_meter_reader.codecs.sml.identity import ServerIdentity, identity_of, text_of
from smart_meter_reader.codecs.sml.telegram import ListEntry, ValueList
from smart_meter_reader.codecs.unit_numbers import NO_UNIT, unit_of
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import measures

# EMH eHZ361 (Hager): its only power.
_OWN_TABLES: Final = with_own({1: {"1.7.1": TABLES[1]["1.7.0"]}})
PUBLIC_KEY: Final = ObisCode(129, 129, 199, 130, 5, 255)
_MAKER_CODES: Final = (ObisCode(129, 129, 199, 130, 3, 255), ObisCode(1, 0, 96, 50, 1, 1))
_KEY_OCTETS: Final = 48  # of ECDSA with 192 bits, whatever code it stands under

AFFECTED_DZG: Final = (range(42_000_000, 49_000_000), range(55_000_000, 59_000_000))
"""The serial numbers of DZG's meters that have the fault."""
_DZG_NARROW: Final = range(1, 4)  # octets
# A telegram comes every one to four seconds: for half a minute after the export total has moved.
_DZG_STANDS_AFTER: Final = 15
_DIRECTION_BITS: Final[Mapping[str, int]] = {"EMH": 5}

_WATT, _WATT_HOUR = 27, 30
_TOTAL_D, _MOMENTARY_D = 8, 7
_IMPORT_TOTAL, _EXPORT_TOTAL = "1.8.0", "2.8.0"
_COARSE: Final = 3  # the power of ten in Wh: whole kWh
_NET: Final = "active_power_net"
_ONE_WAY: Final = ("active_power_import", "active_power_export")
_NO_FLAG: Final = "-"


class ToldValues(NamedTuple):
    """What one value list says. ``pin_missing``: None where nothing tells; ``corrected``: quantities.

    ``objects`` by A-B:C.D.E(*F), as sent and without the public key. ``contradictory``: the powers that are
    not among the measurements because of their sign, in words.
    """

    objects: dict[str, Measurement]
    measurements: dict[str, Measurement]
    pin_missing: bool | None
    corrected: tuple[str, ...]
    contradictory: tuple[str, ...]


class _CodeMeaning(NamedTuple):
    code: str
    quantity: str
    unit: str


@lru_cache(maxsize=1024)
def _meaning(code: ObisCode, number: int | None) -> _CodeMeaning:
    unit = unit_of(number or NO_UNIT)  # DZG sends 0 for none
    quantity = quantity_of(code, _OWN_TABLES)
    fits = quantity and measures(unit, QUANTITIES[quantity].kind)
    return _CodeMeaning(str(code), quantity if fits else "", unit)


class SmlSender:
    """What is known of one meter, by its server id. ``direction_bit``: instead of the table's.

    ``maker``: what its telegrams call its maker (``maker_of``), for ids that do not name one.
    """

    def __init__(self, server_id: bytes, direction_bit: int | None = None, maker: bytes = b"") -> None:
        self.identity: ServerIdentity = identity_of(server_id, maker)
        flag = self.identity.flag
        self._override = direction_bit
        self._bit = direction_bit if direction_bit is not None else _DIRECTION_BITS.get(flag)
        self._dzg = flag == "DZG" and any(self.identity.number in each for each in AFFECTED_DZG)
        self._export: Decimal | None = None
        self._stood = _DZG_STANDS_AFTER  # telegrams since the export total moved
        self._signs = SignedPowers()

    @property
    def direction_bit(self) -> int | None:
        """The bit of the status word that says "export" where the power has no sign."""
        return self._bit

    def read(self, values: ValueList, *, public_key: bool = False) -> ToldValues:
        """What a value list of this meter says."""
        objects: dict[str, Measurement] = {}
        measurements: dict[str, Measurement] = {}
        corrected: list[str] = []
        negative = False
        if self._dzg:
            self._note_export(values)
        for entry in values.entries:
            code, quantity, unit = _meaning(entry.code, entry.unit)
            value = entry.value
            if not isinstance(value, Decimal):
                if public_key or not _is_key(entry):
                    objects[code] = {"value": _plain(value), "unit": unit}
                continue
            measured: Measurement = {"value": value, "unit": unit}
            objects[code] = measured
            if not quantity:
                continue
            if self._dzg and self._is_misread(entry, value):
                measured = {"value": _unsigned(value, entry.octets), "unit": unit}
                corrected.append(quantity)
            elif value < 0 and quantity.startswith(_ONE_WAY):
                negative = True
            measurements.setdefault(quantity, measured)
        announced = self.identity.flag or _NO_FLAG
        contradictory = self._signs.split(announced, measurements, negative=negative)
        self._add_direction(values, measurements)
        return ToldValues(objects, measurements, pin_missing(values), tuple(corrected), tuple(contradictory))

    def _note_export(self, values: ValueList) -> None:
        for entry in values.entries:
            if entry.code.reduced == _EXPORT_TOTAL and not entry.code.stored:
                moved = self._export is not None and entry.value != self._export
                self._stood = 0 if moved else self._stood + 1
                self._export = entry.value if isinstance(entry.value, Decimal) else None

    def _is_misread(self, entry: ListEntry, value: Decimal) -> bool:
        return (
            entry.unit == _WATT
            and entry.octets in _DZG_NARROW
            and value < 0
            and self._stood >= _DZG_STANDS_AFTER
        )

    def _add_direction(self, values: ValueList, measurements: dict[str, Measurement]) -> None:
        """The net power, where the power has no sign and the status word has the direction."""
        if self._bit is None or (_NET in measurements and self._override is None):
            return
        status = _status_of(values)
        power = measurements.get("active_power_sum") or measurements.get(_NET)
        if status is None or power is None or not isinstance(power["value"], Decimal):
            return
        value = abs(power["value"])
        measurements[_NET] = {"value": -value if status >> self._bit & 1 else value, "unit": power["unit"]}


def maker_of(values: ValueList) -> bytes:
    """What a telegram calls its maker: EMH, EBZ, HAGER; b"" where it does not."""
    for entry in values.entries:
        if entry.code in _MAKER_CODES and isinstance(entry.value, bytes):
            return entry.value
    return b""


def pin_missing(values: ValueList) -> bool | None:
    """Whether it tells whole kWh and no power, as a meter does until its PIN is entered; None: no total."""
    totals = False
    for entry in values.entries:
        code = entry.code
        if code.a != 1 or code.stored or not isinstance(entry.value, Decimal):
            continue
        if entry.unit == _WATT and code.d == _MOMENTARY_D:
            return False
        if entry.unit == _WATT_HOUR and code.d == _TOTAL_D:
            totals = True
            if int(entry.value.as_tuple().exponent) < _COARSE:
                return False
    return True if totals else None


def _status_of(values: ValueList) -> int | None:
    """The status word of the import total, or of another where that is missing."""
    found = None
    for entry in values.entries:
        if entry.status is not None and entry.code.d == _TOTAL_D:
            if entry.code.reduced == _IMPORT_TOTAL:
                return entry.status
            found = entry.status if found is None else found
    return found


def _unsigned(value: Decimal, octets: int) -> Decimal:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "only finite values are entries"
    return value + Decimal(1 << 8 * octets).scaleb(exponent)


def _is_key(entry: ListEntry) -> bool:
    return entry.code == PUBLIC_KEY or (isinstance(entry.value, bytes) and len(entry.value) == _KEY_OCTETS)


def _plain(value: bytes | bool) -> str | int:
    return int(value) if isinstance(value, bool) else text_of(value)
