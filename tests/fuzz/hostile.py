"""The grammar of hostile fields, and streams of each protocol that are whole and right but for these.

Damaged captures rarely get past a checksum; here each frame and telegram has the right one.
"""

from __future__ import annotations

from hypothesis import strategies as st

from smart_meter_reader.codecs.dlms.axdr import (
    ENUM,
    INT8,
    INT64,
    OCTETS,
    STRUCTURE,
    VISIBLE,
    Item,
    encode_item,
)
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.iec62056_21.bcc import sum_bcc, xor_bcc
from smart_meter_reader.codecs.kmp import (
    Frame,
    GetRegisterRequest,
    GetRegisterResponse,
    GetSerialNoResponse,
    RegisterValue,
    encode_request,
    encode_response,
)
from smart_meter_reader.codecs.kmp.loggers import LoggerInfo, LogRow, log_answer
from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.p1.encode import encode_telegram as encode_p1
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.codecs.sml.encode import Value, encode_telegram
from tests.codecs.kmp.vectors import on_wire

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
_SHORT = tuple(field for field in _FIELDS if len(field) <= 64)
_LONG = tuple(field for field in _FIELDS if len(field) > 64)


def fields() -> st.SearchStrategy[str]:
    """One field, and what is made of two: a date with an escape behind it, a number with a strange unit ...

    One in a dozen is long, since a telegram that is longer than any other is none.
    """
    short = st.sampled_from(_SHORT)
    units = st.sampled_from([unit for unit in UNITS if len(unit) <= 64])
    made = st.one_of(
        short,
        st.builds(lambda number, unit: f"{number}*{unit}", short, units),
        st.builds(str.__add__, short, short),
        st.text(st.characters(codec=None), max_size=20),
        # A date or number in which one character is wrong.
        st.builds(
            lambda text, place, wrong: text[:place] + wrong + text[place + 1 :],
            st.sampled_from(("260101101010W", "2026-01-01T10:10:10+01:00", "10:10:10", "12345.678*kWh")),
            st.integers(0, 24),
            st.sampled_from("-+.:TZW²٣ \x1b(*eE_0"),
        ),
        # About as many digits as a number may have, on either side of a point.
        st.builds(
            lambda sign, digit, whole, part, unit: f"{sign}{digit * whole}.{digit * part}*{unit}",
            st.sampled_from(("", "-", "+")),
            st.sampled_from("0129²"),
            st.integers(0, 22),
            st.integers(0, 22),
            units,
        ),
    )
    long = st.one_of(st.sampled_from(_LONG), st.integers(0, 5000).map(lambda count: "7" * count))
    return st.integers(0, 11).flatmap(lambda chance: made if chance else long)


def _mbus() -> st.SearchStrategy[bytes]:
    """Answers with a right checksum round records that nobody has made, and requests of other readers."""
    header = b"\x78\x56\x34\x12\x2d\x2c\x34\x04\x01\x00\x00\x00"
    heads = st.sampled_from(
        (b"\x04\x06", b"\x0d\x78", b"\x02\xfc", b"\x0d\xfd\x11", b"\x05\x2e", b"\x84\xc0")
    )
    records = st.lists(
        st.one_of(st.binary(max_size=30), st.tuples(heads, st.binary(max_size=9)).map(b"".join))
    )
    contents = records.map(lambda parts: header + b"".join(parts)[:238])
    ci = st.sampled_from((0x72, 0x72, 0x72, 0x73, 0x78, 0x7A, 0x70, 0x52))

    def framed(control: int, ci: int, payload: bytes) -> bytes:
        content = bytes((control, 253, ci)) + payload
        size = len(content)
        return bytes((0x68, size, size, 0x68)) + content + bytes((sum(content) & 0xFF, 0x16))

    return st.builds(framed, st.sampled_from((0x08, 0x28, 0x73)), ci, contents)


def streams_of(protocol: str) -> st.SearchStrategy[bytes]:
    """Well-formed frames, telegrams, readouts or texts of a protocol, round hostile fields."""
    return {
        "dlms": _dlms(),
        "kmp": _kmp(),
        "p1": _p1(),
        "iec62056_21": _iec(),
        "mbus": _mbus(),
        "sml": _sml(),
        "text": fields().map(lambda text: text.encode("utf-8", "surrogatepass")),
    }[protocol]


P1_CODES = (
    *("0-0:1.0.0", "1-0:1.8.0", "1-0:1.8.1", "1-0:1.8.2", "1-0:1.7.0", "1-0:32.7.0", "1-0:1.6.0"),
    *("0-0:17.0.0", "0-0:96.14.0", "0-0:96.7.21", "1-0:99.97.0", "0-0:98.1.0", "0-0:96.1.1", "0-0:96.1.0"),
    *("0-0:42.0.0", "0-0:96.13.0", "0-0:96.13.1", "1-3:0.2.8", "0-0:96.3.10", "0-0:96.1.4", "1-0:0.2.0"),
    *("0-1:24.1.0", "0-1:24.2.1", "0-1:24.2.3", "0-1:24.3.0", "0-1:24.4.0", "0-1:96.1.0", "0-1:96.1.1"),
    *("0-2:24.1.0", "0-2:24.2.1", "7-0:23.1.0", "7-0:0.0.0", "5-0:1.0.0", "8-1:0.0.0", "1-0:1.8.0*255"),
    "9-9:9.9.9",
)
_P1_USUAL = (
    "260101101010W",
    "000123.456*kWh",
    "00.100*kW",
    "0002",
    "50",
    "003",
    "00001",
    "4B414D",
    "",
    "0.5*m3",
)


@st.composite
def _p1(draw: st.DrawFn) -> bytes:
    """One to three telegrams of one meter; lines may come twice, have many values, or be broken in two."""
    known = st.sampled_from(P1_CODES)
    codes = st.one_of(known, known, known, known, fields())
    values = st.lists(st.one_of(st.sampled_from(_P1_USUAL), fields()), min_size=1, max_size=5)
    ends = st.sampled_from((*["\r\n"] * 12, "\n", "\r", "\r\r\n", ""))
    lines = st.builds(
        lambda code, group, between, end: code + between.join(f"({value})" for value in group) + end,
        codes,
        values,
        st.sampled_from((*[""] * 8, "\r\n", "\n", " ")),
        ends,
    )
    stream = b""
    for _ in range(draw(st.integers(1, 3))):
        header = draw(st.one_of(st.just("KFM5\\2X"), fields().map(lambda field: "XMX5" + field[:100])))
        body = "".join(draw(st.lists(lines, min_size=3, max_size=12))).replace("!", "?")
        text = f"/{header}\r\n\r\n1-0:1.8.0(1.0*kWh)\r\n{body}\r\n!"
        covered = text.encode("latin-1", "replace").replace(b"\0", b"").replace(b"/", b"", 8)
        covered = b"/" + covered
        stream += encode_p1(covered, draw(st.sampled_from(("arc", "arc", "arc", "none"))))
    return stream


_SML_CODES = (
    *("0100010800ff", "0100020800ff", "0100100700ff", "01000f0700ff", "0100010700ff", "010001080060"),
    *("0100600100ff", "0100000009ff", "8181c78205ff", "0100200700ff", "0100510704ff", "0000600d00ff"),
)


@st.composite
def _sml(draw: st.DrawFn) -> bytes:
    """Telegrams of any meter with any values under any codes; their checksums are right."""
    codes = st.one_of(st.sampled_from(_SML_CODES).map(bytes.fromhex), st.binary(min_size=6, max_size=6)).map(
        ObisCode.from_octets
    )
    values = st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.integers(0, 2**64 - 1),
        st.booleans(),
        st.none(),
        fields().map(lambda field: field.encode("latin-1", "replace")[:400]).filter(bool),
    )
    entries = st.builds(
        lambda code, value, unit, scaler, status: Value(
            code, value, unit, scaler, status, signed=not isinstance(value, int) or value < 2**63
        ),
        codes,
        values,
        st.none() | st.sampled_from((27, 30, 33, 35, 44)) | st.integers(0, 255),
        st.none() | st.integers(-6, 6) | st.integers(-128, 127),
        st.none() | st.integers(0, 2**64 - 1),
    )
    ids = st.one_of(
        st.sampled_from(("0a01445a47000280de80", "06454d48010200000001")).map(bytes.fromhex),
        st.binary(min_size=1, max_size=20),
        fields().map(lambda field: field.encode("latin-1", "replace")[:60]).filter(bool),
    )
    return b"".join(
        encode_telegram(
            draw(ids), draw(st.lists(entries, max_size=8)), checksum=draw(st.sampled_from(("x25", "kermit")))
        )
        for _ in range(draw(st.integers(1, 3)))
    )


_REGISTERS = (
    *(60, 61, 63, 68, 69, 72, 73, 74, 75, 80, 86, 87, 88, 89, 97, 98, 99, 110, 112, 113, 123, 124, 129, 130),
    *(140, 146, 152, 229, 234, 236, 348, 640, 653, 654, 1001, 1002, 1003, 1004, 1005, 1010, 1047, 1058),
)


@st.composite
def _kmp(draw: st.DrawFn) -> bytes:
    """Answers with any unit and SignExp, with numbers up to 255 bytes, texts and dates that are none."""
    mantissas = st.one_of(
        st.binary(max_size=12),
        st.integers(0, 255).map(bytes),
        st.integers(0, 255).map(lambda size: b"\xff" * size),
        st.integers(0, 99_999_999).map(lambda date: date.to_bytes(4, "big")),
        fields().map(lambda field: field.encode("latin-1", "replace")[:255]),
        st.sampled_from((b"    ", bytes.fromhex("9E99999999"), bytes.fromhex("1E999999999999"))),
    )
    registers = st.builds(
        RegisterValue,
        st.one_of(st.sampled_from(_REGISTERS), st.integers(0, 65_535)),
        st.one_of(st.integers(0, 0x5B), st.integers(0, 255)),
        st.one_of(st.sampled_from((0, 0x42, 0x3F, 0x7F, 0xFF)), st.integers(0, 255)),
        mantissas,
    )
    answers: st.SearchStrategy[bytes] = st.one_of(
        st.lists(registers, max_size=8).map(
            lambda several: encode_response(GetRegisterResponse(tuple(several)))
        ),
        st.lists(registers.filter(lambda register: bool(register.mantissa)), min_size=1, max_size=8).map(
            lambda several: encode_response(log_answer(6, 5, 9, LoggerInfo(0), (LogRow(9, tuple(several)),)))
        ),
        st.builds(Frame, st.sampled_from(("request", "response")), *[st.integers(0, 255)] * 2, mantissas).map(
            on_wire
        ),
        st.integers(0, 2**32 - 1).map(lambda number: encode_response(GetSerialNoResponse(number))),
        st.just(encode_request(GetRegisterRequest((60, 1001)))),
    )
    return b"".join(draw(st.lists(answers, min_size=1, max_size=3)))


_IEC_CODES = (
    *("6.8", "6.26", "6.31", "0.0", "C.1", "C.1.0", "9.21", "1.20", "1.31", "6-0:1.0.0", "1-0:1.8.0*255"),
    *("1-0:1.8.1", "1.8.0", "1-0:32.7.0", "F.F", "0.9.1", "96.1.0", "6.8*01"),
)


@st.composite
def _iec(draw: st.DrawFn) -> bytes:
    """Identification and readout with or without its block check, or short answers, with parity or not."""
    values = st.one_of(st.sampled_from(("0456.631*GJ", "012966.26*m3", "1&2", "0", "")), fields())
    sets = st.builds(
        lambda code, group, end: code + "".join(f"({value})" for value in group) + end,
        st.one_of(st.sampled_from(_IEC_CODES), fields()),
        st.lists(values, min_size=1, max_size=3),
        st.sampled_from(("\r\n", "\r\n", "", "\n")),
    )
    widths = st.sampled_from((5, 7, 7, 7, 7, 8, 9, 11))
    numbers = st.builds(
        lambda number, width: str(number).zfill(width)[-width:], st.integers(-999, 10**11), widths
    )
    short = st.lists(st.one_of(numbers, fields().map(lambda field: field[:11])), min_size=4, max_size=12).map(
        " ".join
    )
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        body = ("".join(draw(st.lists(sets, max_size=6))) + "!\r\n").encode("latin-1", "replace")
        body = bytes(byte & 0x7F for byte in body)
        block = body.replace(b"\x02", b"").replace(b"\x03", b"") + b"\x03"
        check = draw(st.sampled_from((sum_bcc, xor_bcc)))
        name = draw(st.one_of(st.just("MC"), fields())).encode("latin-1", "replace")[:200]
        line = draw(short).encode("latin-1", "replace")
        parts.append(
            draw(
                st.sampled_from(
                    (
                        b"/KAM0" + name + b"\r\n\x02" + block + bytes([check(block)]),
                        b"/ESY5" + name + b"\r\n\r\n" + body,
                        b"/#1\r" + line + b" \r",
                        b"/?" + name + b"!\r\n",
                        line + b" \r" + line + b" \r",
                    )
                )
            )
        )
    stream = bytes(byte & 0x7F for byte in b"".join(parts))
    return add_parity(stream) if draw(st.booleans()) else stream


def _dlms() -> st.SearchStrategy[bytes]:
    """Pushed lists of OBIS codes round hostile values, in right frames."""
    texts = fields().map(lambda text: text.encode("utf-8", "surrogatepass")[:120])
    strings = st.builds(Item, st.sampled_from([OCTETS, VISIBLE]), texts)
    numbers = st.builds(Item, st.just(INT64), st.integers(-(2**63), 2**63 - 1))
    scalers = st.builds(
        lambda scaler, unit: Item(STRUCTURE, [Item(INT8, scaler), Item(ENUM, unit)]),
        st.integers(-128, 127),
        st.integers(0, 255),
    )
    codes = st.sampled_from(
        ["0100010800ff", "0100010700ff", "0100200700ff", "0000600100ff", "0000010000ff", "0000600d00ff"]
    ).map(lambda digits: Item(OCTETS, bytes.fromhex(digits)))
    entries = st.tuples(codes, st.one_of(strings, numbers), scalers)
    structured = st.builds(Item, st.just(STRUCTURE), entries.map(list))
    lists = st.one_of(
        st.lists(structured, max_size=6),
        st.lists(entries, max_size=6).map(lambda rows: [item for row in rows for item in row]),
        st.lists(st.one_of(strings, numbers), max_size=8),
    )
    return lists.map(
        lambda items: encode_hdlc(b"\xe6\xe7\x00\x0f\0\0\0\0\0" + encode_item(Item(STRUCTURE, items)))
    )
