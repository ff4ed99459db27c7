"""Durations as people write them in settings: "1h", "90 s", "1.5h", "1h 30min", "500ms"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches

ALLOWED = 'a duration with its unit (ms, s, min, h or d), such as "30s", "15min", "1h" or "1.5h"'

_UNITS: Mapping[str, timedelta] = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "min": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
# What people write instead; only for suggestions, so that the settings files stay uniform.
_SPELLINGS: Mapping[str, str] = {
    **{unit: unit for unit in _UNITS},
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("m", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([^\W\d]*)\s*")
_LONGEST = timedelta(days=3660)


class UnfitValueError(ValueError):
    """A value that a setting cannot take: what is ``allowed``, and what was perhaps meant (``near``)."""

    def __init__(self, allowed: str, near: str = "") -> None:
        super().__init__(f"{allowed}; did you mean {near}?" if near else allowed)
        self.allowed = allowed
        self.near = near


def parse_duration(text: str) -> timedelta:
    """The duration that ``text`` says, exact to the microsecond.

    Raises UnfitValueError, with a suggestion when a unit is missing or misspelt.
    """
    parts = _parts(text)
    if not parts or any(unit not in _UNITS for _, unit in parts):
        raise UnfitValueError(ALLOWED, _suggestion(parts))
    microseconds = sum(Decimal(number) * _microseconds(_UNITS[unit]) for number, unit in parts)
    if microseconds > _microseconds(_LONGEST):
        raise UnfitValueError(f"{ALLOWED}, ten years at most")
    return timedelta(microseconds=int(microseconds))


def format_duration(duration: timedelta) -> str:
    """A text that ``parse_duration`` reads back as the same duration."""
    if duration < timedelta(minutes=1):
        unit = "s" if duration >= timedelta(seconds=1) or not duration else "ms"
        return f"{_microseconds(duration) / _microseconds(_UNITS[unit]):f}{unit}"
    words: list[str] = []
    rest = duration
    for unit in ("d", "h", "min"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            words.append(f"{count}{unit}")
    return " ".join([*words, format_duration(rest)] if rest else words)


def _microseconds(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1))


def _parts(text: str) -> list[tuple[str, str]]:
    """Numbers and what follows each; empty when the text is anything else."""
    text = text.strip()
    if not text or _PART.sub("", text):
        return []
    return _PART.findall(text)


def _suggestion(parts: list[tuple[str, str]]) -> str:
    if len(parts) == 1 and not parts[0][1]:
        number = parts[0][0]
        return f'"{number}s", "{number}min" or "{number}h"'
    words: list[str] = []
    for number, unit in parts:
        near = get_close_matches(unit.lower(), _SPELLINGS, n=1, cutoff=0.6)
        if not near:
            return ""
        words.append(f"{number}{_SPELLINGS[near[0]]}")
    return f'"{" ".join(words)}"' if words else ""
