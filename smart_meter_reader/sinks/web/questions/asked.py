"""One question as it was put: its words read, each with a sentence for what cannot be meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import msgspec

from smart_meter_reader.exceptions import ValueFormatError, WordedError
from smart_meter_reader.history.periods import YEARS, LocalCalendar
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.raw_columns import Columns
from smart_meter_reader.sinks.web.questions.entered import Entered

Unwritten: TypeAlias = Callable[[str, Collection[str]], Sequence[Columns]]
"""The single readings of a meter that are not in the ring yet, of some quantities."""

Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time of the house with its offset."""

_Choice = TypeVar("_Choice", bound=StrEnum)


class QuestionError(WordedError):
    """The question cannot be answered as it was put; the detail says what to put otherwise."""

    def __init__(self, kind: str, sentence: str, /, **facts: str | int) -> None:
        super().__init__("bad_question", kind, sentence, **facts)


def other_unit(key: str, error: ValueFormatError) -> QuestionError:
    """What is counted cannot be told in the unit that is asked for."""
    return QuestionError("other_unit", "{key}: {why}", key=key, why=str(error))


def days_reversed(since: date, until: date) -> QuestionError:
    """There is no day between the two."""
    return QuestionError(
        "days_reversed",
        "to: {until} is not after {since}; the day of `to` is not included",
        until=str(until),
        since=str(since),
    )


def not_stored(key: str, name: str, there: Iterable[str]) -> QuestionError:
    """Nothing is stored of what is asked for by a name."""
    return QuestionError(
        "not_stored",
        "{key}: nothing is stored of {name!r}; stored is: {there}",
        key=key,
        name=name,
        there=", ".join(there) or "–",
    )


def no_electricity(key: str, meter: str) -> QuestionError:
    """The meter is of another medium."""
    return QuestionError("no_electricity", "{key}: {meter} counts no electricity", key=key, meter=meter)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question, and what it is asked of. ``now``: seconds since 1970 UTC."""

    query: Mapping[str, str]
    history: History
    house: LocalCalendar
    recent: Path | None
    now: int
    entered: Entered
    unwritten: Unwritten

    def text(self, key: str, default: str = "") -> str:
        """A text without blanks around it."""
        return self.query.get(key, "").strip() or default

    def names(self, key: str) -> tuple[str, ...]:
        """Names with commas between them, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.text(key).split(",") if name.strip()))

    def choice(self, key: str, choices: type[_Choice]) -> _Choice | None:
        """One of a few words; None for none."""
        text = self.text(key)
        if not text:
            return None
        try:
            return choices(text)
        except ValueError:
            raise _not_allowed(key, text, choices) from None

    def one_of(self, key: str, allowed: Sequence[str]) -> str:
        """One of a few words; without an answer the first of them."""
        text = self.text(key) or allowed[0]
        if text not in allowed:
            raise _not_allowed(key, text, allowed)
        return text

    def flag(self, key: str) -> bool:
        """Yes or no; without an answer no."""
        return self.one_of(key, ("no", "yes")) == "yes"

    def day(self, key: str) -> date | None:
        """A local day; None for none."""
        text = self.text(key)
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise QuestionError(
                "no_date", "{key}: found {found!r}; write a date as 2026-11-29", key=key, found=text
            ) from None
        if day.year not in YEARS:
            raise _no_such_year(key, text)
        return day

    def instant(self, key: str, default: int) -> int:
        """A moment, in seconds since 1970 UTC; one without an offset is by the house's clock."""
        text = self.text(key)
        if not text:
            return default
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise QuestionError(
                "no_time", "{key}: found {found!r}; write a time as 2026-11-29T18:00", key=key, found=text
            ) from None
        if moment.year not in YEARS:
            raise _no_such_year(key, text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=self.house.zone)).timestamp())

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number."""
        text = self.text(key)
        if not text:
            return default
        # int() also takes blanks, underscores and the digits of other scripts.
        if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
            raise QuestionError(
                "no_number",
                "{key}: found {found!r}; allowed: a whole number from {least} to {most}",
                key=key,
                found=text,
                least=least,
                most=most,
            )
        return int(text)

    @property
    def today(self) -> date:
        """The day that it is in the house."""
        return self.house.day_of(self.now)


def _not_allowed(key: str, found: str, allowed: Iterable[str]) -> QuestionError:
    return QuestionError(
        "not_allowed",
        "{key}: found {found!r}; allowed: {allowed}",
        key=key,
        found=found,
        allowed=", ".join(allowed),
    )


def _no_such_year(key: str, found: str) -> QuestionError:
    return QuestionError(
        "no_such_year",
        "{key}: found {found!r}; years go from {first} to {last}",
        key=key,
        found=found,
        first=str(YEARS[0]),
        last=str(YEARS[-1]),
    )
