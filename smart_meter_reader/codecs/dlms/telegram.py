"""What one notification says: by OBIS code as sent, and by quantity with what its numbers are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from smart_meter_reader.codecs.ciphering.keys import Authentication
from smart_meter_reader.codecs.dlms.axdr import NULL, Item
from smart_meter_reader.codecs.dlms.codes import meaning_of
from smart_meter_reader.codecs.dlms.date_time import LENGTH as TIME_LENGTH
from smart_meter_reader.codecs.dlms.date_time import MeterTime, parse_date_time
from smart_meter_reader.codecs.dlms.framing.frames import Framing
from smart_meter_reader.codecs.dlms.identity import DlmsIdentity, identity_of, naming_texts, telling_of
from smart_meter_reader.codecs.dlms.layouts import VALUE, CodedValue, Layout, read_layout, unknown_list
from smart_meter_reader.codecs.dlms.notification import Notification
from smart_meter_reader.codecs.dlms.positional import find_positions
from smart_meter_reader.codecs.dlms.scales import (
    NO_OWN_STEPS,
    UNIT_OF_STEPS,
    NumberSteps,
    OwnSteps,
    number_steps,
    step_by_range,
)
from smart_meter_reader.codecs.dlms.values import value_of
from smart_meter_reader.codecs.obis import CURRENT, ObisCode
from smart_meter_reader.codecs.unit_numbers import NO_UNIT, unit_of
from smart_meter_reader.quantities import Kind
from smart_meter_reader.quantities.measurement import Measurement, Value
from smart_meter_reader.quantities.units import measures

_CLOCK: Final = (0, "1.0.0")
# Of a disconnect control (class 70): 0 disconnected, 1 connected, 2 ready to be.
_CONTROL_STATE: Final = ("96.3.10", 3)
_WITHOUT_UNIT: Final = frozenset({Kind.CODE, Kind.TEXT, Kind.COUNT, Kind.POWER_FACTOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """How a notification came."""

    framing: Framing
    authentication: Authentication = "none"
    frame_counter: int | None = None
    system_title: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DlmsTelegram:
    """One pushed list.

    ``objects`` are as sent: scaled where the meter says how, else the bare number. ``measurements`` are by
    quantity, what the meter does not say by table or setting. ``unscaled`` are the quantities that are left
    out, since nothing tells what their numbers are worth; ``assumed`` those whose step is that of
    ``steps``, which are the table's or the settings'. ``unread`` are those with a code that have no place in
    ``objects``: structures and arrays, numbers beyond any meter's, a second value of one code.
    ``unknown_list`` are all values of a list of which nobody knows what they are.
    """

    envelope: Envelope
    invoke_id: int
    time: MeterTime | None
    layout: Layout
    objects: Mapping[str, Measurement]
    measurements: Mapping[str, Measurement]
    unscaled: tuple[str, ...]
    assumed: frozenset[str]
    steps: NumberSteps
    unread: tuple[CodedValue, ...]
    unknown_list: tuple[Item, ...]
    identity: DlmsIdentity
    length: int


def build_telegram(
    notification: Notification, envelope: Envelope, own_steps: OwnSteps = NO_OWN_STEPS, length: int = 0
) -> DlmsTelegram:
    """What the notification says. ``own_steps`` go before the table of models."""
    pushed = read_layout(notification)
    make = ""
    nameless, unknown = pushed.nameless, pushed.nameless if pushed.layout == "unknown" else ()
    entries: tuple[CodedValue, ...] = pushed.entries
    if pushed.layout == "positional":
        line = find_positions(pushed.nameless)
        nameless = ()
        if line is None:
            pushed = unknown_list(pushed.nameless)
            unknown = pushed.nameless
        else:
            make = line.make
            entries = tuple(_positional(line.codes, pushed.nameless))
    objects, unread = _objects(entries)
    texts = naming_texts(entries)
    telling = telling_of(texts, nameless, envelope.system_title, make, pushed.layout)
    steps = number_steps(telling).overridden(own_steps)
    values = _QuantityValues(steps)
    for entry in entries:
        values.take(entry, objects)
    values.scale_by_range()
    return DlmsTelegram(
        envelope=envelope,
        invoke_id=notification.invoke_id,
        time=notification.time or _time_within(entries, nameless),
        layout=pushed.layout,
        objects=objects,
        measurements=values.measurements,
        unscaled=values.unscaled,
        assumed=frozenset(values.assumed),
        steps=steps,
        unread=unread,
        unknown_list=tuple(unknown),
        identity=identity_of(texts, nameless, telling),
        length=length,
    )


def _positional(codes: tuple[str, ...], items: tuple[Item, ...]) -> list[CodedValue]:
    return [CodedValue(_parsed(code), item) for code, item in zip(codes, items, strict=True) if code]


@lru_cache(maxsize=256)
def _parsed(code: str) -> ObisCode:
    """The code that a table writes as A-B:C.D.E."""
    groups, _, reduced = code.partition(":")
    numbers = [*map(int, groups.split("-")), *map(int, reduced.split("."))]
    return ObisCode.from_octets(bytes([*numbers, CURRENT]))


def _is_clock(code: ObisCode) -> bool:
    return (code.a, code.reduced) == _CLOCK


def _objects(entries: tuple[CodedValue, ...]) -> tuple[dict[str, Measurement], tuple[CodedValue, ...]]:
    """By code, as sent, and what is none of them. What was sent as nothing is not there."""
    objects: dict[str, Measurement] = {}
    unread = []
    for entry in entries:
        value = value_of(entry)
        if value is None:
            if entry.value.tag != NULL:
                unread.append(entry)
            continue
        unit = "" if entry.scaler_unit is None else unit_of(entry.scaler_unit.unit)
        told: Measurement = {"value": value, "unit": unit}
        if objects.setdefault(meaning_of(entry.code).text, told) != told:
            unread.append(entry)
    return objects, tuple(unread)


def _time_within(entries: tuple[CodedValue, ...], nameless: tuple[Item, ...]) -> MeterTime | None:
    """The clock in the list, where the notification has no time of its own."""
    for entry in entries:
        if _is_clock(entry.code) and (time := parse_date_time(entry.value.octets)) is not None:
            return time
    for item in nameless[:1]:
        if len(item.octets) == TIME_LENGTH and not item.octets.isascii():
            return parse_date_time(item.octets)
    return None


class _QuantityValues:
    """Measurements by quantity, the first of several that mean the same."""

    def __init__(self, steps: NumberSteps) -> None:
        self._steps = steps
        self.measurements: dict[str, Measurement] = {}
        self.assumed: set[str] = set()
        self._bare: dict[str, tuple[Kind, Decimal]] = {}  # by quantity, what the table does not tell of

    @property
    def unscaled(self) -> tuple[str, ...]:
        """The quantities that are left out, since nothing tells what their numbers are worth."""
        return tuple(self._bare)

    def scale_by_range(self) -> None:
        """Once all are taken: what the table does not tell of, where only one step can be right."""
        for kind in dict.fromkeys(kind for kind, _ in self._bare.values()):
            numbers = {key: number for key, (other, number) in self._bare.items() if other == kind}
            step = step_by_range(kind, numbers.values())
            if step is not None:
                for key, number in numbers.items():
                    del self._bare[key]
                    self._put(key, kind, number, step)

    def take(self, entry: CodedValue, objects: Mapping[str, Measurement]) -> None:
        """Put in what the entry measures, if that is any of ours."""
        meaning = meaning_of(entry.code)
        key, kind = meaning.quantity, meaning.kind
        if entry.attribute != VALUE and (meaning.reduced, entry.attribute) != _CONTROL_STATE:
            return
        sent = objects.get(meaning.text)
        if kind is None or sent is None or sent["value"] == "":
            return
        if key in self.measurements or key in self._bare:
            return
        value, unit = sent["value"], sent["unit"]
        if kind in (Kind.CODE, Kind.TEXT):
            self.measurements[key] = {"value": _code_value(entry.value, value), "unit": ""}
        elif not isinstance(value, Decimal):
            return
        elif entry.scaler_unit is not None and entry.scaler_unit.unit != NO_UNIT:
            if measures(unit, kind):
                self.measurements[key] = {"value": value, "unit": unit}
        elif entry.scaler_unit is not None and kind in _WITHOUT_UNIT:
            self.measurements[key] = {"value": value, "unit": ""}
        else:
            self._scale(key, kind, value)

    def _scale(self, key: str, kind: Kind, value: Decimal) -> None:
        """A bare number, by what the table or the settings say."""
        step = self._steps.of(kind)
        if step is None:
            self._bare[key] = (kind, value)
        else:
            self._put(key, kind, value, step)

    def _put(self, key: str, kind: Kind, value: Decimal, step: Decimal) -> None:
        self.measurements[key] = {"value": value * step, "unit": UNIT_OF_STEPS[kind]}
        self.assumed.add(key)


def _code_value(item: Item, sent: Value) -> Value:
    """A tariff or switch: a number where that is what its octets are."""
    octets = item.octets
    if isinstance(sent, str) and sent.startswith("0x") and 0 < len(octets) <= 4:
        return int.from_bytes(octets, "big")
    return int(sent) if isinstance(sent, Decimal) else sent
