"""Power with a sign under a code of import: net power, of which import and export are the two sides.

IEC 62056-61 has codes of its own for net power (16.7.0, and 36.7.0, 56.7.0, 76.7.0 by phase). EasyMeter's Q3D
and Hager's eHZ write it at 1.7.0, 21.7.0, 41.7.0 and 61.7.0 instead, negative while the house feeds in, and
have no code of export beside it. Others show only by their first negative power that they do so.

What is above zero is import and what is below is export, at any moment, so that all three are told; none
keeps a value from before the power turned. Sources: volkszaehler.org and tasmota/docs, EasyMeter Q3D; the
tests of public readers of Hager's eHZ.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from smart_meter_reader.quantities.measurement import Measurement

_MAKERS: Final = frozenset({"ESY", "HAG"})  # whose power of import has a sign, whatever it is at the moment
_WAYS: Final = tuple(
    (f"active_power_import{phase}", f"active_power_export{phase}", f"active_power_net{phase}")
    for phase in ("", "_l1", "_l2", "_l3")
)


class SignedPowers:
    """What is known of one meter's powers. Once one was negative, those above zero are net powers too."""

    def __init__(self) -> None:
        self._signed = ""  # the meter that has shown it

    def split(self, meter: str, measurements: dict[str, Measurement], *, negative: bool = True) -> list[str]:
        """Tell import, export and net power of what has a sign; what was taken out instead, in words.

        ``meter`` is how it announces itself, the maker's letters first. ``negative``: whether there is a
        minus sign at all, which saves a look at each power. No source tells what a negative power of import
        means beside an export of its own, nor a negative export: they are not told.
        """
        signed = meter == self._signed or meter[:3].upper() in _MAKERS
        if not signed and not negative:
            return []
        if signed or _shows_a_sign(measurements):
            signed, self._signed = True, meter
        contradictory = []
        for taken, given, net in _WAYS:
            if given in measurements:
                wrong = [key for key in (taken, given) if _is_negative(measurements.get(key))]
                for key in wrong:
                    del measurements[key]
                contradictory += [f"{key} is negative" for key in wrong]
                continue
            item = measurements.get(taken)
            if signed and item is not None and isinstance(item["value"], Decimal):
                nothing = item["value"] - item["value"]  # with as many decimals
                measurements[taken] = {**item, "value": max(item["value"], nothing)}
                measurements[given] = {**item, "value": max(-item["value"], nothing)}
                measurements.setdefault(net, item)
        return contradictory


def _shows_a_sign(measurements: dict[str, Measurement]) -> bool:
    one_way = (taken for taken, given, _ in _WAYS if given not in measurements)
    return any(_is_negative(measurements.get(taken)) for taken in one_way)


def _is_negative(item: Measurement | None) -> bool:
    return item is not None and isinstance(item["value"], Decimal) and item["value"] < 0
