"""The serial numbers that a meter tells, and when another one is believed."""

from __future__ import annotations

from collections.abc import Mapping

from smart_meter_reader.text import is_same_serial


class Serials:
    """Serial numbers by where they were told: "info", or "measurement" in readings.

    ``known`` are the believed ones. One that is new has to be told several times in a row where no checksum
    vouches for it.
    """

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self._new: dict[str, tuple[str, int]] = {}  # told so often

    def remember(self, known: Mapping[str, str]) -> None:
        """Take over what was known before a restart."""
        self.known.update(known)

    @property
    def told_by_info(self) -> str:
        """What the last info said, as long as it is doubted; it holds for the readings behind it, too."""
        return self._new.get("info", ("", 0))[0]

    def is_another(self, source: str, serial: str, times: int) -> bool:
        """Whether ``serial`` is believed and not the known one; ``times``: how often it must be told.

        An info is told once: the readings behind it count, not itself.
        """
        last = self.known.get(source, "")
        if not serial or (last and is_same_serial(serial, last)):
            self._new.pop(source, None)
            return False
        if last and times > 1:
            seen, count = self._new.get(source, ("", 0))
            if seen != serial:
                count = -1 if source == "info" else 0
            self._new[source] = (serial, count + 1)
            if count + 1 < times:
                return False
        self._new.pop(source, None)
        return True
