"""docs/faults.md as data: what its tables promise for each fault."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
HEADER = ("Id", "Fault", "Port", "Status", "Log", "Counted", "Published", "Recovers")
PORTS = ("device", "socket", "rfc2217")

_CODE = re.compile(r"`([^`]*)`")


@dataclass(frozen=True, slots=True)
class Row:
    """One promise. ``status``: the states in order; ``log``: what the log says above INFO, in parts."""

    id: str
    ports: tuple[str, ...]
    status: tuple[str, ...]
    log: tuple[str, ...]
    counted: frozenset[str]


def read_rows(document: Path = DOCUMENT) -> list[Row]:
    """All rows of all tables of faults."""
    rows = []
    for line in document.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == len(HEADER):
            rows.append(_row([cell.strip() for cell in cells]))
    return rows


def _row(cells: list[str]) -> Row:
    name, _, ports, status, log, counted, *_ = cells
    return Row(
        id=_CODE.findall(name)[0],
        ports=PORTS if ports == "any" else tuple(ports.split(", ")),
        status=tuple(_CODE.findall(status)),
        log=tuple(re.findall(r'"([^"]*)"', log)),
        counted=frozenset(_CODE.findall(counted)),
    )
