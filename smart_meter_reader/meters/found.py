"""What a scan found at a port: the meter, or the signs that there could be one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from smart_meter_reader.transport import LineSettings


@dataclass(frozen=True, slots=True)
class Found:
    """A meter that answered or sent by itself; "" for what it did not tell."""

    port: str
    client: str
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


@dataclass(slots=True)
class PortReport:
    """What a scan of one port came to: ``found``, else the signs of life, or why it could not be scanned."""

    port: str
    found: Found | None = None
    problem: str = ""
    clues: list[str] = field(default_factory=list)


def printable(text: str) -> str:
    """Text from a meter, without what could steer a terminal or break a line."""
    return "".join(filter(str.isprintable, text))
