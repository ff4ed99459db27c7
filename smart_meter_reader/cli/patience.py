"""How long a person's command waits for one reading."""

from __future__ import annotations

from smart_meter_reader.meters.base import ClientSettings

_USUAL = 60.0

PATIENCE_HELP = "Seconds to wait for a reading; by default 60, or as long as the client's poll_timeout."


def patience_for(settings: ClientSettings, wanted: float | None) -> float:
    """Seconds: as ``wanted``, else a minute, or what these settings of a client allow a reading to take.

    A readout of IEC 62056-21 at 300 Bd lasts minutes.
    """
    if wanted is not None:
        return wanted
    allowed = settings.longest_reading
    seconds = allowed.total_seconds() if allowed is not None else 0.0
    # A second more than the client, which says more about what went wrong.
    return seconds + 1.0 if seconds > _USUAL else _USUAL
