"""What a scan finds at a port, and how a family of meters takes part in one: it listens, or it asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeAlias

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.transport.line import LineSettings


@dataclass(frozen=True, slots=True)
class Found:
    """A meter that answered or sent by itself; "" for what it did not tell."""

    port: str
    protocol: str  # in words: KMP, P1, encrypted P1, ...
    line: LineSettings
    kind: str  # what it measures, and the meter's name in the settings: heat, electricity
    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    dialect: str = ""
    # Settings besides client and port.
    keys: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()  # what remains to be done by hand
    client: str = ""  # the scan knows whose probe it was

    @property
    def description(self) -> str:
        """One line for people."""
        who = " ".join(filter(None, (self.manufacturer, self.model or "meter")))
        number = f", serial number {self.serial_number}" if self.serial_number else ""
        dialect = f", dialect {self.dialect}" if self.dialect else ""
        return printable(f"{who}{number}: {self.protocol}{dialect}{self._speed}")

    @property
    def _speed(self) -> str:
        # What stands behind a TCP port has a speed of its own, which nobody here knows.
        return "" if self.port.startswith("socket://") else f" at {self.line}"


Outcome: TypeAlias = Found | str
"""The meter found, or a clue: a sentence on what was heard instead, "" for nothing at all."""


class Hearing(Protocol):
    """What one family makes of the bytes that come by themselves at one port, at one speed."""

    def receive_data(self, received: bytes) -> Found | None:
        """The meter, as soon as it is sure."""

    def judge(self) -> Outcome:
        """What it was, now that the time is over without a meter."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How to find meters that send by themselves: at which lines, in this order, and who listens there."""

    lines: Sequence[LineSettings]
    hear: Callable[[str, LineSettings], Hearing]  # port and line


@dataclass(frozen=True, slots=True)
class Question:
    """How to find meters that must be asked: in words for the person who waits, and by one short exchange.

    ``ask`` opens the port itself and is polite to batteries. It raises TransportError. ``seconds``: about how
    long it takes where nothing answers; the short ones are asked first.
    """

    words: str
    seconds: float
    ask: Callable[[str], Awaitable[Outcome]]


def clue(error: ExplainedError) -> str:
    """What an error says, without the port that it names first."""
    return error.detail.partition(": ")[2] or error.detail


def printable(text: str) -> str:
    """Text from a meter, without what could steer a terminal or break a line."""
    return "".join(filter(str.isprintable, text))
