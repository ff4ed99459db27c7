"""Checks of what a state file says: guard and clients take only what they write themselves. Pure.

All of them raise ValueError with a sentence: somebody may have edited the file, or half of it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from smart_meter_reader.text import LONGEST_NAME


def table_in(
    content: Any, what: str, needed: AbstractSet[str], also: AbstractSet[str] = frozenset()
) -> Mapping[str, Any]:
    """A table with all keys that are ``needed``, and no others but ``also``."""
    if not isinstance(content, Mapping) or not needed <= content.keys() <= needed | also:
        raise ValueError(f"{what} is missing")
    return content


def number_in(content: Any, what: str, least: int, most: int) -> int:
    """A whole number within these limits."""
    if type(content) is not int or not least <= content <= most:
        raise ValueError(f"{what} that cannot be")
    return content


def name_in(content: Any, what: str) -> str:
    """A text as long as names and numbers of meters are."""
    if not isinstance(content, str) or len(content) > LONGEST_NAME:
        raise ValueError(f"{what} that is none")
    return content


def time_in(content: Any) -> datetime:
    """A time with its zone, as ``isoformat`` writes it; given in UTC."""
    try:
        time = datetime.fromisoformat(content)
    except (TypeError, ValueError):
        raise ValueError("a time that is none") from None
    if time.tzinfo is None or not 1970 <= time.year < 3000:
        raise ValueError("a time that cannot be")
    return time.astimezone(UTC)
