"""What the program knows of each meter family and sink, as import strings: only what is chosen is imported.

An import string is ``module:name``. A family is registered by one line in ``meters/registry.py``, which names
its ``DRIVER``; all commands derive their choices and tables from that record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import Any


class Likeness(IntEnum):
    """How much captured bytes look like a protocol; the surest one is taken, at a tie the first one."""

    NONE = 0
    SIMILAR = 1  # something in them could be of this protocol
    FRAMED = 2  # what only this protocol has
    CHECKED = 3  # and its checksum is right


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDriver:
    """All that commands need to know of one family of meters. "" and () where a family has no such thing.

    The names are those of the objects that the import strings lead to.
    """

    title: str  # the protocol as people write it: KMP, P1
    called: tuple[str, ...]  # what else people write for its client in settings, and are told better
    client: str  # meters.base.Client
    settings: str  # its settings, a subclass of meters.base.ClientSettings
    # scan: what it makes of bytes that come by themselves, and the questions it asks a silent port.
    listens: str  # meters.found.Listening
    asks: tuple[str, ...]  # meters.found.Question
    # align: one cheap request through an infrared head, again and again.
    head: str  # port, address -> async context manager of meters.head.Probe
    emulators: Mapping[str, str]  # the subcommands of emulate: click commands
    # decode: the subcommand, its click command, and for `decode auto` how much a capture looks like it.
    protocol: str
    decode: str
    sniff: str  # bytes -> Likeness
    unread: str  # bytes that no family takes -> what they are, nearly of this one; "" for nothing
    # record and diagnose: what a person sees behind the bytes, and how they are made fit to be given away.
    comment: str  # Burst -> str
    redact: str  # (events, Pseudonyms, settings) -> recordings.rewriting.Rewritten
    # logs and clock: what a person can look at beside the readings.
    loggers: str  # meters.by_hand.OpenLoggers
    clock: str  # meters.by_hand.OpenClock
    # mqtt preview: what such a meter tells, and which counters of line health come with its first reading.
    typical: tuple[str, ...]
    health: tuple[str, ...]
    # The guard: whether damaged bytes can be told from good ones, how many digits its counters have at least,
    # and whether nothing real is behind it.
    checksummed: bool = True
    counter_digits: int = 7
    simulated: bool = False

    @property
    def implementation(self) -> str:
        """What the service runs."""
        return self.client

    @property
    def reads_port(self) -> bool:
        """Whether a meter of this family is at a port, and not made up or replayed."""
        return not self.simulated


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkDriver:
    """All that commands need to know of one sink."""

    sink: str  # sinks.base.Sink
    settings: str  # a subclass of settings.schema.DriverSettings
    examine: str  # doctor: (subject, settings) -> AsyncIterator[Check]; "" where nothing can be asked
    called: tuple[str, ...]  # what else people write for it in settings, and are told better
    past: str  # the sink as a sentence names it, with what makes it take what meters kept themselves

    @property
    def implementation(self) -> str:
        """What the service runs."""
        return self.sink


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasesDriver:
    """All that commands need to know of the leases of meters that several machines reach."""

    settings: str  # a subclass of settings.schema.DriverSettings
    leases: str  # settings, names of meters -> fleet.leases.keeping.Leases
    examine: str  # doctor: (subject, settings) -> AsyncIterator[Check]

    @property
    def implementation(self) -> str:
        """What the service runs."""
        return self.leases


def simulated(
    title: str, client: str, settings: str, *, typical: tuple[str, ...] = (), health: tuple[str, ...] = ()
) -> MeterDriver:
    """A client without a meter of its own: no port to look at, no bytes to decode or redact."""
    return MeterDriver(
        title=title,
        called=(),
        client=client,
        settings=settings,
        listens="",
        asks=(),
        head="",
        loggers="",
        clock="",
        emulators={},
        protocol="",
        decode="",
        sniff="",
        unread="",
        comment="",
        redact="",
        typical=typical,
        health=health,
        simulated=True,
    )


def other_names(registry: Mapping[str, str]) -> Mapping[str, str]:
    """What people call the drivers of a registry, and the names by which settings know these."""
    return {called: name for name, path in registry.items() for called in _called(path)}


def _called(path: str) -> tuple[str, ...]:
    try:
        names: tuple[str, ...] = imported(path).called
    except ImportError:  # whoever writes its right name is told what is missing
        return ()
    return names


def imported(path: str) -> Any:
    """What an import string leads to; its module is imported now. Raises ImportError, AttributeError."""
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)  # the import string names it
