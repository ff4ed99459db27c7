"""Text and numbers from outside: printable and bounded where they are decoded, before they go anywhere.

Whatever is published, logged, shown or written into a file comes through here first, so that no terminal,
log, topic or page needs a defence of its own against escape sequences and texts without end.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
# Luxembourg's messages have 1024 characters, in octets twice as many (P1 specification 1.1.3).
LONGEST_TEXT: Final = 2048
# Names, models, serial numbers: they stand in log lines, where nothing must hide behind them.
LONGEST_NAME: Final = 128
# Counters have twelve digits at most, and eight bytes hold twenty. What has more is no number of a meter;
# Python refuses to convert 4301 of them, and others what a float does not hold.
LONGEST_NUMBER: Final = 20

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """``text`` with U+FFFD for each character that is not printable, cut to ``longest`` with an ellipsis.

    Not printable are control characters (of C1 too), line ends, what turns the direction of writing,
    blanks but the common one, unassigned characters, and surrogates, which no encoding takes.
    """
    if len(text) > longest:
        text = text[: longest - 1] + _ELLIPSIS
    if text.isprintable():
        return text
    return "".join([character if character.isprintable() else REPLACEMENT for character in text])


def in_quotes(path: object) -> str:
    """A path for a command that somebody is told to run: whatever it is called, one word to a shell."""
    return "'" + str(path).replace("'", "'\"'\"'") + "'"


def is_digits(text: str, most: int = LONGEST_NUMBER) -> bool:
    """One to ``most`` digits 0 to 9; no other script's, which str.isdigit() and int() take as well."""
    return len(text) <= most and text.isascii() and text.isdigit()


def is_same_serial(one: str, other: str) -> bool:
    """Whether two serial numbers are of one device. Leading zeros do not count, blanks at the ends neither:

    one answer of a meter may have room for more of them than another, and people leave them out.
    """
    return one.strip().lstrip("0") == other.strip().lstrip("0")


def is_bounded(number: Decimal) -> bool:
    """Whether it has twenty digits at most, written without an exponent; what is no number has not."""
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return False
    return max(len(digits) + exponent, 1) + max(-exponent, 0) <= LONGEST_NUMBER


def bounded_number(value: Decimal | int | str) -> Decimal | None:
    """The number that ``value`` is; None for text that is none, and for more than twenty digits.

    Decimal("9E99999999") is a number as well, and takes 100 MB when it is written out.
    """
    if isinstance(value, str) and not (len(value) <= LONGEST_NUMBER + 2 and _NUMBER.fullmatch(value)):
        return None
    number = Decimal(value)
    return number if is_bounded(number) else None


def plain(value: object) -> str:
    """A value as text: all digits of a number as they are, without an exponent."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)
