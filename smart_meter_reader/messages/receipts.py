"""Receipts: how a client learns that what it read back from a meter's memory is safe in every sink."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection
from weakref import WeakValueDictionary


class Receipt:
    """What becomes of one ``Past``: safe when every sink that takes one has it, lost when one dropped it."""

    def __init__(self, key: str, takers: Collection[str]) -> None:
        self.key = key
        """What goes into the message's ``receipt``."""
        self._missing = set(takers)
        self._lost = False
        self._settled = asyncio.Event()
        if not self._missing:
            self._settled.set()

    @property
    def is_safe(self) -> bool:
        """Whether every taker has confirmed: only then may the client count its window as done."""
        return not self._missing and not self._lost

    @property
    def is_lost(self) -> bool:
        """Whether a taker has dropped it, so that it will never be safe: to be read, or published, again."""
        return self._lost

    async def settled(self) -> bool:
        """Wait until it is safe (True) or lost (False): for as long as a destination is away."""
        await self._settled.wait()
        return self.is_safe

    def note(self, taker: str, *, confirmed: bool) -> None:
        """A taker has it, or has dropped it."""
        if confirmed:
            self._missing.discard(taker)
        elif taker in self._missing:
            self._lost = True
        if self._lost or not self._missing:
            self._settled.set()


class Receipts:
    """The receipts of one service. Those that no client holds any more are forgotten.

    They do not outlive the process: after a restart the client publishes again what it does not know to be
    safe, and a sink takes the same row twice for one.
    """

    def __init__(self, takers: Collection[str] = ()) -> None:
        """``takers``: the names of the sinks that take a past."""
        self._takers = frozenset(takers)
        self._numbers = itertools.count(1)
        self._open: WeakValueDictionary[str, Receipt] = WeakValueDictionary()

    @property
    def takers(self) -> int:
        """How many sinks take a past. 0: nobody wants it, and a client reads nothing back."""
        return len(self._takers)

    def issue(self) -> Receipt:
        """A receipt for one ``Past``; the client holds it for as long as it wants to know."""
        receipt = Receipt(str(next(self._numbers)), self._takers)
        self._open[receipt.key] = receipt
        return receipt

    def of(self, taker: str) -> SinkReceipts:
        """The receipts as one sink sees them."""
        return SinkReceipts(self, taker)

    def note(self, key: str, taker: str, *, confirmed: bool) -> None:
        """What a taker says of one; of one that nobody holds it does not matter."""
        receipt = self._open.get(key)
        if receipt is not None:
            receipt.note(taker, confirmed=confirmed)

    def lose(self, key: str) -> None:
        """It did not even reach the sinks."""
        for taker in self._takers:
            self.note(key, taker, confirmed=False)


class SinkReceipts:
    """The receipts in the hands of one sink. Each call is done at once; twice is as good as once."""

    def __init__(self, receipts: Receipts, taker: str) -> None:
        self._receipts = receipts
        self._taker = taker

    def confirm(self, key: str) -> None:
        """What belongs to the receipt is on the disk, or acknowledged by the other side."""
        self._receipts.note(key, self._taker, confirmed=True)

    def lose(self, key: str) -> None:
        """It was dropped; the client may bring it again."""
        self._receipts.note(key, self._taker, confirmed=False)


NO_RECEIPTS = Receipts()
"""What a client has where no sink takes a past."""
