"""What a sink is: a task that takes messages from its own queue and delivers them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Protocol

from smart_meter_reader.messages import Message


class Sink(Protocol):
    """One destination. The object lives as long as the service; ``run`` is entered again after any error.

    ``messages`` ends when the service stops: the sink then delivers what it holds, closes, and returns.
    A sink that keeps a connection remembers the newest info, status and reading of every meter itself,
    so that it can announce them again after a reconnect.

    A sink that takes back what it announced when the service stops may have a method ``stay_available()``.
    It is called before ``run`` when the service takes one reading and ends (`run --once`, for cron): what was
    read is then as good after the stop as before. It may also have a property ``delivered``: whether, after
    ``run``, everything was taken on the other side; without it, what was written counts as delivered.

    A sink on an MQTT broker has a method ``share_outages(outages)``, called before ``run``: a broker that is
    away is told once, not once for each sink.

    A fault of this program in one message shall cost that message alone; ``internal_errors``, a property that
    a sink may have, counts such faults. What leaves ``run`` restarts the sink.
    """

    settings_type: ClassVar[type[Any]]  # a frozen dataclass, see settings/schema.py

    name: str

    def __init__(self, name: str, settings: Any) -> None:
        """Keep the settings; open nothing."""

    async def run(self, messages: AsyncIterator[Message]) -> None:
        """Deliver messages until there are no more."""
