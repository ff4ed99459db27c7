"""The text of a telegram and its lines: what is no character of it, and lines that a meter breaks in two."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.p1.data_block import data_lines, telegram_text

MARK = "\ufffd"


@pytest.mark.parametrize(
    ("received", "text"),
    [
        (b"1-0:1.8.0(1*kWh)\r\n", "1-0:1.8.0(1*kWh)\r\n"),
        (b"one\ntwo\r\n", "one\ntwo\r\n"),
        (b" ~\xa1\xac\xae\xff\r\n", " ~\xa1\xac\xae\xff\r\n"),
        (b"a\x1fb\x7fc\x80d\x9fe\xa0f\xadg\r\n", f"a{MARK}b{MARK}c{MARK}d{MARK}e{MARK}f{MARK}g\r\n"),
        (b"a\tb\x1b[31m\r\n", f"a{MARK}b{MARK}[31m\r\n"),
        # A carriage return that ends no line moves a cursor; several before a line end do no harm.
        (b"a\rb\r\n", f"a{MARK}b\r\n"),
        (b"a\r\r\nb\r\n", "a\r\r\nb\r\n"),
        (b"a\x01\r\nb\n", f"a{MARK}\r\nb\n"),
        (b"", ""),
    ],
)
def test_what_is_no_character_of_a_telegram_is_marked(received: bytes, text: str) -> None:
    """DSMR 5.0.2 P1, 6.4: printable characters and line ends."""
    assert telegram_text(received) == text


ONE, TWO = "1-0:1.8.0(1*kWh)", "1-0:2.8.0(2*kWh)"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"\r\n{ONE}\r\n{TWO}\r\n", [ONE, TWO]),
        (f"{ONE}\r\n{TWO}\r\n", [ONE, TWO]),
        (f"\n{ONE}\n{TWO}\n", ["", ONE, TWO, ""]),
        (f"{ONE}\r\r\n{TWO}\r\n", [ONE, TWO, ""]),
        # Gas of DSMR 2.2 and 3: a value of its own on the next line.
        ("0-1:24.3.0(1)(m3)\r\n(00947.680)\r\n", ["0-1:24.3.0(1)(m3)(00947.680)", ""]),
        ("0-1:24.3.0(1)(m3)\n(00947.680)\n", ["0-1:24.3.0(1)(m3)(00947.680)", ""]),
        ("(00947.680)\r\n", ["(00947.680)"]),
        # Inside a value: a long text.
        (f"0-0:96.13.0(3031\r\n3233\r\n)\r\n{ONE}\r\n", ["0-0:96.13.0(30313233)", ONE, ""]),
        # A value that was not closed, and the next code: two lines, the first of which makes no sense.
        (f"0-0:96.13.0(3031\r\n{ONE}\r\n", ["0-0:96.13.0(3031", ONE, ""]),
        (f"0-0:96.13.0(3031\r\n\r\n{ONE}\r\n", ["0-0:96.13.0(3031", "", ONE, ""]),
        (f"0-0:96.13.0(3031) \r\nnote\r\n{ONE}\r\n", ["0-0:96.13.0(3031) ", "note", ONE, ""]),
        (f"rubbish\r\n{ONE}\r\n", ["rubbish", ONE, ""]),
        (f"rubbish\r\nnote\r\n{ONE}\r\n", ["rubbish", "note", ONE, ""]),
    ],
)
def test_lines_of_a_telegram(text: str, lines: list[str]) -> None:
    assert data_lines(text) == lines
