"""Watches what arrives at a head: why telegrams of SML are lost, and what else the bytes are."""

from __future__ import annotations

from typing import ClassVar, Final

from smart_meter_reader.codecs.p1 import garbage as others
from smart_meter_reader.codecs.sml.garbage import EXPLANATIONS, recognise
from smart_meter_reader.exceptions import ChecksumError, FrameError, NoTelegramError, WrongMeterError
from smart_meter_reader.meters.push.watch import LineWatch, Patience

_MANY: Final = 0.5
_ENOUGH: Final = 3
# What else is told for sure; the rest of P1's words are about its cable.
_NAMED: Final = frozenset({"hdlc", "mbus"})


class SmlWatch(LineWatch):
    """Counts what comes of one open line."""

    # Telegrams come every one to four seconds; a minute is the patience before anything is known.
    waits: ClassVar = Patience(unknown=60.0, shortest=15.0, for_one=15.0)

    def __init__(
        self, port: str, opened: float, timeout: float | None, *, wanted: str = "", for_one: bool = False
    ) -> None:
        super().__init__(port, opened, timeout, for_one=for_one)
        self._wanted = wanted
        self._stranger = ""  # who was heard since the last good one, and is not the wanted one
        self._since_good = 0  # damaged ones, over all summaries
        self._endless = 0  # of these, what did not end as it has to

    def note_good(self, now: float) -> None:
        """A telegram whose checksum is right."""
        super().note_good(now)
        self._since_good = self._endless = 0
        self._stranger = ""

    def note_stranger(self, serial: str) -> None:
        """A telegram of another meter than the settings name: no sign of life of that one."""
        self._stranger = serial
        self.received = 0

    def note_damaged(self, error: FrameError) -> None:
        super().note_damaged(error)
        self._since_good += 1
        self._endless += not isinstance(error, ChecksumError)

    @property
    def _spoilt(self) -> int:
        return self._since_good

    @property
    def tally(self) -> str:
        return f"only the meter {self._stranger} is heard" if self._stranger else super().tally

    def death(self, unrecognised: bytes, now: float) -> NoTelegramError | WrongMeterError:
        since = self._nothing_good(now)
        if self._stranger:
            return WrongMeterError(
                "wrong_meter",
                f"{since}: only the meter {self._stranger} is heard there, the settings expect "
                f"{self._wanted}: it is not read until serial_number is corrected or removed",
            )
        if self._endless >= _ENOUGH and self._endless == self._since_good:
            # A poor head loses other bytes than 1A as well.
            return NoTelegramError(
                "no_control", f"{since}, only such as begin and never end: {EXPLANATIONS['no_control']}"
            )
        if self._since_good and recognise(unrecognised) == "seven_bits":
            return NoTelegramError("seven_bits", f"{since}: {EXPLANATIONS['seven_bits']}")
        if self._since_good:
            return NoTelegramError(
                "checksum",
                f"{since}, only damaged ones: move the head a little until its LEDs face those of the meter "
                "(`align` helps), keep sunlight off, and see that nothing else reads the port",
            )
        if not self.received:
            return NoTelegramError(
                "silence",
                f"{since}, and not a byte: check that the head sits on the meter's LED with its cable down, "
                "that it is the info interface on the front, and that the meter has power",
            )
        kind = recognise(unrecognised)
        if kind == "unknown":
            other = others.recognise(unrecognised)
            if other in _NAMED:
                return NoTelegramError(other, f"{since}: {others.EXPLANATIONS[other]}")
            return NoTelegramError(
                "garbage",
                f"{since}: {EXPLANATIONS[kind]}; sunlight on the head, another speed, or a meter that "
                "does not send SML (`scan` tells)",
            )
        return NoTelegramError(kind, f"{since}: {EXPLANATIONS[kind]}")

    def _cause(self, good: int) -> str:
        lost = self._lost.kinds.total()
        if lost / (lost + good) < _MANY:
            return (
                "move the head a little (`align` shows how it sits), and see that nothing else reads the port"
            )
        return "the head hardly hears the meter: turn its cable down, and move it (`align`)"
