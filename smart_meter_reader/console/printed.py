"""Bytes as other programs print them: hexadecimal digits at the ends of lines, behind times and names.

So do the logs of Tasmota, ESPHome and amsreader, hexdump and xxd, and what people paste into threads.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_WORDS = re.compile(r"\S+")
_PAIR = re.compile(r"[0-9A-F]{2}", re.IGNORECASE)
# One word of pairs with one and the same mark between them, or with none.
_MARKED = re.compile(r"[0-9A-F]{2}(?P<mark>[:,.-])[0-9A-F]{2}(?:(?P=mark)[0-9A-F]{2}){2,}", re.IGNORECASE)
_UNMARKED = re.compile(r"(?:[0-9A-F]{2}){7,}", re.IGNORECASE)
_BEFORE_WORD: Final = '">=['
_FEWEST_PAIRS: Final = 4
# As xxd prints it: address, groups of one octet or more, two blanks, the characters.
_XXD = re.compile(r"[0-9a-f]{7,8}: (?P<digits>(?:(?:[0-9a-f]{2}){1,8} ){1,32}) .", re.IGNORECASE)
_NO_DIGIT = re.compile(r"[^0-9A-F]", re.IGNORECASE)
_LETTER = re.compile(r"[A-F]", re.IGNORECASE)
_FEWEST: Final = 8
# Of a line that is nothing but pairs and what separates them two thirds are digits; much may stand before.
_LEAST_SHARE: Final = 10


class Printed(NamedTuple):
    """The bytes, and in how many of how many lines they stood."""

    octets: bytes
    lines: int
    all_lines: int


def find_printed(text: str) -> Printed | None:
    """What stands at the ends of lines; None where that is little of the text, or all of it."""
    lines = [line for line in text.splitlines() if line.strip()]
    found: list[str] = []
    beside, shape = False, None
    for line in lines:
        digits, before = _digits_at_end(line, shape)
        shape = _shape(before) if digits else None
        beside |= bool(before.strip()) or not digits
        if digits:
            found.append(_NO_DIGIT.sub("", digits))
    octets = bytes.fromhex("".join(found))
    share = _LEAST_SHARE * 2 * len(octets) >= sum(len(line.strip()) for line in lines)
    if not beside or not share or len(octets) < _FEWEST or not any(map(_LETTER.search, found)):
        return None
    return Printed(octets, len(found), len(lines))


def _digits_at_end(line: str, shape: str | None) -> tuple[str, str]:
    """The digits and what stands before them; "" and the line where it ends with none.

    ``shape``: of what stood before those of the line before. What began there may end here with a pair.
    """
    if match := _XXD.match(line):
        return match["digits"], line[: match.start("digits")]
    text = _without_remark(line.rstrip()).rstrip(' ,;"]')
    words = list(_WORDS.finditer(text))
    first = len(words)
    while first and _PAIR.fullmatch(words[first - 1].group()):
        first -= 1
    if first < len(words):
        before = text[: words[first].start()]
        if len(words) - first >= _FEWEST_PAIRS or _shape(before) == shape:
            return text[words[first].start() :], before
    elif words:
        last = words[-1].group()
        word = last[max(map(last.rfind, _BEFORE_WORD)) + 1 :]
        if _MARKED.fullmatch(word) or _UNMARKED.fullmatch(word):
            return word, text[: len(text) - len(word)]
    return "", line


def _without_remark(text: str) -> str:
    """Without a number in brackets, or the characters as hexdump has them, at the end."""
    if text.endswith("|"):
        return text[: text.find("|")]
    begin = text.rfind("(")
    return text[:begin] if text.endswith(")") and text[begin + 1 : -1].isdigit() else text


def _shape(before: str) -> str:
    return re.sub(r"[0-9]", "0", before)
