"""From telegrams to messages: who the meter is, its readings, and what seems wrong with the scale of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from smart_meter_reader.codecs.dlms.identity import DlmsIdentity
from smart_meter_reader.codecs.dlms.plausibility import ScaleCheck, ScaleDoubt, Subject
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from smart_meter_reader.messages import Info, Message, Reading, Status
from smart_meter_reader.meters.base import InfoText, tell_texts
from smart_meter_reader.meters.dlms.lists import KeptLists
from smart_meter_reader.meters.dlms.moments import measured_at
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement

IMPLAUSIBLE_SCALE: Final = "implausible_scale"
_KINDS: Final[Mapping[Subject, frozenset[Kind]]] = {
    "voltage": frozenset({Kind.VOLTAGE}),
    "energy": frozenset({Kind.ENERGY, Kind.REACTIVE_ENERGY}),
    "power": frozenset({Kind.POWER, Kind.REACTIVE_POWER, Kind.APPARENT_POWER}),
}
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - of local time
_TRANSFORMED: Final = frozenset(
    {
        *(Kind.ENERGY, Kind.REACTIVE_ENERGY, Kind.APPARENT_ENERGY),
        *(Kind.POWER, Kind.REACTIVE_POWER, Kind.APPARENT_POWER, Kind.CURRENT),
    }
)


@dataclass(slots=True)
class KnownValues:
    """What is known of a meter longer than one connection: its values, their scale, and who it is."""

    lists: KeptLists = field(default_factory=KeptLists)
    objects: KeptLists = field(default_factory=KeptLists)
    check: ScaleCheck = field(default_factory=ScaleCheck)
    identity: DlmsIdentity = field(default_factory=DlmsIdentity)
    doubted: str = ""  # what was told of the scale last
    too_old: tuple[str, ...] = ()  # what has just become too old to be told again
    held_back: int = 0  # values of the last telegram that are not published, since their scale is doubted
    has_clock: bool | None = None  # whether its lists have a time; None: not known


class DlmsMessages:
    """One connection's messages. An info stands before the first reading, and again when it changed."""

    def __init__(self, meter: str, ratio: Decimal, lasting: KnownValues) -> None:
        self._meter = meter
        self._ratio = ratio
        self._lasting = lasting
        self._info: Info | None = None

    def of(self, telegram: DlmsTelegram, time: datetime, now: float, interval: float) -> Iterator[Message]:
        """The messages that ``telegram``, received at ``time``, is worth at the loop's time ``now``.

        ``interval``: seconds between readings, for whoever lets values expire.
        """
        info = self._new_info(telegram, time, interval)
        if self._info is None or {**self._info, "time": time} != info:
            self._info = info
            yield info
        self._look_at_scale(telegram, now)
        yield self._reading(telegram, time)
        yield from self._doubt(time)

    def note(self, telegram: DlmsTelegram, time: datetime, now: float) -> None:
        """Keep what a telegram says that is not published itself: the interval is longer."""
        self._look_at_scale(telegram, now)
        self._merged(telegram, time)

    def _look_at_scale(self, telegram: DlmsTelegram, now: float) -> None:
        """By the meter's clock, where its lists have a time: counters rise by that one."""
        lasting = self._lasting
        clock = None if telegram.time is None else _seconds(telegram.time.moment)
        if lasting.has_clock is None:
            lasting.has_clock = clock is not None
        if lasting.has_clock and clock is None:
            return
        check = lasting.check
        before = set(check.doubts)
        step = telegram.steps.energy or Decimal(1)
        at = clock if lasting.has_clock and clock is not None else now
        check.look(telegram.measurements, telegram.assumed, step, at)
        for subject in set(check.doubts) - before:
            lasting.lists.drop(frozenset(key for key in QUANTITIES if _is_of(key, subject)))

    def _doubt(self, time: datetime) -> Iterator[Status]:
        """A status when what seems wrong with the scale is another thing than before."""
        words = "; ".join(doubt.words for doubt in self._lasting.check.doubts.values())
        if words == self._lasting.doubted:
            return
        self._lasting.doubted = words
        yield {
            "type": "status",
            "meter": self._meter,
            "time": time,
            # Not an alert: the meter is read, and what is published of it is right.
            "state": "online",
            "reason": IMPLAUSIBLE_SCALE if words else "",
            "detail": words or "readings arrive",
        }

    def _reading(self, telegram: DlmsTelegram, time: datetime) -> Reading:
        measurements, objects, moment = self._merged(telegram, time)
        reading: Reading = {
            "type": "reading",
            "meter": self._meter,
            "time": time,
            "measurements": measurements,
            "objects": objects,
            "authentication": telegram.envelope.authentication,
        }
        if moment is not None:
            reading["measured_at"] = moment
        return reading

    def _merged(
        self, telegram: DlmsTelegram, time: datetime
    ) -> tuple[dict[str, Measurement], dict[str, Any], datetime | None]:
        moment = measured_at(telegram.time, time)
        lasting = self._lasting
        told = {
            key: self._transformed(key, each)
            for key, each in telegram.measurements.items()
            if not self._is_doubted(key, telegram)
        }
        lasting.held_back = len(telegram.measurements) - len(told)
        measurements, lasting.too_old = lasting.lists.merge(told, time, moment or time)
        objects, _ = lasting.objects.merge(telegram.objects, time, moment or time)
        return measurements, {code: _as_sent(each) for code, each in objects.items()}, moment

    def _transformed(self, key: str, each: Measurement) -> Measurement:
        value = each["value"]
        if self._ratio == 1 or QUANTITIES[key].kind not in _TRANSFORMED or isinstance(value, str):
            return each
        return {**each, "value": value * self._ratio}

    def _is_doubted(self, key: str, telegram: DlmsTelegram) -> bool:
        doubts: Mapping[Subject, ScaleDoubt] = self._lasting.check.doubts
        return key in telegram.assumed and any(_is_of(key, subject) for subject in doubts)

    def _new_info(self, telegram: DlmsTelegram, time: datetime, interval: float) -> Info:
        """Who the meter is, by this list and those before it: not all of them say all of it."""
        identity = self._known(telegram.identity)
        info: Info = {"type": "info", "meter": self._meter, "time": time, "interval": round(interval)}
        told: dict[InfoText, str] = {
            "manufacturer": identity.manufacturer,
            "model": identity.model,
            "serial_number": identity.serial_number,
        }
        tell_texts(info, told)
        if self._ratio != 1:
            info["transformer_ratio"] = self._ratio
        return info

    def _known(self, told: DlmsIdentity) -> DlmsIdentity:
        before = self._lasting.identity
        # Another list of the same meter may have another number, at another place.
        same_place = not before.serial_number or told.serial_code == before.serial_code
        serial = told if told.serial_number and same_place else before
        self._lasting.identity = DlmsIdentity(
            told.manufacturer or before.manufacturer,
            told.model or before.model,
            serial.serial_number,
            serial.serial_code,
            told.list_name or before.list_name,
        )
        return self._lasting.identity


def _is_of(key: str, subject: Subject) -> bool:
    return QUANTITIES[key].kind in _KINDS[subject]


def _as_sent(each: Measurement) -> Measurement:
    return {"value": each["value"], "unit": each["unit"]}


def _seconds(moment: datetime) -> float:
    """Seconds of the meter's own clock, in whatever zone."""
    return (moment.replace(tzinfo=None) - _EPOCH).total_seconds()
