"""When a telegram without checksum counts: it stands between two others, and they bear it out.

DSMR 2.2 and 3, EasyMeter's Q3D and the ACE4000 send no checksum, and a flipped bit makes another digit of
one. But they send every ten seconds or oftener. So a telegram is held back until the next one is there, and
judged by that and the one before:

- identification, serial numbers, codes, units and decimals must be the same as in both, and no total may
  have fallen, nor risen by more than 100 kW or 25 m³/h bring (a gas, water or heat meter's: since it measured
  last). Else the telegram that does not go with the two others is refused as a whole, for it is damaged;
- any other number is the middle one of the three, if it is near another of them (by 20 steps of the last
  digit or a quarter of the greater): right, or between two that are, whichever of them is damaged. A peak
  that stands in a single telegram is lost by that; of three far apart none counts;
- a text, code or count must be as in one of the two; a clock may stand between them. Else it is left out of
  this reading; the other lines stand.

The first and the last telegram of a connection are only witnesses, unless everything stands still.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Final, NamedTuple

from smart_meter_reader.codecs.p1.devices import SubMeter
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.codecs.p1.values import Object
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import JOULES
from smart_meter_reader.text import REPLACEMENT

# In an hour: no meter without checksum is behind transformers, and three phases of 100 A are 69 kW.
_KILOWATTS: Final = 100
_CUBIC_METRES: Final = 25
_JOULES_PER_HOUR: Final = _KILOWATTS * 3_600_000
_PER_HOUR: Final[Mapping[str, Decimal]] = {
    **{unit: Decimal(_JOULES_PER_HOUR) * size.denominator / size.numerator for unit, size in JOULES.items()},
    "varh": Decimal(1000 * _KILOWATTS),
    "kvarh": Decimal(_KILOWATTS),
    "Mvarh": Decimal(_KILOWATTS) / 1000,
    "m³": Decimal(_CUBIC_METRES),
    "L": Decimal(1000 * _CUBIC_METRES),
}
# Telegrams that waited in a buffer come at once, though they were sent ten seconds apart.
_SHORTEST: Final = 30.0
# Devices on the M-Bus report every five minutes to every hour.
_SUB_METER: Final = 3600.0
_NEAR_STEPS: Final = 20
_MOST_ODD: Final = 3
_CLOCK: Final = re.compile(r"[0-9][0-9T:+-]{5,}[SWsw]?", re.ASCII)


class _Received(NamedTuple):
    telegram: Telegram
    at: float


class Judged(NamedTuple):
    """What came of a telegram: one that is borne out, and when it was received; why others were refused.

    ``left_out`` are the codes of its lines that nothing bears out.
    """

    confirmed: Telegram | None = None
    received_at: float = 0.0
    refused: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Agreement:
    """Holds back the telegrams of one meter, three at most, until others bear them out."""

    def __init__(self) -> None:
        self._before: _Received | None = None
        self._held: _Received | None = None
        self._odd: _Received | None = None  # says otherwise than the one held; the next one decides
        self._refused = 0  # since the last one that was confirmed

    def take(self, telegram: Telegram, now: float) -> Judged:
        """Judge the telegram before this one. ``now``: seconds of a clock that is never set."""
        new = _Received(telegram, now)
        held = self._held
        if held is None:
            self._held = new
            return Judged()
        if not _contradiction(held, new):
            refused = () if self._odd is None else (_refusal(held, self._odd),)
            return self._judge(held, new, refused)
        return self._decide(held, new)

    def _decide(self, held: _Received, new: _Received) -> Judged:
        """Of ``held`` and ``new``, which contradict each other, the one is right that a third agrees with."""
        odd, self._odd = self._odd, new
        if odd is None:
            return Judged()
        if not _contradiction(odd, new):
            # Two in a row say otherwise than the one held: it was damaged, or the meter has changed.
            if self._before is not None and _contradiction(self._before, odd):
                self._before = None
            return self._judge(odd, new, (_refusal(held, odd),))
        self._refused += 1
        if self._refused % _MOST_ODD:
            return Judged(refused=(_refusal(held, odd),))
        # It is in no row any more: what agrees with it by now may have been damaged in the same place.
        self._before, self._held, self._odd = None, new, None
        return Judged(refused=(_refusal(held, odd), _refusal(held, new)))

    def _judge(self, held: _Received, new: _Received, refused: tuple[str, ...]) -> Judged:
        self._refused += len(refused)
        # What comes after a contradiction takes a third telegram, even where everything stands still.
        alone = self._before is None and self._refused
        confirmed = None if alone else _confirm(self._before, held, new)
        self._before, self._held, self._odd = held, new, None
        if confirmed is None:
            return Judged(refused=refused)
        self._refused = 0
        left_out = tuple(held.telegram.objects.keys() - confirmed.objects.keys())
        return Judged(confirmed, held.at, refused, left_out)


def _refusal(first: _Received, second: _Received) -> str:
    """Why one of two that contradict each other was refused."""
    return f"{_contradiction(first, second)} does not go with the telegrams before and behind it"


def _contradiction(first: _Received, second: _Received) -> str:
    """What cannot have become of ``first`` in ``second``; "" when the two go together."""
    one, other = first.telegram, second.telegram
    if one.header != other.header or one.identity != other.identity or REPLACEMENT in one.header:
        return "who sends it"
    if _form(one.objects) != _form(other.objects):
        return "the set of its lines and units"
    if _devices(one) != _devices(other):
        return "the set of its M-Bus meters"
    elapsed = max(second.at - first.at, _SHORTEST)
    doubtful = _fallen(one.measurements, other.measurements, elapsed)
    for medium, device in one.meters.items():
        if not doubtful and medium in other.meters:
            doubtful = _fallen(device.measurements, other.meters[medium].measurements, _SUB_METER)
    return doubtful


def _fallen(first: Mapping[str, Measurement], second: Mapping[str, Measurement], elapsed: float) -> str:
    """The first total that has fallen or leapt; "" when none has."""
    both = (key for key in first if key in second)
    return next((key for key in both if not _goes_on(key, first[key], second[key], elapsed)), "")


def _form(objects: Mapping[str, Object]) -> list[object]:
    """Codes, units and decimals: what stays the same when values change."""
    return [(code, [_item_form(item) for item in _several(line)]) for code, line in objects.items()]


def _item_form(item: Measurement) -> object:
    value = item["value"]
    return (item["unit"], value.as_tuple().exponent) if isinstance(value, Decimal) else str


def _devices(telegram: Telegram) -> list[tuple[tuple[int, int], int | None, str]]:
    devices = (*telegram.meters.values(), *telegram.dead_meters)
    return sorted((device.group, device.device_type, device.serial_number) for device in devices)


def _goes_on(key: str, one: Measurement, other: Measurement, elapsed: float) -> bool:
    """Whether ``other`` can follow ``one``; of what is no total, anything can."""
    quantity = QUANTITIES.get(key)
    if quantity is None or not quantity.cumulative:
        return True
    before, after = one["value"], other["value"]
    if not (isinstance(before, Decimal) and isinstance(after, Decimal)) or one["unit"] != other["unit"]:
        return one == other
    if "measured_at" in one and "measured_at" in other:
        elapsed = (other["measured_at"] - one["measured_at"]).total_seconds()
        if elapsed < 0 or (elapsed == 0 and before != after):
            return False
    return before <= after <= before + _most(before, one["unit"], elapsed)


def _most(value: Decimal, unit: str, elapsed: float) -> Decimal:
    """How far a total can rise in ``elapsed`` seconds: by one in its last place always."""
    per_hour, step = _PER_HOUR.get(unit), _step(value)
    return step if per_hour is None else max(step, per_hour * Decimal(elapsed) / 3600)


def _confirm(before: _Received | None, held: _Received, after: _Received) -> Telegram | None:
    """What the two others bear out of ``held``; None when there is but one, and it has moved on."""
    telegram = held.telegram
    if telegram.objects == after.telegram.objects:
        return telegram
    if before is None:
        return None
    objects = {
        code: borne_out
        for code, line in telegram.objects.items()
        if (borne_out := _line(before.telegram.objects.get(code), line, after.telegram.objects.get(code)))
    }
    return telegram._replace(
        objects=objects,
        measurements=_items(before.telegram.measurements, telegram.measurements, after.telegram.measurements),
        meters=dict(_sub_meters(before.telegram, telegram, after.telegram)),
    )


def _line(before: Object | None, held: Object, after: Object | None) -> Object | None:
    if held in (before, after):
        return held
    # What consists of several values is a log or a device's, and stands still for more than a telegram.
    if isinstance(before, list) or isinstance(held, list) or isinstance(after, list):
        return None
    return _item(before, held, after)


def _items(
    before: Mapping[str, Measurement], held: Mapping[str, Measurement], after: Mapping[str, Measurement]
) -> dict[str, Measurement]:
    judged = ((key, _item(before.get(key), item, after.get(key))) for key, item in held.items())
    return {key: item for key, item in judged if item is not None}


def _sub_meters(before: Telegram, held: Telegram, after: Telegram) -> Iterator[tuple[str, SubMeter]]:
    for medium, device in held.meters.items():
        earlier, later = _measured(before, medium), _measured(after, medium)
        items = _items(earlier, device.measurements, later)
        if items:
            yield medium, device._replace(measurements=items)


def _measured(telegram: Telegram, medium: str) -> Mapping[str, Measurement]:
    device = telegram.meters.get(medium)
    return {} if device is None else device.measurements


def _item(before: Measurement | None, held: Measurement, after: Measurement | None) -> Measurement | None:
    """``held`` as it is, or the middle one of the three; None when nothing bears it out."""
    if held in (before, after):
        return held
    if before is None or after is None:
        return None
    three = (before, held, after)
    if not _in_order([each.get("measured_at") for each in three]):
        return None
    values = [each["value"] for each in three]
    if all(isinstance(value, Decimal) for value in values):
        return _middle(three)
    texts = [value for value in values if isinstance(value, str) and _CLOCK.fullmatch(value)]
    return held if len(texts) == 3 and len(set(map(len, texts))) == 1 and texts == sorted(texts) else None


def _middle(three: Sequence[Measurement]) -> Measurement | None:
    lowest, middle, highest = sorted(three, key=itemgetter("value"))
    return middle if _are_near(lowest, middle) or _are_near(middle, highest) else None


def _are_near(one: Measurement, other: Measurement) -> bool:
    lower, higher = one["value"], other["value"]
    if not (isinstance(lower, Decimal) and isinstance(higher, Decimal)):
        return False
    return higher - lower <= max(_NEAR_STEPS * _step(higher), max(abs(lower), abs(higher)) / 4)


def _step(value: Decimal) -> Decimal:
    """One in the last place."""
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(0)


def _in_order(moments: list[datetime | None]) -> bool:
    """Whether the three devices measured one after the other; where none tells a time, nothing is wrong."""
    told = [moment for moment in moments if moment is not None]
    return not told or (len(told) == len(moments) and told == sorted(told))


def _several(line: Object) -> list[Measurement]:
    return line if isinstance(line, list) else [line]
