"""Finding meters: every port by itself, listening first, then asking, politely to batteries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from smart_meter_reader.cli.scan.bursts import Bursts
from smart_meter_reader.drivers import Likeness, MeterDriver, imported
from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.meters.found import (
    Found,
    Hearing,
    Listening,
    Outcome,
    Question,
    Unread,
    telling,
)
from smart_meter_reader.meters.registry import meter_drivers
from smart_meter_reader.transport import LineSettings, open_transport
from smart_meter_reader.transport.ports import named_holders, other_readers

# Meters with P1 send every 10 seconds at the slowest.
LISTEN = 11.0
# A serial server needs a moment to let go of a port before it gives it away again.
_LET_GO = 0.3

Tell = Callable[[str, str], None]
"""Gets a port and what happens there."""


@dataclass(slots=True)
class PortReport:
    """What a scan of one port came to: ``found``, else the signs of life, or why it could not be scanned.

    ``unread``: a meter is there for sure, and speaks what is not read here.
    """

    port: str
    found: Found | None = None
    unread: str = ""
    problem: str = ""
    clues: list[str] = field(default_factory=list)

    def settle(self, outcome: Outcome, client: str = "") -> bool:
        """Put in what came out; True when it is known which meter is there."""
        if isinstance(outcome, Unread):
            self.unread = outcome.words
            return True
        if isinstance(outcome, str):
            if outcome and outcome not in self.clues:
                self.clues.append(outcome)
            return False
        others = tuple(replace(other, client=client) for other in outcome.others)
        self.found = replace(outcome, client=client, others=others)
        return True

    @property
    def meters(self) -> tuple[Found, ...]:
        """All that were found: one, or those of a bus."""
        return () if self.found is None else (self.found, *self.found.others)

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing more to look for."""
        return self.found is not None or bool(self.unread)


async def scan_ports(
    ports: Sequence[str], tell: Tell, seconds: float = LISTEN, address: str = ""
) -> list[PortReport]:
    """Scan all ports at the same time; ``seconds`` is how long to listen at each speed."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(scan_port(port, tell, seconds, address=address), name=f"scan of {port}")
            for port in dict.fromkeys(ports)
        ]
    return [task.result() for task in tasks]


async def scan_port(
    port: str, tell: Tell, seconds: float = LISTEN, *, without: str = "", address: str = ""
) -> PortReport:
    """Find the meter at one port. What is wrong with the port is in the report, nothing is raised.

    ``without``: the client of the family that is left out, since it was tried already. ``address``: of the
    meter to ask, where several share a line.
    """
    report = PortReport(port)
    held_by = named_holders(other_readers(port))
    if held_by:
        report.problem = f"{port} is held by {held_by}: stop it, since two readers take each other's bytes"
        return report
    try:
        await listen(report, tell, seconds, without)
        if not report.is_settled:
            await _ask(report, tell, without, address)
    except ExplainedError as error:
        report.problem = error.by_hand
    return report


async def listen(report: PortReport, tell: Tell, seconds: float, without: str = "") -> None:
    """Meters that send by themselves. A line that is silent at one speed is silent at all.

    A speed at which a whole burst makes no sense is left for the next one. Where none does at any, each of
    them is listened to again for all of its time.
    """
    listening = {
        client: driver for client, driver in meter_drivers().items() if driver.listens and client != without
    }
    if not listening:
        return
    lines = shared_lines({client: _loaded_listening(driver).lines for client, driver in listening.items()})
    fixed = report.port.startswith("socket://")  # its speed is nobody's to set here
    if fixed:
        lines = [ListeningLine(lines[0].line, dict.fromkeys(listening, lines[0].line))]
    waiting = [(each, len(lines) > 1) for each in lines]
    while waiting:
        shared, hasty = waiting.pop(0)
        names = " and ".join(listening[client].title for client in shared.clients)
        speed = "" if fixed else f" at {shared.line}"
        tell(report.port, f"listening for {names}{speed} (up to {seconds:g} s)")
        heard = await hear(report, shared, seconds, hasty=hasty)
        if report.is_settled or not heard.octets:
            return
        if heard.given_up:
            waiting.append((shared, False))


@dataclass(frozen=True, slots=True)
class ListeningLine:
    """A line at which several families listen at once, each with the line as it calls it."""

    line: LineSettings
    clients: Mapping[str, LineSettings]

    def hearings(self, port: str) -> Mapping[str, Hearing]:
        """What each family makes of what comes, by client; from now on."""
        drivers = meter_drivers()
        return {
            client: _loaded_listening(drivers[client]).hear(port, line)
            for client, line in self.clients.items()
        }


def shared_lines(lines: Mapping[str, Sequence[LineSettings]]) -> list[ListeningLine]:
    """The lines of all families, each once: those that are somebody's likeliest first, then by family.

    Seven bits with parity are eight bits to who listens, and are told by what they say.
    """
    ranks: dict[LineSettings, int] = {}
    clients: dict[LineSettings, dict[str, LineSettings]] = {}
    for client, own in lines.items():
        for rank, line in enumerate(own):
            heard = line.as_eight_bits() if line.bytesize < 8 else line
            ranks[heard] = min(rank, ranks.get(heard, rank))
            clients.setdefault(heard, {}).setdefault(client, line)
    return [ListeningLine(line, clients[line]) for line in sorted(ranks, key=ranks.__getitem__)]


def _loaded_listening(driver: MeterDriver) -> Listening:
    listening: Listening = imported(driver.listens)
    return listening


class HeardLine(NamedTuple):
    """How many octets came, and whether it was left early, since they made no sense."""

    octets: int
    given_up: bool = False


async def hear(
    report: PortReport, shared: ListeningLine, seconds: float, *, hasty: bool = False
) -> HeardLine:
    """Listen without a word until a family knows its meter.

    ``hasty``: or until a whole burst has come of which nobody can make anything. Raises TransportError when
    the port cannot be used.
    """
    count, hearings, loop = 0, shared.hearings(report.port), asyncio.get_running_loop()
    async with await open_transport(report.port, shared.line) as transport:
        bursts = Bursts(loop.time())
        end = loop.time() + seconds
        while True:
            received = await transport.read_before(min(end, bursts.ends) if hasty else end)
            now = loop.time()
            if received:
                count += len(received)
                bursts.note(received, now)
                for client, hearing in hearings.items():
                    if (found := hearing.receive_data(received)) is not None:
                        report.settle(found, client)
                        return HeardLine(count)
            elif now >= end:
                break
            elif (burst := bursts.take(now)) and not _makes_sense(burst, shared.hearings(report.port)):
                return HeardLine(count, given_up=True)
    outcomes = {client: hearing.judge() for client, hearing in hearings.items()}
    told = [report.settle(outcome, client) or bool(outcome) for client, outcome in outcomes.items()]
    if count and not any(told):
        report.settle(f"{count} bytes that are no telegram came by themselves at {shared.line}")
    return HeardLine(count)


def _makes_sense(burst: bytes, hearings: Mapping[str, Hearing]) -> bool:
    """Whether a burst is of any protocol, whole or damaged, and so came at the right speed."""
    drivers = meter_drivers().values()
    if any(driver.sniff and imported(driver.sniff)(burst) >= Likeness.FRAMED for driver in drivers):
        return True
    return any(hearing.receive_data(burst) or hearing.judge() for hearing in hearings.values())


async def _ask(report: PortReport, tell: Tell, without: str, address: str) -> None:
    questions: list[tuple[Question, str]] = [
        (imported(path), client)
        for client, driver in meter_drivers().items()
        if client != without
        for path in driver.asks
    ]
    for question, client in sorted(questions, key=lambda each: each[0].seconds):
        if "://" in report.port:
            await asyncio.sleep(_LET_GO)
        tell(report.port, question.words)
        with telling(partial(tell, report.port)):
            outcome = await question.ask(report.port, address)
        if report.settle(outcome, client):
            return
