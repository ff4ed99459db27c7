"""Text and numbers from outside: what a meter sends becomes printable and bounded where it is decoded.

Whatever is published, logged, shown or written into a file comes through here first, so that no terminal,
log, topic or page needs a defence of its own against escape sequences and texts without end.
"""

from __future__ import annotations

from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
# Luxembourg's messages have 1024 characters, in octets twice as many (specification 1.1.3).
LONGEST_TEXT: Final = 2048
# Names, models, serial numbers: they stand in log lines, where nothing must hide behind them.
LONGEST_NAME: Final = 128
# Counters have twelve digits at most. What has more is no number of a meter, and Python refuses to convert
# 4301 of them, others more than a float holds.
LONGEST_NUMBER: Final = 20


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


def is_digits(text: str, most: int = LONGEST_NUMBER) -> bool:
    """One to ``most`` digits 0 to 9; no other script's, which str.isdigit() and int() take as well."""
    return len(text) <= most and text.isascii() and text.isdigit()
