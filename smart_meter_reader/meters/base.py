"""What a client is: a task that reads one meter and publishes what it reads; and what its settings tell."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import DriverSettings, Secret
from smart_meter_reader.transport.line import LineSettings


class ClientSettings(DriverSettings):
    """What the program asks of the settings of any client, whatever their keys."""

    __slots__ = ()

    @property
    def reads_from(self) -> str:
        """The port, "" where there is none."""
        return ""

    @property
    def lines(self) -> Sequence[LineSettings]:
        """The lines that the port is tried with, the likelier one first."""
        return ()

    @property
    def longest_reading(self) -> timedelta | None:
        """How long one reading may take; None where that has no limit of its own."""
        return None

    @property
    def decryption_keys(self) -> tuple[Secret | None, Secret | None]:
        """The encryption key and the authentication key, where the meter encrypts."""
        return None, None

    @property
    def named_quantities(self) -> tuple[str, ...]:
        """The quantities that the settings name, in their order; () where the meter decides."""
        return ()


class PolledSettings(ClientSettings):
    """What the settings of every polled meter say, under the same keys."""

    __slots__ = ()

    @property
    @abstractmethod
    def port(self) -> str:
        """Where the meter is."""

    @property
    @abstractmethod
    def line(self) -> LineSettings:
        """The line that it is spoken to on."""

    @property
    @abstractmethod
    def interval(self) -> Schedule:
        """When the meter is read."""

    @property
    @abstractmethod
    def poll_timeout(self) -> timedelta:
        """When one poll with all its repeats must be over."""

    @property
    @abstractmethod
    def serial_number(self) -> int | str | None:
        """The number of the only meter that is read; None for any."""

    @property
    def reads_from(self) -> str:
        return self.port

    @property
    def lines(self) -> Sequence[LineSettings]:
        return (self.line,)

    @property
    def longest_reading(self) -> timedelta:
        return self.poll_timeout


class Client(Protocol):
    """One meter's reader. The object lives as long as the service; ``run`` is entered again after an error.

    ``run`` opens the transport, publishes one ``info`` per connection and then readings, for ever, or
    until one reading was published when ``once`` is set. It ends by raising:

    - ``TransportError`` or ``ProtocolError``: the supervisor publishes the status ``offline`` with the
      error's reason and detail, waits (backoff by class) and enters ``run`` again;
    - ``asyncio.CancelledError``: close the transport and go.

    A reading that arrives makes the supervisor publish ``online`` before it. A client publishes a status
    itself only for what does not end the connection: ``alert``, with a reason.

    Clients name this class as their base, and so get what is said here of those that say nothing themselves.
    What the guard must know of a family stands in its ``MeterDriver``.

    What a client has learnt and should still know after a restart is its ``memory``. It is kept with the
    guard's, for the same port, and given back by ``recall`` before the first ``run``.
    """

    meter: str
    health: Health  # counted by the client in place; the supervisor publishes copies
    # Seconds that one attempt at a reading may take, where they can be more than 120: for the watchdog.
    longest_attempt: float = 0.0

    def __init__(self, meter: str, settings: Any) -> None:
        """Keep the settings; open nothing."""

    @property
    def checksummed(self) -> bool | None:
        """Whether what arrives can tell damaged bytes from good ones; None: as the family's record says.

        Asked with each message, since P1 shows it only in its telegrams.
        """
        return None

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
        return


def count_reading(health: Health, now: datetime) -> None:
    """One more valid reading at ``now``: with P1 each good telegram, published or not."""
    health["valid_readings"] = health.get("valid_readings", 0) + 1
    health["last_valid"] = now
