"""Finding meters: every port by itself, listening first, then asking, politely to batteries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from smart_meter_reader.drivers import MeterDriver, imported
from smart_meter_reader.exceptions import TransportError
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
from smart_meter_reader.transport.ports import other_readers

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
    held_by = " and ".join(map(str, other_readers(port)))
    if held_by:
        report.problem = f"{port} is held by {held_by}: stop it, since two readers take each other's bytes"
        return report
    try:
        await _listen(report, tell, seconds, without)
        if not report.is_settled:
            await _ask(report, tell, without, address)
    except TransportError as error:
        report.problem = error.detail
    return report


async def _listen(report: PortReport, tell: Tell, seconds: float, without: str) -> None:
    """Meters that send by themselves. A line that is silent at one speed is silent at all."""
    listening = {
        client: driver for client, driver in meter_drivers().items() if driver.listens and client != without
    }
    if not listening:
        return
    lines = _lines(listening)
    fixed = report.port.startswith("socket://")  # its speed is nobody's to set here
    for line, clients in [(next(iter(lines)), list(listening))] if fixed else lines.items():
        names = " and ".join(listening[client].title for client in clients)
        tell(report.port, f"listening for {names}{'' if fixed else f' at {line}'} (up to {seconds:g} s)")
        hearings = {
            client: _loaded_listening(listening[client]).hear(report.port, line) for client in clients
        }
        count = await hear(report, line, hearings, seconds)
        if report.is_settled or not count:
            return


def _lines(listening: dict[str, MeterDriver]) -> dict[LineSettings, list[str]]:
    """Who listens at which line, in the order of the families, and of the lines in each."""
    lines: dict[LineSettings, list[str]] = {}
    for client, driver in listening.items():
        for line in _loaded_listening(driver).lines:
            lines.setdefault(line, []).append(client)
    return lines


def _loaded_listening(driver: MeterDriver) -> Listening:
    listening: Listening = imported(driver.listens)
    return listening


async def hear(report: PortReport, line: LineSettings, hearings: dict[str, Hearing], seconds: float) -> int:
    """Listen without a word until a family knows its meter; how many bytes came.

    Raises TransportError when the port cannot be used.
    """
    count = 0
    async with await open_transport(report.port, line) as transport:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    received = await transport.read()
                    count += len(received)
                    for client, hearing in hearings.items():
                        found = hearing.receive_data(received)
                        if found is not None:
                            report.settle(found, client)
                            return count
        except TimeoutError:
            pass  # time to judge what came
    outcomes = {client: hearing.judge() for client, hearing in hearings.items()}
    told = [report.settle(outcome, client) or bool(outcome) for client, outcome in outcomes.items()]
    if count and not any(told):
        report.settle(f"{count} bytes that are no telegram came by themselves at {line}")
    return count


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
