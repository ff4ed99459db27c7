"""How long a person's command waits for one reading."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

_USUAL = 60.0

PATIENCE_HELP = "Seconds to wait for a reading; by default 60, or as long as the client's poll_timeout."


def patience_for(settings: Any, wanted: float | None) -> float:
    """Seconds: as ``wanted``, else a minute, or what these settings of a client allow a reading to take.

    A readout of IEC 62056-21 at 300 Bd lasts minutes.
    """
    if wanted is not None:
        return wanted
    allowed = getattr(settings, "poll_timeout", None)
    seconds = allowed.total_seconds() if isinstance(allowed, timedelta) else 0.0
    # A second more than the client, which says more about what went wrong.
    return seconds + 1.0 if seconds > _USUAL else _USUAL
