"""What a sink may ask of the service: a reading now. It knows meters by name, and no client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from smart_meter_reader.messages import Reply


class Requests:
    """Takes what people ask for through a sink. Never waits; asking without end costs nothing but counters.

    The answer need not be shown: what is taken comes as a reading, and what is refused is told by a status.
    """

    def __init__(self, readers: Mapping[str, Callable[[], Reply]] = MappingProxyType({})) -> None:
        """``readers``: what asks a meter for a reading, by its name."""
        self._readers = readers

    @property
    def meters(self) -> tuple[str, ...]:
        """The meters to which a request makes a difference; one that sends by itself is not among them."""
        return tuple(self._readers)

    def request_reading(self, meter: str) -> Reply:
        """Ask for a reading of a meter as soon as possible."""
        read = self._readers.get(meter)
        if read is None:
            return Reply(False, "unknown_meter", "there is no meter of that name that can be asked")
        return read()


NOTHING_TO_ASK = Requests()
