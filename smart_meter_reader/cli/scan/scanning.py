"""Finding meters: every port by itself, listening first, then asking, politely to batteries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from smart_meter_reader.cli.scan.probes import PUSH_LINES, Outcome, ask_kmp, ask_short, ask_sign_on, listen
from smart_meter_reader.exceptions import TransportError
from smart_meter_reader.meters.found import PortReport
from smart_meter_reader.transport.ports import other_readers

# Meters with P1 send every 10 seconds at the slowest.
LISTEN = 11.0
# A serial server needs a moment to let go of a port before it gives it away again.
_LET_GO = 0.3

Tell = Callable[[str, str], None]
"""Gets a port and what happens there."""

_QUESTIONS: Sequence[tuple[str, Callable[[str], Awaitable[Outcome]]]] = (
    ("asking in KMP at 1200 Bd", ask_kmp),
    ("signing on by IEC 62056-21 at 300 Bd", ask_sign_on),
    ("asking an older MULTICAL (/#1) at 300 Bd", ask_short),
)


async def scan_ports(ports: Sequence[str], tell: Tell, seconds: float = LISTEN) -> list[PortReport]:
    """Scan all ports at the same time; ``seconds`` is how long to listen at each speed."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(scan_port(port, tell, seconds), name=f"scan of {port}")
            for port in dict.fromkeys(ports)
        ]
    return [task.result() for task in tasks]


async def scan_port(port: str, tell: Tell, seconds: float = LISTEN) -> PortReport:
    """Find the meter at one port. What is wrong with the port is in the report, nothing is raised."""
    report = PortReport(port)
    held_by = " and ".join(map(str, other_readers(port)))
    if held_by:
        report.problem = f"{port} is held by {held_by}: stop it, since two readers take each other's bytes"
        return report
    try:
        await _listen(report, tell, seconds)
        if report.found is None:
            await _ask(report, tell)
    except TransportError as error:
        report.problem = error.detail
    return report


async def _listen(report: PortReport, tell: Tell, seconds: float) -> None:
    """Meters that send by themselves. A line that is silent at one speed is silent at all."""
    lines = PUSH_LINES[:1] if report.port.startswith("socket://") else PUSH_LINES
    for line in lines:
        speed = "" if report.port.startswith("socket://") else f" at {line}"
        tell(report.port, f"listening for P1{speed} (up to {seconds:g} s)")
        heard = await listen(report.port, line, seconds)
        if _settle(report, heard.outcome) or not heard.count:
            return


async def _ask(report: PortReport, tell: Tell) -> None:
    for words, question in _QUESTIONS:
        if "://" in report.port:
            await asyncio.sleep(_LET_GO)
        tell(report.port, words)
        if _settle(report, await question(report.port)):
            return


def _settle(report: PortReport, outcome: Outcome) -> bool:
    """Put what came out into the report; True when a meter was found."""
    if isinstance(outcome, str):
        if outcome and outcome not in report.clues:
            report.clues.append(outcome)
        return False
    report.found = outcome
    return True
