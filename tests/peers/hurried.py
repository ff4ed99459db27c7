"""The program whose waits pass at once: ``python -m tests.peers.hurried read PORT``.

For lines at which nobody answers, and for nothing else: a peer that is late by a tenth of a second is missed.
"""

from __future__ import annotations

import asyncio
import runpy
import sys

from tests.peers.loop import FairLoop


def _new_event_loop() -> FairLoop:
    loop = FairLoop()
    loop.hurries = True
    return loop


if __name__ == "__main__":
    asyncio.events.new_event_loop = _new_event_loop
    sys.argv = ["smart-meter-reader", *sys.argv[1:]]
    runpy.run_module("smart_meter_reader", run_name="__main__", alter_sys=True)
