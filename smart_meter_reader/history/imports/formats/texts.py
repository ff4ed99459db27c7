"""Lines of text from a file that anybody may have written: bounded, in UTF-8, or refused with a sentence."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from smart_meter_reader.history.imports.found import Findings

LONGEST_LINE = 10_000
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_lines(file: BinaryIO, findings: Findings) -> Iterator[str]:
    """The lines with their ends, without a byte order mark. Raises OSError and RefusedFileError."""
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            if raw.startswith(_UTF16):
                raise findings.give_up("it is text in UTF-16: save it as CSV in UTF-8")
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if b"\0" in raw:
            raise findings.give_up("there is a zero byte: this is no text", number)
        if len(raw) > LONGEST_LINE:
            raise findings.give_up(f"it is longer than {LONGEST_LINE} bytes: this is no table", number)
        try:
            yield raw.decode()
        except UnicodeDecodeError as error:
            raise findings.give_up(
                f"byte {error.start + 1} (0x{raw[error.start]:02x}) is no UTF-8: save the file in UTF-8",
                number,
            ) from None
    if not number:
        raise findings.give_up("it is empty")
