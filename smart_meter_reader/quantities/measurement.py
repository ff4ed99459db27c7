"""A value with its unit: the one shape in which codecs give it, messages carry it and sinks take it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NotRequired, TypeAlias, TypedDict

Value: TypeAlias = Decimal | int | str


class Measurement(TypedDict):
    """One value. ``measured_at`` is there when the meter says when it measured (an M-Bus gas meter, say).

    A plain dict, since a P1 telegram makes dozens of them, and the queue and JSON take it as it is.
    """

    value: Value
    unit: str  # "" when the quantity has none
    measured_at: NotRequired[datetime]
