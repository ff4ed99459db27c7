"""What the guard says of one meter in the log: a line for each cause, and what repeats seldom."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Past

# One name for all that the guard says, whichever of its modules says it.
_log = logging.getLogger("smart_meter_reader.guard")

# What makes a total begin anew is not told more often than this in an hour; nothing should do so twice.
MOST_BASELINES: Final = 5


class GuardLog:
    """The lines of one meter. Sentences by quantity that come at once have one cause, so one line."""

    def __init__(self, meter: str) -> None:
        self._meter = meter
        self._doubts = Seldom()
        self._baselines = Seldom(MOST_BASELINES)
        self._said_trouble = False  # since it was last logged that all is well

    def doubts(self, sentences: Mapping[str, str], new: Collection[str], now: datetime) -> None:
        """Each ``new`` doubt; one that comes and goes, or came back and stays, once in an hour."""
        self._said_trouble |= self._log(
            self._doubts, {key: sentences[key] for key in sorted(sentences)}, now, new
        )

    def left_out(self, key: str, sentence: str, now: datetime) -> None:
        """A quantity that is out of range for good."""
        self._log(self._doubts, {f"{key} left out": sentence}, now)

    def baselines(self, sentences: Mapping[str, str], now: datetime) -> None:
        """Totals that go on from another number."""
        self._log(self._baselines, sentences, now, opening="new baseline: ")

    def rounded(self, change: str, now: datetime) -> None:
        """A total that is told in coarser steps than before, and has not fallen; its neighbours likewise."""
        sentence = f"{change}: the meter tells it in coarser steps, and it counts on"
        self._log(self._doubts, {"coarser steps": sentence}, now)

    def replaced(self, source: str, sentence: str, now: datetime) -> None:
        """Another serial number, which ``source`` tells."""
        self._log(self._baselines, {f"{source} serial number": sentence}, now)

    def refused_past(self, past: Past, count: int, first: str) -> None:
        """Values of a meter's memory that cannot be, all of one window."""
        values = f"{count} value{'s' * (count != 1)} of its {past['logger']} logger held back"
        self._log(self._doubts, {f"{past['logger']} logger": f"{values}: {first}"}, past["time"])

    def another_device(self, past: Past) -> None:
        """A past whose device is no longer there, or not known yet."""
        sentence = f"what its {past['logger']} logger told is of another serial number and held back"
        self._log(self._doubts, {"another device": sentence}, past["time"])

    def all_well(self) -> None:
        """Nothing is doubted any more."""
        if self._said_trouble:
            _log.info("meter %s: all values are believable again", self._meter)
            self._said_trouble = False

    def _log(
        self,
        seldom: Seldom,
        sentences: Mapping[str, str],
        now: datetime,
        new: Collection[str] | None = None,
        opening: str = "",
    ) -> bool:
        """Whether any was not said too shortly before. ``new``: those that came now; None for all."""
        said: list[tuple[str, str]] = []
        for key, sentence in sentences.items():
            more = seldom.more(key, now.timestamp(), new is None or key in new)
            if more is not None:
                said.append((sentence, more))
        if not said:
            return False
        (first, more), *others = said
        likewise = "".join(f"; likewise {sentence.partition(': ')[0]}" for sentence, _ in others)
        _log.warning("meter %s: %s%s%s%s", self._meter, opening, first, likewise, more)
        return True
