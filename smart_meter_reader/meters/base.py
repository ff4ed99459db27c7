"""What a client is: a task that reads one meter and publishes what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from smart_meter_reader.messages import Health, Publish


class Client(Protocol):
    """One meter's reader. The object lives as long as the service; ``run`` is entered again after an error.

    ``run`` opens the transport, publishes one ``info`` per connection and then readings, for ever, or
    until one reading was published when ``once`` is set. It ends by raising:

    - ``TransportError`` or ``ProtocolError``: the supervisor publishes the status ``offline`` with the
      error's reason and detail, waits (backoff by class) and enters ``run`` again;
    - ``asyncio.CancelledError``: close the transport and go.

    A reading that arrives makes the supervisor publish ``online`` before it. A client publishes a status
    itself only for what does not end the connection: ``alert``, with a reason.

    A client may say ``checksummed = False`` when what it reads cannot tell damaged bytes from good ones,
    which is asked with each message, since P1 shows it only in its telegrams; ``counter_digits`` when its
    counters have more than seven, and ``simulated = True`` when nothing real is behind it: the guard then
    judges its values accordingly. A client of which one attempt at a reading may take longer than two minutes
    says ``longest_attempt``, in seconds, for the watchdog.

    What a client has learnt and should still know after a restart is its ``memory``. It is kept with the
    guard's, for the same port, and given back by ``recall`` before the first ``run``.
    """

    settings_type: ClassVar[type[Any]]  # a frozen dataclass, see settings/schema.py

    meter: str
    health: Health  # counted by the client in place; the supervisor publishes copies

    def __init__(self, meter: str, settings: Any) -> None:
        """Keep the settings; open nothing."""

    @property
    def memory(self) -> Mapping[str, Any]:
        """A copy of what to remember, as JSON has it; nothing by default."""
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take what ``memory`` gave. Raises ValueError for what it never gives: the file may be damaged."""
        if memory:
            raise ValueError("this client remembers nothing")

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        """Read the meter and publish until cancelled."""

    def read_now(self) -> None:
        """Read as soon as possible (polled meters); nothing to do for meters that push."""


def has_checksums(clients: Mapping[str, Client], meter: str) -> bool:
    """Whether what this meter sends at present tells damaged bytes from good ones: what the guard asks."""
    return getattr(clients.get(meter), "checksummed", True)
