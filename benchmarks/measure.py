"""Costs in turns, their spread over the rounds, and the table and JSON that show them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module, metadata
from statistics import median
from typing import Any, Literal

Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of all rounds, and the best and worst of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        rounds = sorted(values)
        return cls(median(rounds), rounds[0], rounds[-1])

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.median:.4g}"
        return f"{self.median:.4g} ({self.low:.4g}-{self.high:.4g})"


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: at most so much, of the ratio to the rival or of our own value."""

    most: float
    of: Literal["ratio", "ours"] = "ratio"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result: our cost, the rival's in the same run, and how ours relates to it."""

    what: str
    unit: str
    ours: Spread
    rival: str = ""
    theirs: Spread | None = None
    ratio: Spread | None = None
    goal: Goal | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None when there is none, or its rival is not installed."""
        if self.goal is None:
            return None
        reached = self.ours if self.goal.of == "ours" else self.ratio
        return None if reached is None else reached.median <= self.goal.most

    def with_goal(self, most: float) -> Row:
        """The same row with a goal for our own value."""
        return replace(self, goal=Goal(most, "ours"))


def alone(what: str, unit: str, values: Sequence[float], most: float | None = None) -> Row:
    """A row without a rival; ``most`` is the goal for the value itself."""
    return Row(what, unit, Spread.of(values), goal=None if most is None else Goal(most, "ours"))


def beside(
    what: str,
    unit: str,
    ours: Sequence[float],
    rival: str,
    theirs: Sequence[float],
    most: float | None = None,
) -> Row:
    """A row with both; round n of ours is compared with round n of theirs. ``most``: the ratio to reach."""
    return Row(
        what,
        unit,
        Spread.of(ours),
        rival,
        Spread.of(theirs) if theirs else None,
        # A rival that used less than a tick of the clock gives no ratio.
        Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])
        if theirs and all(theirs)
        else None,
        None if most is None else Goal(most),
    )


def in_turns(rounds: int, *sides: Measure | None) -> list[list[float]]:
    """What each side measures, round by round: whatever else the machine does meets all alike.

    A side that is None (a rival that is not installed) stays empty.
    """
    measured: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, values in zip(sides, measured, strict=True):
            if side is not None:
                values.append(side())
    return measured


def cpu(work: Callable[[], object], repeats: int = 1, *, unit: float = 1e-6) -> Measure:
    """Measures the CPU time of this process for one of ``repeats`` calls, in ``unit`` seconds."""

    def measure() -> float:
        gc.collect()
        begin = time.process_time()
        for _ in range(repeats):
            work()
        return (time.process_time() - begin) / repeats / unit

    return measure


def rival(package: str, *modules: str) -> list[Any] | None:
    """The modules of a rival, or None when it is not installed: then we are measured alone."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
    return [import_module(module) for module in modules]


def named(package: str) -> str:
    """A rival with its version."""
    return f"{package} {metadata.version(package)}"


def table(rows: Sequence[Row]) -> str:
    """The rows for people: median and, in brackets, the best and the worst round."""
    cells = [("what", "ours", "rival", "ratio", "goal", "")]
    cells += [
        (
            f"{row.what} [{row.unit}]",
            str(row.ours),
            f"{row.theirs} {row.rival}" if row.theirs else "",
            str(row.ratio or ""),
            f"{'' if row.goal.of == 'ours' else 'ratio '}<= {row.goal.most:.3g}" if row.goal else "",
            {True: "met", False: "MISSED", None: ""}[row.met],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def as_objects(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows for programs."""
    return [{**asdict(row), "met": row.met} for row in rows]
