"""Finding all meters on a bus by their secondary addresses: which to select next. Pure.

Source: EN 13757-7, 5.3; The M-Bus: A Documentation, 7.1.3 (wildcard search). Depth first: where several
answer at once the next digit tells them apart; where none or one answers, that branch is done.
"""

from __future__ import annotations

from typing import Final

from smart_meter_reader.codecs.mbus.address import WILDCARD, Secondary

_DIGITS: Final = "0123456789"


class Search:
    """Select ``next``, say what came by ``none``, ``one`` or ``several``; None: all is searched.

    ``within`` is where to look: known digits, F for the others. ``stuck`` are addresses at which several
    answer though no digit is left to tell them apart.
    """

    def __init__(self, within: Secondary) -> None:
        self.stuck: list[Secondary] = []
        self._within = within
        self._left = [within]
        self._done = 0.0

    @property
    def next(self) -> Secondary | None:
        """What to select now."""
        return self._left[-1] if self._left else None

    @property
    def progress(self) -> float:
        """How much of all that could be is searched, from 0 to 1."""
        return self._done

    def none(self) -> None:
        """Nobody answers there."""
        self._done += self._share(self._left.pop())

    def one(self) -> None:
        """One meter answers there: it is known."""
        self.none()

    def several(self) -> None:
        """More than one answers there, at the same time."""
        here = self._left.pop()
        if here.is_whole:
            self.stuck.append(here)
            self._done += self._share(here)
            return
        deeper = [
            Secondary(here.digits.replace(WILDCARD, digit, 1), here.rest) for digit in reversed(_DIGITS)
        ]
        self._left += deeper

    def _share(self, there: Secondary) -> float:
        decided = self._within.digits.count(WILDCARD) - there.digits.count(WILDCARD)
        return 10.0**-decided
