"""One readout of a meter over the link: which request is next, when it is over, its telegrams as one. Pure.

Sources: EN 13757-2, 5.7 (SND_NKE, FCB); EN 13757-3, 6.4.3 (DIF 1F: more records follow in the next telegram);
The M-Bus: A Documentation, 5.5 and 6.6.
"""

from __future__ import annotations

from typing import Final

from smart_meter_reader.codecs.mbus.frame import FCB, REQ_UD2, SND_NKE, ShortFrame
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram, joined_telegrams
from smart_meter_reader.exceptions import UnusableAnswersError

MOST_TELEGRAMS: Final = 16
# As many late answers to repeated requests can be under way.
_MOST_REPETITIONS: Final = 3


def link_reset(address: int) -> ShortFrame:
    """SND_NKE: the meter's next telegram is its first one, and the next request has FCB set."""
    return ShortFrame(SND_NKE, address)


class LinkReadout:
    """Ask ``request``, give what came to ``take``, until ``is_over``; then all of it is ``telegram``.

    The frame count bit changes after a good answer only, so that a repeated request brings the same telegram
    again and never the next one. A telegram that comes twice in spite of that (a late answer, a meter that
    does not look at the bit) is taken once, and asked behind a few times. ``fcb``: the bit of the first
    request.
    """

    def __init__(self, address: int, *, fcb: bool = True) -> None:
        self.is_over = False
        self._address = address
        self._fcb = fcb
        self._telegrams: list[MbusTelegram] = []
        self._repetitions = 0

    @property
    def is_first(self) -> bool:
        """Whether no telegram has been taken yet."""
        return not self._telegrams

    @property
    def request(self) -> ShortFrame:
        """REQ_UD2 for the next telegram."""
        return ShortFrame(REQ_UD2 | (FCB if self._fcb else 0), self._address)

    def toggle(self) -> None:
        """Try the other frame count bit: the meter seems to wait for that one."""
        self._fcb = not self._fcb

    def take(self, telegram: MbusTelegram) -> None:
        """A good answer has come. Raises UnusableAnswersError for another meter than before."""
        if self._telegrams:
            first = self._telegrams[0].header
            if first.id and telegram.header.id and telegram.header.id != first.id:
                raise UnusableAnswersError(
                    "strange_answers",
                    f"meter {telegram.header.id} answers in the middle of the readout of {first.id}: "
                    "give each meter an address of its own",
                )
            if _shape(telegram) == _shape(self._telegrams[-1]):
                self._repetitions += 1
                self.is_over = self._repetitions > _MOST_REPETITIONS
                return
        self._telegrams.append(telegram)
        self._repetitions = 0
        self._fcb = not self._fcb
        self.is_over = not telegram.more or len(self._telegrams) >= MOST_TELEGRAMS

    @property
    def telegram(self) -> MbusTelegram:
        """All telegrams of the readout as one."""
        return joined_telegrams(self._telegrams)


def _shape(telegram: MbusTelegram) -> tuple[tuple[bytes, bytes], ...]:
    """What a telegram is about: a repeated one may have other values, for its clock goes on."""
    return tuple((record.dif, record.vif) for record in telegram.records)
