"""What of ``code(value)(value)`` names a person or a device: everything that is no measurement or time.

Serves P1 telegrams and IEC 62056-21 readouts. Replacements are as long as what they replace.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from smart_meter_reader.recordings.pseudonyms import Pseudonyms

_Substitute: TypeAlias = Callable[[str], str]

# A value ends with its bracket; one that was cut off, with the bytes. Lengths are bounded, since noise can be
# long and a search through it must not take its square.
_DATA_SET = re.compile(rb"(?P<code>[^()\r\n!/\x02]{0,32})(?P<values>(?:\([^()\r\n]*(?:\)|\Z))+)")
_VALUE = re.compile(rb"\(([^()\r\n]*)")
# Tells nothing of who it is: a number with its unit or point, a time, another code, anything short.
_HARMLESS = re.compile(
    rb"[+-]?[0-9]+(?:[.,][0-9]+)?\*.{1,8}"
    rb"|[+-]?[0-9]+[.,][0-9]+(?: ?[A-Za-z][A-Za-z0-9/]{0,4})?"
    rb"|[0-9]{12}[SWD]"
    rb"|[0-9]+-[0-9]+:[0-9.]+(?:\*[0-9]+)?"
    rb"|.{0,5}"
)
_PLAIN_TIME = re.compile(
    rb"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])(?:[0-5][0-9]){2}"
)
# Clocks, dates, the error register, and M-Bus values that begin with their time.
_TIMED_CODE = re.compile(rb".*(?:\b1\.0\.0|24\.[123]\.0)")
# Device and customer numbers, however short: see the serial codes of ``codecs.iec62056_21.serials``.
_NAMING_CODE = re.compile(
    rb"(?:[0-9]+(?:-[0-9]+)?:)?(?:C\.1(?:\.[0-9])?|0\.0(?:\.[0-9])?|96\.1\.[0-9]+|9\.2[01])(?:\*255)?"
)
_HARMLESS_CODE = re.compile(
    rb"(?:[0-9]+(?:-[0-9]+)?:)?(?:F\.F|0\.9\.[12]|0\.1\.[0-9]|97\.97\.0)(?:[*.][0-9]+)?"
)

_LONG_RUN = re.compile(rb"(?<![0-9A-Za-z.])[0-9A-Za-z]{6,}(?![0-9A-Za-z.*])")
_LONG_NUMBER = re.compile(rb"[0-9]{6,}")


def redact_data_sets(text: bytes, names: Pseudonyms, *, octets: bool = False) -> bytes:
    """The text with the values of its data sets replaced where they may name somebody.

    ``octets``: texts are written as hexadecimal digits, as in P1.
    """
    substitute = names.of_octets if octets else names.of

    def data_set(found: re.Match[bytes]) -> bytes:
        code = found["code"].strip()
        values = _VALUE.sub(lambda value: b"(" + _value(code, value[1], substitute), found["values"])
        return found["code"] + values

    return _DATA_SET.sub(data_set, text)


def redact_name(text: bytes, names: Pseudonyms) -> bytes:
    """The text (an identification, say) with its long numbers replaced."""
    return _LONG_NUMBER.sub(lambda found: _replaced(found[0], names.of), text)


def redact_fragments(text: bytes) -> bytes:
    """Damaged text, of which nobody knows where a value begins: every long run becomes zeros."""
    return _LONG_RUN.sub(lambda found: b"0" * len(found[0]), text)


def _value(code: bytes, value: bytes, substitute: _Substitute) -> bytes:
    if _is_harmless(code, value):
        return value
    return _replaced(value, substitute)


def _is_harmless(code: bytes, value: bytes) -> bool:
    if _NAMING_CODE.fullmatch(code):
        return False
    if all(map(_HARMLESS.fullmatch, value.split(b"&"))) or _HARMLESS_CODE.fullmatch(code):
        return True
    return bool(_TIMED_CODE.match(code) and _PLAIN_TIME.fullmatch(value))


def _replaced(value: bytes, substitute: _Substitute) -> bytes:
    # The parts of a value that hold several (Landis+Gyr) are replaced each for itself.
    return re.sub(
        rb"[^&*]+",
        lambda part: substitute(part[0].decode("latin-1")).encode("latin-1"),
        value,
    )
