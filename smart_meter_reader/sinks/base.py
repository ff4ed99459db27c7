"""What a sink is: a task that takes messages from its own queue and delivers them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from smart_meter_reader.history.places import HistoryPlace
from smart_meter_reader.messages import Message
from smart_meter_reader.messages.receipts import SinkReceipts
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.sinks.requests import Requests


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

    def take_requests_to(self, requests: Requests) -> None:
        """Called before ``run``: where to ask for readings, by sinks through which people can."""
        return

    @property
    def takes_past(self) -> bool:
        """Whether it gets the messages ``past``, of which it confirms each by the receipt.

        Where no sink does, clients read nothing back. Values of a past must not replace current ones.
        """
        return False

    @property
    def takes_standby(self) -> bool:
        """Whether it is told that a meter is left to another machine, which has its lease.

        Not where both machines tell how the meter is: what this one says would hide what the other one does.
        """
        return False

    def take_receipts(self, receipts: SinkReceipts) -> None:
        """Called before ``run`` of a sink that takes a past: where it confirms what is safe with it."""
        return

    @property
    def history(self) -> HistoryPlace | None:
        """Where it keeps a history that others can look into."""
        return None

    def share_history(self, place: HistoryPlace) -> None:
        """Called before ``run`` where the environment keeps a history: sinks that show it."""
        return

    @property
    def memory(self) -> Mapping[str, Any]:
        """What it wants to know after a restart, as JSON has it; nobody else looks into it."""
        return {}

    def recall(self, memory: Mapping[str, Any], meters: Sequence[str]) -> None:
        """Called before ``run`` with what an earlier run left in ``memory``, and the meters of the settings.

        Raises ValueError for what it never wrote.
        """
        return

    @property
    def internal_errors(self) -> int:
        """How many faults of this program cost a message, and nothing else."""
        return 0

    @property
    def backlog(self) -> tuple[int, int]:
        """How many entries wait for a destination that is away, and the age of the oldest in seconds.

        Only of sinks that keep them in a spool.
        """
        return 0, 0

    @property
    def delivered(self) -> bool:
        """Whether, after ``run``, everything was taken on the other side; what was written counts as that."""
        return True

    def stay_available(self) -> None:
        """Called before ``run`` when the service takes one reading and ends (`run --once`, for cron).

        What was read is then as good after the stop as before: do not take back what was announced.
        """
        return  # nothing was announced
