"""What comes back on one request through an infrared head, for whoever places the head."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeAlias


class Sign(StrEnum):
    """What came back on one request."""

    NOTHING = "nothing"
    ECHO = "echo only"
    NOISE = "noise"
    DAMAGED = "damaged"
    CLEAN = "clean"
    PUSHED = "by itself"

    @property
    def is_clean(self) -> bool:
        """Whether a whole answer came, or a whole telegram that nobody had asked for."""
        return self in (Sign.CLEAN, Sign.PUSHED)


Probe: TypeAlias = Callable[[], Awaitable[Sign]]
"""Asks once. A family's ``head_probe(port, address)`` is an async context manager of one; it raises
TransportError. ``address`` is the meter's, "" for any."""


def sign_of(*, clean: bool, damaged: bool, echo: bool, heard: bool) -> Sign:
    """The best of what was heard: each argument says whether there was such a thing."""
    for found, sign in ((clean, Sign.CLEAN), (damaged, Sign.DAMAGED), (echo, Sign.ECHO), (heard, Sign.NOISE)):
        if found:
            return sign
    return Sign.NOTHING
