"""The words in which a history keeps what a meter reports of itself: which sentences came and went. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from smart_meter_reader.history.rows import CLEARED, RAISED

REPORTS: Final = "info_code_text"
"""The quantity that tells it: sentences parted by "; ", or "none"."""
_PARTING, _NOTHING = "; ", "none"
# What a reading has shown, and what the meter's own logger says of its moment.
_TOLD: Final[Mapping[str, str]] = MappingProxyType(
    {RAISED: "the meter reports: ", CLEARED: "the meter no longer reports: "}
)
_LOGGED: Final[Mapping[str, str]] = MappingProxyType(
    {
        RAISED: "the meter reports, by its own logger: ",
        CLEARED: "the meter no longer reports, by its own logger: ",
    }
)


def sentences(text: str) -> tuple[str, ...]:
    """What a meter reports by ``REPORTS``."""
    return () if text == _NOTHING else tuple(text.split(_PARTING))


def changes(before: Iterable[str], told: Iterable[str]) -> tuple[tuple[str, list[str]], ...]:
    """What is no longer reported and what newly is: the kind of the event, and its sentences; both or one."""
    old, new = list(before), list(told)
    found = (
        (CLEARED, [each for each in old if each not in new]),
        (RAISED, [each for each in new if each not in old]),
    )
    return tuple((kind, changed) for kind, changed in found if changed)


def event_text(kind: str, told: Iterable[str], *, logged: bool = False) -> str:
    """The text of an event; ``logged``: it is of the moment at which it happened."""
    return (_LOGGED if logged else _TOLD)[kind] + _PARTING.join(told)


def is_logged(kind: str, text: str) -> bool:
    """Whether an event is of the moment at which it happened."""
    return text.startswith(_LOGGED[kind])


def told_by(kind: str, text: str) -> list[str]:
    """The sentences of an event."""
    return text.removeprefix(_LOGGED[kind]).removeprefix(_TOLD[kind]).split(_PARTING)


def reported_by(events: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What a meter reports after events of both kinds, kind and text, in their order."""
    told: dict[str, None] = {}
    for kind, text in events:
        for sentence in told_by(kind, text):
            if kind == RAISED:
                told[sentence] = None
            else:
                told.pop(sentence, None)
    return tuple(told)
