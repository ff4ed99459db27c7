"""What may come out of a decoder: printable, bounded text, and numbers that every JSON reader takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from smart_meter_reader.text import LONGEST_NUMBER, LONGEST_TEXT


def leaves(content: Any) -> Iterator[Any]:
    """Every key and value, however deep it stands."""
    if isinstance(content, Mapping):
        yield from content
        content = list(content.values())
    if isinstance(content, list | tuple):
        for each in content:
            yield from leaves(each)
    else:
        yield content


def harmful(content: Any, most_digits: int = LONGEST_NUMBER) -> list[Any]:
    """What in a description or message no terminal, log, page or JSON reader should get."""
    return [leaf for leaf in leaves(content) if not _is_harmless(leaf, most_digits)]


def _is_harmless(leaf: Any, most_digits: int) -> bool:
    match leaf:
        case str():
            return leaf.isprintable() and len(leaf) <= LONGEST_TEXT
        case Decimal():
            return leaf.is_finite() and len(format(leaf, "f").strip("-").replace(".", "")) <= most_digits
        case int():
            return len(str(leaf)) <= most_digits
        case datetime():
            return leaf.tzinfo is UTC
    return leaf is None or isinstance(leaf, float)
