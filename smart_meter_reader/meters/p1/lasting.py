"""What the client of a P1 port knows longer than one connection."""

from __future__ import annotations

from dataclasses import dataclass, field

from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.mbus import Chosen, InUse
from smart_meter_reader.codecs.p1.obis import Further
from smart_meter_reader.meters.push.known import KnownLine


@dataclass(slots=True)
class Lasting(KnownLine):
    """What a client knows longer than one connection."""

    opener: Opener | None
    in_use: InUse = field(default_factory=InUse)  # the M-Bus devices that count
    told_chosen: dict[str, Chosen] = field(default_factory=dict)  # those of them that the log knows of
    # The codes that only dsmr-parser knows. Off the loop, as the transport goes on collecting meanwhile.
    further: Further = field(default_factory=lambda: Further(aside=True))

    def take_changes(self) -> list[str]:
        """A sentence for each name that another device has got, lest it be taken for the one before."""
        told, chosen = self.told_chosen, self.in_use.chosen
        if told == chosen:
            return []
        changes = [
            f"{name} is the meter {device.serial_number} on M-Bus channel {device.group[1]} from now on, no "
            f"longer {before.serial_number} on channel {before.group[1]}, which has no newer reading; "
            "channels in the settings can name the right one"
            for name, device in chosen.items()
            if (before := told.get(name)) is not None and before[:2] != device[:2]
        ]
        told.update(chosen)
        return changes
