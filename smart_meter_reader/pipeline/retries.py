"""How long a client or a sink that failed waits before it is run again, by the class of its error."""

from __future__ import annotations

from smart_meter_reader.exceptions import (
    ExplainedError,
    MeterSilentError,
    ProtocolError,
    SinkError,
    TransportError,
)
from smart_meter_reader.network.backoff import Backoff

# A cable that comes back is noticed within half a minute. A meter that answers rubbish, or not at all, sits
# on a battery: asking it again and again helps nobody.
BACKOFF: dict[type[BaseException], Backoff] = {
    MeterSilentError: Backoff(5.0, 300.0),
    TransportError: Backoff(1.0, 30.0),
    ProtocolError: Backoff(5.0, 300.0),
    SinkError: Backoff(1.0, 60.0),
    ExplainedError: Backoff(5.0, 300.0),
    BaseException: Backoff(1.0, 300.0),  # a bug, which may be over with the telegram that showed it
}


def backoff_for(error: BaseException) -> Backoff:
    """The backoff of an error's class: that of the first one that it belongs to."""
    return next(backoff for error_class, backoff in BACKOFF.items() if isinstance(error, error_class))
