"""When frames of an encrypted push meter do not open: an alert, unless it was a single accident."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from smart_meter_reader.exceptions import DamagedCipherError, DecryptionError, ReplayedError
from smart_meter_reader.messages import Health, Status

_PATIENT_WITH: Final = (DamagedCipherError, ReplayedError)
_ROW_OF_FAILURES: Final = 3


def closed_alert(meter: str, error: DecryptionError, in_a_row: int, health: Health) -> Status | None:
    """The alert for the ``in_a_row``-th frame that does not open; None while it may be an accident.

    What is wrong with a key is one at once; damaged and repeated frames among good ones are none.
    """
    if isinstance(error, _PATIENT_WITH) and in_a_row < _ROW_OF_FAILURES:
        return None
    return {
        "type": "status",
        "meter": meter,
        "time": datetime.now(UTC),
        "state": "alert",
        "reason": error.reason,
        "detail": error.detail,
        "health": {**health},
    }
