"""Which of the M-Bus devices behind an electricity meter are in use: one for each medium, as a rule.

A replaced meter may stay on its channel for ever, with zero, without unit or with a nonsense time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final, NamedTuple

from smart_meter_reader.codecs.p1.devices import POSITIONS, DeviceReader, Devices, SubMeter

# Devices report every five minutes to every hour, and a wireless one is not heard each time.
_CLEARLY_OLDER = timedelta(hours=3)


class Chosen(NamedTuple):
    """The device that bears the name of its medium; ``counted``: whether it ever showed more than zero."""

    group: tuple[int, int]
    serial_number: str
    counted: bool

    def is_same(self, device: SubMeter) -> bool:
        """Whether ``device`` is it."""
        return (self.group, self.serial_number) == (device.group, device.serial_number)


MOST_IN_USE: Final = 32  # media that are remembered; a telegram has four channels


@dataclass(slots=True)
class InUse:
    """Which devices count: what the settings say of it, and the one ``chosen`` of each medium.

    ``channels``: no other ones; empty for all. ``by_channel``: each device has a name of its own, "gas-1".
    """

    channels: frozenset[int] = frozenset()
    by_channel: bool = False
    chosen: dict[str, Chosen] = field(default_factory=dict)

    def name_of(self, device: SubMeter) -> str:
        """The name for which it is a candidate."""
        return f"{device.medium}-{device.channel}" if self.by_channel else device.medium

    def is_anothers(self, device: SubMeter) -> bool:
        """Whether its name belongs to another device, which has counted."""
        chosen = self.chosen.get(self.name_of(device))
        return chosen is not None and chosen.counted and not chosen.is_same(device)


class Channels(NamedTuple):
    """The M-Bus devices of one telegram by name, one per medium as a rule; and the others."""

    meters: dict[str, SubMeter]
    dead: tuple[SubMeter, ...]


def read_channels(
    devices: Devices,
    sent_at: datetime | None,
    reader: DeviceReader,
    in_use: InUse,
) -> Channels:
    """What ``devices`` say of themselves, and which of them are in use; ``in_use`` is brought up to date."""
    read: list[SubMeter] = []
    rivals: dict[str, list[SubMeter]] = {}
    for group in sorted(devices):
        device = reader.read(group, devices[group], sent_at)
        if device is not None:
            read.append(device)
            if _alive(device) and (not in_use.channels or device.channel in in_use.channels):
                rivals.setdefault(in_use.name_of(device), []).append(device)
    meters: dict[str, SubMeter] = {}
    for name, several in rivals.items():
        before = in_use.chosen.get(name)
        if before is not None and before.counted and len(several) == 1 and before.is_same(several[0]):
            meters[name] = several[0]  # as in nearly every telegram
            continue
        if before is not None and in_use.channels and before.group[1] not in in_use.channels:
            before = None  # the settings have it otherwise now
        chosen = _choose(several, before)
        if chosen is not None:
            meters[name] = chosen
            _remember(in_use.chosen, name, chosen)
    if len(read) == len(meters):
        return Channels(meters, ())
    used = [id(device) for device in meters.values()]
    return Channels(meters, tuple(device for device in read if id(device) not in used))


def _remember(chosen: dict[str, Chosen], name: str, device: SubMeter) -> None:
    before = chosen.get(name)
    if before is None or not before.is_same(device):
        if before is None and len(chosen) >= MOST_IN_USE:
            return
        chosen[name] = Chosen(device.group, device.serial_number, _counted(device))
    elif not before.counted and _counted(device):
        chosen[name] = before._replace(counted=True)


def _counted(device: SubMeter) -> bool:
    """Whether it shows more than zero: one that was never connected, or taken over by another, does not."""
    return any(item["value"] for key, item in device.measurements.items() if key not in POSITIONS)


def _alive(device: SubMeter) -> bool:
    """Whether it measures anything: a valve that is open is no sign of life."""
    return not device.measurements.keys() <= POSITIONS


def _choose(rivals: list[SubMeter], before: Chosen | None) -> SubMeter | None:
    """Of the up-to-date ones the one that was chosen before, else the newest, or that of the higher channel.

    A new device takes the next free channel. Two that both live are newest by turns: going by that alone
    would mix two counters. One that shows zero takes the place of none that counts or has counted; a new
    meter does so with the first it counts.
    """
    if before is not None and before.counted:
        rivals = [device for device in rivals if before.is_same(device) or _counted(device)]
    elif len(rivals) > 1:
        rivals = [device for device in rivals if _counted(device)] or rivals
    if len(rivals) < 2:
        return rivals[0] if rivals else None
    timed = [(time, device) for device in rivals if (time := device.measured_at) is not None]
    if timed:
        timed.sort(key=itemgetter(0))
        newest = timed[-1][0]
        rivals = [device for time, device in timed if newest - time <= _CLEARLY_OLDER]
    for device in rivals:
        if before is not None and before.is_same(device):
            return device
    return rivals[-1]
