"""From telegrams to messages: the electricity meter, and each M-Bus meter under its own name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smart_meter_reader.codecs.p1.derived import multiply
from smart_meter_reader.codecs.p1.devices import SubMeter
from smart_meter_reader.codecs.p1.mbus import InUse
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.messages import Info, Message, Reading
from smart_meter_reader.meters.base import InfoText, tell_texts

# A gas meter reports every five minutes or every hour, in telegrams that come every second.
_SUB_METER_SECONDS = 60.0
_NO_RATIO = Decimal(1)


@dataclass(slots=True)
class _LastTold:
    """What was last said of a sub-meter, and when."""

    measured: object
    at: float


class Messages:
    """One connection's messages.

    An info stands before the first reading of each meter, and again when something in it changed. A
    sub-meter's reading is told when it changed, else once a minute.
    """

    def __init__(self, meter: str, ratio: Decimal = _NO_RATIO, in_use: InUse | None = None) -> None:
        self._meter = meter
        self._in_use = in_use or InUse()
        self._ratio = ratio  # of the transformers that the electricity meter does not count with
        self._interval = 0.0
        self._identities: dict[str, tuple[object, ...]] = {}  # what was last said of each meter
        self._told: dict[str, _LastTold] = {}
        self._settled: set[str] = set()  # the sub-meters that had a reading, or were told to have none

    def of(self, telegram: Telegram, time: datetime, now: float, interval: float) -> Iterator[Message]:
        """The messages that ``telegram``, received at ``time``, is worth at the loop's time ``now``.

        ``interval``: seconds between readings, for whoever lets values expire.
        """
        self._interval = interval
        if telegram.measurements or not telegram.meters:
            if self._is_news(self._meter, telegram.identity, round(interval)):
                yield self._info(telegram, time)
            yield self._reading(telegram, time)
        yield from self._missing(telegram, time)
        for own_name, device in telegram.meters.items():
            self._settled.add(own_name)
            name = f"{self._meter}-{own_name}"
            yield from self._sub_info(name, device, telegram, time)
            if self._is_due(name, device, now):
                yield {
                    "type": "reading",
                    "meter": name,
                    "time": time,
                    "measurements": {**device.measurements},
                    "objects": {code: telegram.objects[code] for code in device.owned(telegram.objects)},
                    "authentication": telegram.authentication,
                }

    def _missing(self, telegram: Telegram, time: datetime) -> Iterator[Message]:
        """Why there is no gas: a device is on M-Bus, and none of its medium has a reading that counts."""
        # The one that has the name tells more than the ones beside it.
        for device in sorted(telegram.dead_meters, key=self._in_use.is_anothers):
            own_name = self._in_use.name_of(device)
            if not device.serial_number.strip("0") or own_name in self._settled | telegram.meters.keys():
                continue
            self._settled.add(own_name)
            name = f"{self._meter}-{own_name}"
            if not self._in_use.is_anothers(device):
                # Else it would be taken for a replaced meter, though the other one may be back at any time.
                yield from self._sub_info(name, device, telegram, time)
            yield {
                "type": "status",
                "meter": name,
                "time": time,
                "state": "offline",
                "reason": "no_reading",
                "detail": f"the {device.medium} meter {device.serial_number} on M-Bus channel "
                f"{device.channel} has no valid reading: it has not been heard yet, never counted, or "
                "stands beside one that did (ask the grid operator, or see channels in the settings)",
            }

    def _reading(self, telegram: Telegram, time: datetime) -> Reading:
        # A sub-meter's lines are left to its own reading: what the guard holds back of it is then in none.
        objects = {**telegram.objects}
        for device in telegram.meters.values():
            for code in device.owned(telegram.objects):
                objects.pop(code, None)
        measurements = telegram.measurements
        reading: Reading = {
            "type": "reading",
            "meter": self._meter,
            "time": time,
            "measurements": multiply(measurements, self._ratio) if self._ratio != 1 else {**measurements},
            "objects": objects,
            "authentication": telegram.authentication,
        }
        if telegram.time is not None:
            reading["measured_at"] = telegram.time
        return reading

    def _is_due(self, name: str, device: SubMeter, now: float) -> bool:
        told = self._told.get(name)
        if told is not None and told.measured == device.measurements and now - told.at < self._sub_interval:
            return False
        self._told[name] = _LastTold(device.measurements, now)
        return True

    @property
    def _sub_interval(self) -> float:
        return max(self._interval, _SUB_METER_SECONDS)

    def _is_news(self, name: str, *said: object) -> bool:
        """Whether what an info of a meter would say was not said yet; it is said then."""
        if self._identities.get(name) == said:
            return False
        self._identities[name] = said
        return True

    def _info(self, telegram: Telegram, time: datetime) -> Info:
        identity = telegram.identity
        info: Info = {"type": "info", "meter": self._meter, "time": time}
        told: dict[InfoText, str] = {
            "manufacturer": identity.manufacturer,
            "model": identity.model,
            "serial_number": identity.serial_number,
            "p1_version": identity.version,
            "dialect": identity.dialect,
        }
        tell_texts(info, told)
        if self._ratio != 1:
            info["transformer_ratio"] = self._ratio
        info["interval"] = round(self._interval)
        return info

    def _sub_info(self, name: str, device: SubMeter, telegram: Telegram, time: datetime) -> Iterator[Info]:
        """Who a device on M-Bus is, if that is news."""
        dialect, interval = telegram.identity.dialect, round(self._sub_interval)
        if self._is_news(name, device.serial_number, dialect, interval):
            info: Info = {"type": "info", "meter": name, "time": time, "via": self._meter}
            tell_texts(info, {"serial_number": device.serial_number, "dialect": dialect})
            info["interval"] = interval
            yield info
