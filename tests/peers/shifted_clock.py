"""The program under a wall clock that is ahead: ``python -m tests.peers.shifted_clock SECONDS run``.

What runs by steady time (asyncio's loop, limits) is as always. So an outage of days takes a test no time.
"""

from __future__ import annotations

import datetime
import runpy
import sys
import time

_real_time = time.time
_Real = datetime.datetime


class _AlsoReal(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _Real)


def take_the_place_of_datetime(clock: type[_Real]) -> None:
    """Also in what is imported already, as all of the package is in a fork of ``imported``."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "smart_meter_reader":
            for key in [key for key, value in vars(module).items() if value is _Real]:
                setattr(module, key, clock)
    datetime.datetime = clock  # type: ignore[misc]


def shift(seconds: float) -> None:
    """From now on the wall clock shows so much more."""

    class Shifted(_Real, metaclass=_AlsoReal):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Shifted:
            return cls.fromtimestamp(time.time(), tz)

    time.time = lambda: _real_time() + seconds
    take_the_place_of_datetime(Shifted)


if __name__ == "__main__":
    shift(float(sys.argv[1]))
    sys.argv = ["smart-meter-reader", *sys.argv[2:]]
    runpy.run_module("smart_meter_reader", run_name="__main__", alter_sys=True)
