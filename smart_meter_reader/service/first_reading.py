"""After a start: waits until the service has read its meters, or has said why not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from smart_meter_reader.service.notify import is_waiting
from smart_meter_reader.service.state import ServiceState

_LOOK_EVERY = 0.5

AskService = Callable[[str], ServiceState | None]


@dataclass(frozen=True, slots=True)
class Started:
    """How the start went: whether the service runs, and what there is to say."""

    runs: bool
    said: str


def first_reading(
    unit: str, ask: AskService, longest: float, waits: Callable[[str], bool] = is_waiting
) -> Started:
    """Wait ``longest`` seconds at most. Ctrl-C ends the waiting (KeyboardInterrupt), not the service.

    ``waits``: whether, by what the service says, there is more to be waited for.
    """
    end = time.monotonic() + longest
    said, runs = "", True
    while time.monotonic() < end:
        state = ask(unit)
        if state is None:
            return Started(False, "systemd does not tell how it is doing")
        if state.trouble:
            return Started(False, f"it does not run: {state.trouble}")
        said, runs = state.said, state.runs
        if runs and not waits(said):
            return Started(True, said)
        time.sleep(_LOOK_EVERY)
    if not runs:
        return Started(False, f"it does not run: it has ended{f' ({said})' if said else ''}")
    return Started(True, f"nothing yet after {longest:.0f} s: {said or 'it has said nothing'}")
