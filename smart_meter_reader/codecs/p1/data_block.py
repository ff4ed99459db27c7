"""The text of a telegram: what is no character of it, and its lines, which some meters break in two."""

from __future__ import annotations

import re

from smart_meter_reader.text import REPLACEMENT

_LINE_END = re.compile(r"\r*\n")
# What is deleted to see whether anything else is there; a carriage return that ends no line moves a cursor.
_USUAL = bytes(byte for byte in range(256) if chr(byte).isprintable()) + b"\n"
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa1-\xac\xae-\xff\r\n]|\r(?![\r\n])")
_OBIS_CODE = re.compile(r"[0-9]+-[0-9]+:", re.ASCII)


def telegram_text(telegram: bytes) -> str:
    """The text of a telegram, with U+FFFD for what is neither printable nor a line end (DSMR 5.0.2 P1, 6.4).

    All texts of a telegram come from here, so none of them moves a cursor or hides a line of a log.
    """
    text = telegram.decode("latin-1")
    unusual = telegram.translate(None, _USUAL)
    if len(unusual) == unusual.count(b"\r") == text.count("\r\n"):
        return text
    return _UNPRINTABLE.sub(REPLACEMENT, text)


def data_lines(text: str) -> list[str]:
    """The data lines; line ends may be CR LF or LF, and some meters break a line in two.

    Broken lines go on with a value of their own (gas of DSMR 2.2 and 3), or inside a value (long texts).
    """
    # One blank line after the identification; every other line ends with a bracket.
    ends = text.count("\n")
    if ends == text.count(")\r\n") + text.startswith("\r\n") and "\n(" not in text:
        return text.strip("\r\n").split("\r\n")
    lines = _LINE_END.split(text)
    joined: list[str] = []
    for line in lines:
        if joined and (line[:1] == "(" or (_is_open(joined[-1]) and line and not _OBIS_CODE.match(line))):
            joined[-1] += line
        else:
            joined.append(line)
    return joined


def _is_open(line: str) -> bool:
    return "(" in line and not line.rstrip().endswith(")")
