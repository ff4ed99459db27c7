"""The grammar of hostile fields: what a damaged or ill-meant meter, broker or file puts for a value."""

from __future__ import annotations

from hypothesis import strategies as st

ESCAPES = (
    "\x1b]0;owned\x07",  # the title of a terminal
    "\x1b[31m\x1b[2J\x1b[1A",
    "\x9b31m",  # CSI of C1, one character
    "\x9d0;owned\x9c",
    "a\rb",  # the rest of the line goes over its beginning
    "a\x85b\x0bc\x0cd",  # line ends of Unicode
    "\x00\x08\x7f\x02\x03",
    "\xad\xa0",
)
BEYOND_LATIN = ("\u202egpj", "\u2028", "\u2066\u200b\ufeff", "\ud800", "\udcff", "\U000e0041", "\ue000")
OTHER_DIGITS = ("²³¹", "१२३", "٣.٥", "１２", "𝟙𝟚", "৭")
TIMES = (
    *(
        "2026-99-99",
        "2611-8120000W",
        "1210-0140000",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
    ),
    *(
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59Z",
        "2026-02-30T10:00:00+01:00",
        "2026-01-01T24:00:00+01:00",
    ),
    *("2026-W01-1", "20260101T000000Z", "-2026-01-01", "2026-01-01T00:00:00.123456789+01:00", "0000-00-00"),
    *("260230101010W", "999999999999S", "000000000000", "681231235959S", "690101000000W", "260329020000"),
    *("261025020000", "2603290200²0W", "99:99:99", "24:00:00", "2026-01-01T00:00:00+02:00\n", "----"),
)
NUMBERS = (
    *("1" * 21, "9" * 4300, "9" * 4301, "0" * 5000, "1" * 9000, "0." + "1" * 5000, "-" + "9" * 4301),
    *(
        "-",
        "+",
        "-0",
        "--1",
        "+1",
        "- 1",
        "1-",
        ".",
        "1.",
        ".5",
        "1.2.3",
        "1,5",
        "1_000",
        "0x1F",
        "1e5",
        "1E+9",
    ),
    *(
        "1e999999999",
        "1e-999999999",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "1/0",
        "2147483648",
        "18446744073709551616",
    ),
)
UNITS = (
    "kWh",
    "GJ",
    "m3",
    "W",
    "s",
    "kWh kWh",
    "*",
    "*kWh",
    "kWh)\r\x1a",
    "k" * 3000,
    "",
    " ",
    "\x1b[31mkWh",
)
BRACKETS = ("(", ")", ")(", "()", "(()", "())", "((((((((", "))))", ")(" * 400, "(" * 2000, "[" * 2000, "{}")
HEX = ("0", "0G", "1B5B33316D", "C285", "9B", "1b" * 1024, "00" * 1500, "FF" * 3000, "²²")

_FIELDS = (*ESCAPES, *BEYOND_LATIN, *OTHER_DIGITS, *TIMES, *NUMBERS, *BRACKETS, *HEX, "", " ", "\t")


def fields() -> st.SearchStrategy[str]:
    """One field, and what is made of two: a date with an escape behind it, a number of another script ..."""
    known = st.sampled_from(_FIELDS)
    return st.one_of(
        known,
        st.builds(lambda number, unit: f"{number}*{unit}", known, st.sampled_from(UNITS)),
        st.builds(str.__add__, known, known),
        st.text(st.characters(codec=None), max_size=20),
        # A date in which one character is wrong.
        st.builds(
            lambda date, place, wrong: date[:place] + wrong + date[place + 1 :],
            st.sampled_from(("260101101010W", "2026-01-01T10:10:10+01:00", "10:10:10", "12345.678")),
            st.integers(0, 24),
            st.sampled_from("-+.:TZW²٣ \x1b(*eE_0"),
        ),
        # As many digits as it likes, on either side of a point.
        st.builds(
            lambda sign, digit, whole, part: f"{sign}{digit * whole}.{digit * part}",
            st.sampled_from(("", "-", "+")),
            st.sampled_from("0129²"),
            st.integers(0, 5000),
            st.integers(0, 5000),
        ),
    )
