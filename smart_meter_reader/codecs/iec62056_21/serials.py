"""Which data set of a readout holds the number of the meter."""

from __future__ import annotations

import re
from collections.abc import Iterable

from smart_meter_reader.codecs.iec62056_21.data_set import DataSet
from smart_meter_reader.text import LONGEST_NAME, printable

# By how surely the code names the device: C.1.0 and 96.1.0 itself, 9.20 that of Landis+Gyr's heat meters,
# 0.0.0 and 0.0 a number that the utility gives, which on MULTICAL and 382 is the customer number. 9.21 is
# what the owner of a Landis+Gyr calls it.
_SERIAL_CODES = ("C.1.0", "96.1.0", "96.1.255", "96.1.1", "9.20", "C.1", "0.0.0", "0.0", "9.21")

# 0-1:96.1.0 is the number of another meter, which hangs on channel 1.
_CODE = re.compile(r"(?:0-0:|[1-9]\d{0,2}-\d{1,3}:)?(?P<short>[^:*]+)(?:\*255)?", re.ASCII)
# As P1 writes numbers: the characters in hexadecimal (DSMR P1 companion standard, 0-0:96.1.1).
_HEXADECIMAL = re.compile(r"(?:3[0-9]|[46][1-9A-F]|[57][0-9A]){8,24}")


def serial_number(sets: Iterable[DataSet], announced: str = "") -> str:
    """The number that tells this meter from others; "" when there is none. Zeros alone name no meter.

    The digits are as sent, with leading zeros. Only Kamstrup's (``announced``: the maker's letters first)
    lose them: their customer number has as many as an answer has room for, eleven in a readout and in #2,
    none in KMP.
    """
    by_code: dict[str, str] = {}
    for data_set in sets:
        match = _CODE.fullmatch(data_set.code)
        if match and data_set.values:
            by_code.setdefault(match["short"], data_set.values[0].text.strip())
    for code in _SERIAL_CODES:
        text = by_code.get(code, "")
        if not text.strip("0"):
            continue
        if code == "96.1.1" and _HEXADECIMAL.fullmatch(text):
            text = bytes.fromhex(text).decode("ascii")
        return printable(text.lstrip("0") if announced[:3].upper() == "KAM" else text, LONGEST_NAME)
    return ""
