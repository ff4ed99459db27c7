"""Whether a terminal or file can show more than ASCII, and the words for those that cannot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

_BLOCKS = "█░▌³°–"
_PLAIN = str.maketrans({"³": "3", "²": "2", "°": "", "·": "*", "–": "-", "×": "x", "Δ": "d"})
_ASCII_LOCALES = frozenset({"C", "POSIX"})


def shows_unicode(stream: TextIO, variables: Mapping[str, str] = os.environ) -> bool:
    """Whether ``stream`` takes blocks and raised numbers.

    In the locale C Python writes UTF-8 all the same (PEP 540), which is not what whoever chose it can read.
    """
    chosen = variables.get("LC_ALL") or variables.get("LC_CTYPE") or variables.get("LANG") or ""
    if chosen in _ASCII_LOCALES:
        return False
    try:
        _BLOCKS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def in_ascii(text: str) -> str:
    """``text`` for whoever sees ASCII only: m3 for m³, C for °C."""
    return text.translate(_PLAIN)
