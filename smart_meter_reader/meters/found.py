"""What a scan finds at a port, and how a family of meters takes part in one: it listens, or it asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
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
    encrypts: bool = False  # nothing more is known of it without its keys
    others: tuple[Found, ...] = ()  # on the same line, a bus

    @property
    def description(self) -> str:
        """One line for people."""
        who = " ".join(filter(None, (self.manufacturer, self.model or "meter")))
        number = f", serial number {self.serial_number}" if self.serial_number else ""
        dialect = f", dialect {self.dialect}" if self.dialect else ""
        return printable_only(f"{who}{number}: {self.protocol}{dialect}{self._speed}")

    @property
    def _speed(self) -> str:
        # What stands behind a TCP port has a speed of its own, which nobody here knows.
        return "" if self.port.startswith("socket://") else f" at {self.line}"


@dataclass(frozen=True, slots=True)
class Unread:
    """A meter that speaks what is not read here, known by a whole frame of it: no use in looking further."""

    words: str  # a sentence for people


Outcome: TypeAlias = Found | Unread | str
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

    ``ask`` gets the port and the meter's address, "" for any; it opens the port itself and is polite to
    batteries. It raises TransportError. ``seconds``: about how
    long it takes where nothing answers; the short ones are asked first.
    """

    words: str
    seconds: float
    ask: Callable[[str, str], Awaitable[Outcome]]


# Of the task that scans a port: who is told what a question of many steps is at.
_progress: ContextVar[Callable[[str], None] | None] = ContextVar("progress", default=None)


@contextmanager
def telling(tell: Callable[[str], None]) -> Iterator[None]:
    """Inside, the steps of a question are told to ``tell``."""
    token = _progress.set(tell)
    try:
        yield
    finally:
        _progress.reset(token)


def tell_progress(step: str) -> None:
    """Say what a question is at, for the person who waits; to nobody where nobody listens."""
    tell = _progress.get()
    if tell is not None:
        tell(step)


def clue(error: ExplainedError) -> str:
    """What an error says, without the port that it names first."""
    return error.detail.partition(": ")[2] or error.detail


def printable_only(text: str) -> str:
    """Text from a meter, without what could steer a terminal or break a line."""
    return "".join(filter(str.isprintable, text))
