"""What a sink is: a task that takes messages from its own queue and delivers them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

from smart_meter_reader.messages import Message
from smart_meter_reader.mqtt.outages import Outages


class Sink(Protocol):
    """One destination. The object lives as long as the service; ``run`` is entered again after any error.

    ``messages`` ends when the service stops: the sink then delivers what it holds, closes, and returns.
    A sink that keeps a connection remembers the newest info, status and reading of every meter itself,
    so that it can announce them again after a reconnect.

    A fault of this program in one message shall cost that message alone, counted in ``internal_errors``. What
    leaves ``run`` restarts the sink.

    Sinks name this class as their base, and so get what is said here of those that say nothing themselves.
    """

    name: str

    def __init__(self, name: str, settings: Any) -> None:
        """Keep the settings; open nothing."""

    async def run(self, messages: AsyncIterator[Message]) -> None:
        """Deliver messages until there are no more."""

    def share_outages(self, outages: Outages) -> None:
        """Called before ``run``: a broker that is away is told once, not once for each sink on it."""
        return

    @property
    def internal_errors(self) -> int:
        """How many faults of this program cost a message, and nothing else."""
        return 0

    @property
    def delivered(self) -> bool:
        """Whether, after ``run``, everything was taken on the other side; what was written counts as that."""
        return True

    def stay_available(self) -> None:
        """Called before ``run`` when the service takes one reading and ends (`run --once`, for cron).

        What was read is then as good after the stop as before: do not take back what was announced.
        """
        return  # nothing was announced
