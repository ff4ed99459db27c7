"""What a sink with a spool delivers to, and what can be wrong with that beside its being away."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.sinks.spooled.rows import MessageRows


class LaterError(SinkError):
    """The database wants to be left alone for so many seconds."""

    def __init__(self, reason: str, detail: str, seconds: float) -> None:
        super().__init__(reason, detail)
        self.seconds = seconds


class TooLargeError(SinkError):
    """The database takes no batch that is so large: a smaller one will do."""


class SlowError(SinkError):
    """It took too long, and nothing is stored; a smaller batch may do, and none is ever too large."""


class Destination(ABC):
    """The database of one sink, while it is in use. Every method raises SinkError where it is away."""

    @abstractmethod
    async def store(self, batch: Sequence[MessageRows]) -> Mapping[int, str]:
        """Store it, for good when this returns; the same rows twice are the same rows once.

        Gives, by the place in the batch, why the database refuses something of it for ever; the rest is
        stored. Raises TooLargeError with nothing stored, or with anything.
        """
