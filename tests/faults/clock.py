"""Runs the program with a wall clock that the first argument, a file, puts forward or back while it runs.

The file holds seconds. Only ``datetime`` is replaced, before the program runs: its own code has no
seam for this, and its event loop goes by the monotonic clock, which nobody can set.
"""

from __future__ import annotations

import datetime as module
import os
import sys
from pathlib import Path
from typing import Self

from tests.peers.shifted_clock import take_the_place_of_datetime

OFFSET = Path(sys.argv[1])


class SetClock(module.datetime):
    """``datetime`` with another idea of now."""

    @classmethod
    def now(cls, tz: module.tzinfo | None = None) -> Self:
        return super().now(tz) + module.timedelta(seconds=float(OFFSET.read_text() or 0))


if __name__ == "__main__":
    take_the_place_of_datetime(SetClock)
    from smart_meter_reader.cli import main
    from smart_meter_reader.meters import polling

    polling._LOOK_AT_CLOCK = 0.5  # or every test would wait for half a minute
    code = main(sys.argv[2:])
    sys.stdout.flush()
    os._exit(code)
