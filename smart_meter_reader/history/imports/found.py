"""What has been found in a file: readings, sums, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from smart_meter_reader.exceptions import MeterReaderError
from smart_meter_reader.text import printable

# A person mends a few lines and tries again.
_MOST_PROBLEMS = 20

Dates: TypeAlias = Literal["", "day-first", "month-first"]
RepeatedHour: TypeAlias = Literal["", "first", "second", "skip"]


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One reading of one counter; ``line`` 0: from a database."""

    meter: str
    quantity: str
    unit: str
    time: int
    value: Decimal
    line: int = 0


@dataclass(frozen=True, slots=True)
class FoundSum:
    """What was counted from ``begin`` to ``end``, where the file does not tell the counter."""

    meter: str
    quantity: str
    unit: str
    begin: int
    end: int
    amount: Decimal
    line: int = 0


FoundEntry: TypeAlias = FoundRow | FoundSum


@dataclass(frozen=True, slots=True)
class KnownPosition:
    """What a counter showed at an instant, by which sums become readings."""

    quantity: str
    time: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the file itself does not tell. ``columns``: what stands for what, as the format has it."""

    zone: ZoneInfo
    meter: str = ""
    quantity: str = ""
    unit: str = ""
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dates: Dates = ""
    repeated_hour: RepeatedHour = ""
    replaced_at: tuple[int, ...] = ()
    known: tuple[KnownPosition, ...] = ()


class RefusedFileError(MeterReaderError):
    """Nothing of a file is taken. ``problems`` holds one sentence for each thing that is wrong with it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = tuple(map(printable, problems))
        super().__init__("\n".join(self.problems))


class UnfitRowError(ValueError):
    """One row cannot be used; the text is a sentence for a person, without the place."""


class Findings:
    """Gathers what is said of a file: remarks, and problems by the line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []
        self._remarks: dict[str, int] = {}

    def remark(self, sentence: str) -> None:
        """Note what a person should know; the same is told once, with how often it came."""
        self._remarks[sentence] = self._remarks.get(sentence, 0) + 1

    @property
    def remarks(self) -> list[str]:
        """All remarks in the order in which they came first."""
        return [f"{each} ({n} times)" if n > 1 else each for each, n in self._remarks.items()]

    def refuse(self, sentence: str, line: int = 0) -> None:
        """Note a problem; of too many the file is given up. Raises RefusedFileError."""
        self.problems.append(f"{self.name}{f', line {line}' if line else ''}: {sentence}")
        if len(self.problems) >= _MOST_PROBLEMS:
            self.problems.append(f"{self.name}: more may be wrong; the rest was not looked at")
            self.finish()

    def finish(self) -> None:
        """Raise RefusedFileError when there was a problem."""
        if self.problems:
            raise RefusedFileError(tuple(self.problems))

    def give_up(self, sentence: str, line: int = 0) -> RefusedFileError:
        """The error for what makes the rest of the file pointless, with all problems before it."""
        self.problems.append(f"{self.name}{f', line {line}' if line else ''}: {sentence}")
        return RefusedFileError(tuple(self.problems))
