"""How long a person's command waits for one reading."""

from __future__ import annotations

from smart_meter_reader.meters.base import ClientSettings

_USUAL = 60.0
# Whoever opened the port, and asked, knows better what went wrong than a clock: let the client say it.
_LONGER_THAN_CLIENT = 10.0

PATIENCE_HELP = (
    "Seconds to wait for a reading; by default as long as the client takes to say what is wrong: "
    "60, or what poll_timeout or timeout allow."
)


def patience_for(settings: ClientSettings, wanted: float | None) -> float:
    """Seconds: as ``wanted``, else a minute, or what these settings of a client allow a reading to take.

    A readout of IEC 62056-21 at 300 Bd lasts minutes.
    """
    if wanted is not None:
        return wanted
    allowed = settings.longest_reading
    seconds = allowed.total_seconds() if allowed is not None else 0.0
    return max(_USUAL, seconds + _LONGER_THAN_CLIENT)
