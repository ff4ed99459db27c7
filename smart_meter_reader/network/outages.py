"""What was said of brokers and servers that are away: seventy connections to one are one line in the log."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.log import Seldom

# A link that ended sooner is no new outage: two clients with one id throw each other out again and again.
STEADY_SECONDS = 30.0


@dataclass(slots=True)
class _Row:
    """One broker: why connections to it failed since they last were steady, and when that was said."""

    told: dict[str, float] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)  # the sinks of which it was said since


class Outages:
    """Decides what is worth a line in the log. Pure: the time is an argument, in seconds of any clock.

    ``broker`` stands for all connections that fail together: address and login, or the servers of a fleet.
    """

    def __init__(self) -> None:
        self._rows: dict[Hashable, _Row] = {}
        self.said = Seldom()  # what is told once, whatever comes and goes

    def failed(self, broker: Hashable, failure: SinkError, connected_at: float | None, now: float) -> bool:
        """A connection has failed; whether that is news. ``connected_at``: None when it never stood.

        News is the first failure of an outage, and whatever only a person can mend.
        """
        row = self._rows.setdefault(broker, _Row())
        if connected_at is not None and now - connected_at >= STEADY_SECONDS:
            row.told = {told: at for told, at in row.told.items() if at >= connected_at}
        # It was up since the last word about it.
        lost = connected_at is not None and all(at < connected_at for at in row.told.values())
        news = not row.told or lost or isinstance(failure, NeedsAPersonError)
        if failure.reason in row.told or not news:
            return False
        row.told[failure.reason] = now
        row.connected.clear()
        return True

    def connected(self, broker: Hashable, sink: str) -> bool:
        """A connection stands; whether that is news: the sink's first one, also since a failure was told."""
        row = self._rows.setdefault(broker, _Row())
        news = sink not in row.connected
        row.connected.add(sink)
        return news
