"""Which windows of meters' memories the database has: each is several entries, confirmed with the last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smart_meter_reader.messages.receipts import NO_RECEIPTS


class SpooledPasts:
    """Counts what is still to be delivered of each receipt. A receipt that is lost is forgotten."""

    def __init__(self, sink: str) -> None:
        self.receipts = NO_RECEIPTS.of(sink)
        self._missing: dict[str, set[str]] = {}  # ids by receipt
        self._waiting: dict[str, set[str]] = {}  # receipts by id: a window can come a second time

    def expect(self, receipt: str, ids: Sequence[str]) -> None:
        """These entries are in the spool; without any it is done."""
        if not ids:
            self.receipts.confirm(receipt)
            return
        self._missing[receipt] = set(ids)
        for each in ids:
            self._waiting.setdefault(each, set()).add(receipt)

    def stored(self, ids: Iterable[str]) -> None:
        """The database has these, or will never take them."""
        for each in ids:
            for receipt in self._waiting.pop(each, ()):
                missing = self._missing.get(receipt)
                if missing is None:
                    continue
                missing.discard(each)
                if not missing:
                    del self._missing[receipt]
                    self.receipts.confirm(receipt)

    def lost(self, ids: Iterable[str]) -> None:
        """The spool has dropped these: the client may bring the whole window again."""
        for each in ids:
            for receipt in self._waiting.pop(each, ()):
                if self._missing.pop(receipt, None) is not None:
                    self.receipts.lose(receipt)
