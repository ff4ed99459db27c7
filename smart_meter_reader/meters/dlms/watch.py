"""Watches what arrives from a meter that pushes DLMS: why telegrams are lost, and what else the bytes are."""

from __future__ import annotations

from typing import ClassVar, Final

from smart_meter_reader.codecs.other_protocols import other_protocol
from smart_meter_reader.codecs.p1.framing.plain import DATA_LINE
from smart_meter_reader.exceptions import FrameError, NoTelegramError
from smart_meter_reader.meters.dlms.settings import PATIENCE_FOR_ONE
from smart_meter_reader.meters.push.watch import LineWatch, Patience

NOT_A_BYTE: Final = (
    "not a byte: check the cable; that the port is switched on, which in most countries the grid operator "
    "does on request; and the converter: it has to be an M-Bus slave (a receiver), since a master, which "
    "heat meters need, hears nothing here"
)
P1_TEXT: Final = 'these are telegrams of P1 in text: the client "dsmr" reads them'
SML: Final = 'this is SML, as German meters send it at their optical head: the client "sml" reads it'
NO_FRAME: Final = (
    "bytes come, and no whole frame of DLMS in them: check speed and format (baud, format) and both wires"
)


def what_else(received: bytes) -> str:
    """A sentence on what bytes without any frame of DLMS are; "" where nobody knows."""
    if other_protocol(received) == "sml":
        return SML
    return P1_TEXT if DATA_LINE.search(received) else ""


class DlmsWatch(LineWatch):
    """Counts what comes of one open line."""

    # EG.D's meters send once a minute; three of those are the patience before anything is known.
    waits: ClassVar = Patience(unknown=180.0, shortest=30.0, for_one=PATIENCE_FOR_ONE)

    def __init__(
        self, port: str, opened: float, timeout: float | None, interval: float = 0.0, *, for_one: bool = False
    ) -> None:
        super().__init__(port, opened, timeout, interval, for_one=for_one)
        self._last_damage = ""

    def note_damaged(self, error: FrameError) -> None:
        super().note_damaged(error)
        self._last_damage = error.detail

    def death(self, unrecognised: bytes, now: float) -> NoTelegramError:
        since = self._nothing_good(now)
        if not self.received:
            return NoTelegramError("silence", f"{since}, and {NOT_A_BYTE}")
        if self._lost.damaged:
            return NoTelegramError("checksum", f"{since}, only damaged ones: {self._last_damage}")
        other = what_else(unrecognised)
        return NoTelegramError("other_protocol" if other else "garbage", f"{since}: {other or NO_FRAME}")

    def _cause(self, good: int) -> str:
        lost = self._lost
        if cause := lost.cause_of_whole:
            return cause
        if lost.kinds["incomplete"] * 2 > lost.damaged:
            return "parts are missing: another program reads the same port, or this computer is too busy"
        return "bytes were changed on the way: check the cable, and the power that the converter gets"
