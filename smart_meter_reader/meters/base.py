"""What a client is: a task that reads one meter and publishes what it reads; and what its settings tell."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeAlias

from smart_meter_reader.messages import Health, Info, Publish, Reply
from smart_meter_reader.messages.receipts import Receipts
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

    @classmethod
    def address_keys(cls, address: str) -> Mapping[str, Any]:
        """The keys of settings by which a meter with this address is meant, however a person wrote it."""
        return {"address": address}

    def typical_quantities(self, meter: str) -> tuple[str, ...] | None:
        """What a meter of this name tells as a rule, where its family reads several kinds of meters.

        () where there is one kind, of which the family's driver tells; None where nothing tells the kind.
        """
        return ()


class PortSettings(ClientSettings):
    """What the settings of every meter at a port say."""

    __slots__ = ()

    @property
    @abstractmethod
    def port(self) -> str:
        """Where the meter is."""

    @property
    def reads_from(self) -> str:
        return self.port


class PolledSettings(PortSettings):
    """What the settings of every polled meter say, under the same keys."""

    __slots__ = ()

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
    def read_now_distance(self) -> timedelta | None:
        """The least time between two readings that are asked for; None: what the family thinks right."""
        return None

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
    guard's, for the same port or (``memory_moves``) any, and given back by ``recall`` before the first
    ``run``.
    """

    meter: str
    health: Health  # counted by the client in place; the supervisor publishes copies
    # Seconds that one attempt at a reading may take, where they can be more than 120: for the watchdog.
    longest_attempt: float = 0.0
    # Whether its memory names each meter by serial number, and so is right at another port too.
    memory_moves: bool = False
    # Whether a request brings a reading sooner than it comes by itself.
    answers_requests: bool = False

    def __init__(self, meter: str, settings: Any) -> None:
        """Keep the settings; open nothing."""

    @property
    def checksummed(self) -> bool | None:
        """Whether what arrives can tell damaged bytes from good ones; None: as the family's record says.

        Asked with each message, since P1 shows it only in its telegrams.
        """
        return None

    @property
    def doing(self) -> str:
        """What it is at, for a person who waits: "waking the meter", "waiting for a telegram at ..."."""
        return "waiting for the meter"

    @property
    def memory(self) -> Mapping[str, Any]:
        """A copy of what to remember, as JSON has it; nothing by default."""
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take what ``memory`` gave. Raises ValueError for what it never gives: the file may be damaged."""
        if memory:
            raise ValueError("this client remembers nothing")

    def take_receipts(self, receipts: Receipts) -> None:
        """Called before ``run``: by these a client learns whether a ``past`` it published is safe.

        It reads nothing back where ``receipts.takers`` is 0, and counts a window as done in its ``memory``
        only when the receipt is safe: what ends the process before that leaves no hole.
        """
        return

    def take_keeper(self, keep: Callable[[], Awaitable[None]]) -> None:
        """Called before ``run``: what to wait for until ``memory``, as it is now, is on disk.

        For what must be known after a power cut, seldom: it writes. What can wait is kept once an hour.
        """
        return

    @property
    def filling(self) -> str:
        """What it still has to read of the meter's own memory, for a person; "" for nothing."""
        return ""

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        """Read the meter and publish until cancelled."""

    def read_now(self) -> None:
        """Read as soon as possible (polled meters), who the meter is too: the guard doubts the last reading.

        Nothing to do for meters that push.
        """
        return

    def request_reading(self) -> Reply:
        """A person asks for a reading now. Taken, unless something speaks against it, a battery say.

        However often it is asked, one reading waits to be taken at most.
        """
        self.read_now()
        return Reply(taken=True)


HealthCount: TypeAlias = Literal["damaged_frames", "left_out", "logger_rows", "rejected_values"]


def count_in(health: Health, what: HealthCount, number: int = 1) -> None:
    """So many more."""
    health[what] = health.get(what, 0) + number


def count_reading(health: Health, now: datetime) -> None:
    """One more valid reading at ``now``: with P1 each good telegram, published or not."""
    health["valid_readings"] = health.get("valid_readings", 0) + 1
    health["last_valid"] = now


InfoText: TypeAlias = Literal[
    "manufacturer", "model", "serial_number", "firmware", "type_code", "dialect", "p1_version"
]


def tell_texts(info: Info, texts: Mapping[InfoText, str]) -> None:
    """Add what is known of who a meter is; "" is left out, as nobody knows it."""
    for key, text in texts.items():
        if text:
            info[key] = text
