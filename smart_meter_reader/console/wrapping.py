"""Sentences for a person: a terminal gets them broken between two words, all else in one line."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TextIO


def tell(text: str, stream: TextIO | None = None) -> None:
    """Print ``text`` to ``stream`` (None: stderr), what goes on in the next line set in by two blanks.

    A file, a pipe and the journal get it unbroken: whoever searches them looks for whole sentences.
    """
    stream = stream or sys.stderr
    print(wrapped(text, shutil.get_terminal_size().columns) if stream.isatty() else text, file=stream)


def wrapped(text: str, width: int, indent: str = "  ") -> str:
    """``text`` in lines of at most ``width``; a path or command without a blank is never cut."""
    return textwrap.fill(
        text, max(width, 20), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
