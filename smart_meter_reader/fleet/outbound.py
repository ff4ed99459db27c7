"""What an edge has published and not yet heard of: which to ask about, and which are lost. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from smart_meter_reader.fleet.written import (
    MOST_NUMBERS,
    MOST_RANGES,
    SequenceRange,
    WrittenTold,
    numbers_in,
    ranges_of,
)


class Unheard:
    """Sequences that the engine has, and of which no writer has told that the database has them."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}  # in seconds of any clock

    def __len__(self) -> int:
        return len(self._since)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._since

    def add(self, sequence: int, now: float) -> None:
        """The engine has acknowledged it."""
        self._since[sequence] = now

    def forget(self, sequences: Iterable[int]) -> None:
        """Nobody waits for these any more."""
        for sequence in sequences:
            self._since.pop(sequence, None)

    def take(self, told: WrittenTold) -> tuple[list[int], list[int]]:
        """What was told: the sequences that the database has, and those that it refuses."""
        written, refused = list(numbers_in(told.written)), list(numbers_in(told.refused))
        self.forget(written)
        self.forget(refused)
        return written, refused

    def question(self, now: float, patience: float) -> list[SequenceRange]:
        """The oldest of those that were published ``patience`` seconds ago: to be asked about."""
        late = sorted(each for each, since in self._since.items() if now - since >= patience)
        return ranges_of(late[:MOST_NUMBERS])[:MOST_RANGES]

    def lost(self, asked: Iterable[SequenceRange], answer: WrittenTold) -> list[int]:
        """Of those that were asked about: what a writer knows nothing of though nothing is on its way.

        They are to be published again, and are forgotten here.
        """
        if not answer.settled:
            return []
        known = {*numbers_in(answer.written), *numbers_in(answer.refused)}
        gone = [each for each in numbers_in(asked) if each in self._since and each not in known]
        self.forget(gone)
        return gone
