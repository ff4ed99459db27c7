"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between attempts: ``first`` seconds, doubling up to ``longest``, each jittered by 20 %."""

    first: float
    longest: float

    def wait(self, failures: int, jitter: random.Random) -> float:
        """The wait after so many failures in a row (1 = the first)."""
        # 2**20 is far beyond any limit; the cap keeps the power small after weeks of failures.
        wait = min(self.longest, self.first * 2.0 ** min(failures - 1, 20))
        return wait * jitter.uniform(0.8, 1.2)
