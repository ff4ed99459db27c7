"""How a driver declares its settings, and how a loaded table becomes them.

A driver (client or sink) declares a frozen, keyword-only dataclass. A field without a default is
required; its annotation says what is allowed; ``setting()`` adds help and limits. ``parse`` reads a plain
table into it and collects every problem instead of stopping at the first.

Own code and not a validation library: the memory budget of the service (30 MiB) leaves no room for the
large ones, and the small ones stop at the first problem or return untyped dicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class Secret:
    """Text that never shows: repr, str and format give ``<hidden>``. ``reveal()`` is the only way in."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "<hidden>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Limits:
    """What ``setting()`` says about a field beyond its type."""

    help: str = ""
    minimum: Any = None
    maximum: Any = None
    pattern: str = ""  # a regular expression the whole text must match
    pattern_help: str = ""  # what the pattern means, in words
    choices: tuple[str, ...] = ()


def setting(help: str, *, default: Any = ..., **limits: Any) -> Any:  # noqa: A002 - the natural word
    """A dataclass field with help for `init`, docs and error messages."""
    metadata = {"limits": Limits(help=help, **limits)}
    if default is ...:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)
