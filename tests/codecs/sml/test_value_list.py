"""Value lists octet by octet: what is none, entries written in other ways, and what one of them costs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.telegram import ListEntry, ValueList, read_value_list
from smart_meter_reader.exceptions import MalformedError

CODE = ObisCode(1, 0, 1, 8, 0, 255)
# Length, code; its length in two octets, as none of the known meters writes it.
USUAL, STRANGE = "070100010800ff", "80080100010800ff"
# Code, status, time, unit (30, Wh), scaler (-1), value (500), signature.
PARTS = (USUAL, "01", "01", "621e", "52ff", "6301f4", "01")
ENTRY = ListEntry(CODE, Decimal("50.0"), 30, None, 2, False)
SERVER_ID = b"meter"


def entry(**parts: str) -> str:
    """An entry with some of its parts in place of the usual ones."""
    names = ("code", "status", "time", "unit", "scaler", "value", "signature")
    return "77" + "".join(parts.get(name, usual) for name, usual in zip(names, PARTS, strict=True))


def read(*entries: str, **parts: str) -> ValueList:
    """What is read of a value list with these entries and parts."""
    usual = {"head": "77", "client": "01", "server": "066d65746572", "name": "01", "time": "01"}
    usual |= {"count": f"{0x70 | len(entries):02x}", "signature": "01", "gateway": "01"}
    usual |= parts
    *begin, signature, gateway = usual.values()
    octets = bytes.fromhex("".join([*begin, *entries, signature, gateway]))
    values, end = read_value_list(octets, 0)
    assert end == len(octets)
    return values


def nested(lists: int) -> str:
    return "71" * lists + "01"


def test_a_list_as_it_is_sent() -> None:
    assert read(entry(), entry(status="6205")) == ValueList(
        SERVER_ID, None, (ENTRY, ENTRY._replace(status=5)), ()
    )
    # The list stands anywhere in a payload.
    payload = bytes.fromhex("77" + "01" * 4 + "71" + entry() + "0101")
    assert read_value_list(b"\x01\x02" + payload + b"\x03", 2) == (
        ValueList(b"", None, (ENTRY,), ()),
        2 + len(payload),
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"head": "76"}, "other than seven parts"),
        ({"head": "78"}, "other than seven parts"),
        ({"head": "07"}, "other than seven parts"),
        ({"count": "01"}, "0 entries, or none"),
        ({"count": "f18000" + "70" * 256}, "256 entries"),
        ({"server": "6201"}, "a server id that is none"),
        ({"server": "70"}, "a server id that is none"),
        ({"count": "72" + entry(), "signature": "", "gateway": ""}, "nothing follows where an entry should"),
        ({"count": "71" + entry()[:-2], "signature": "", "gateway": ""}, "where an entry should"),
    ],
)
def test_what_is_no_value_list(parts: dict[str, str], said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read(**parts)


def test_no_server_id_and_255_entries() -> None:
    assert read(server="01").server_id == b""
    assert len(read(count="ff0f" + entry() * 255).entries) == 255


@pytest.mark.parametrize("part", ["client", "name", "time", "signature", "gateway"])
def test_parts_may_be_lists_nine_deep(part: str) -> None:
    assert read(**{part: nested(9)}).server_id == SERVER_ID
    with pytest.raises(MalformedError, match="10 lists deep"):
        read(**{part: nested(10)})


def test_a_server_id_is_no_list_however_deep() -> None:
    with pytest.raises(MalformedError, match="a server id that is none"):
        read(server=nested(9))
    with pytest.raises(MalformedError, match="10 lists deep"):
        read(server=nested(10))


@pytest.mark.parametrize("part", ["status", "time", "unit", "scaler", "value", "signature"])
def test_parts_of_an_entry_may_be_lists_nine_deep(part: str) -> None:
    values = read(entry(**{part: nested(9)}), entry())
    assert values.entries[-1] == ENTRY
    assert values.unread == ((str(CODE),) if part in ("unit", "scaler", "value") else ())
    with pytest.raises(MalformedError, match="10 lists deep"):
        read(entry(**{part: nested(10)}))


@pytest.mark.parametrize("code", [USUAL, STRANGE], ids=["usual", "strange"])
@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({}, ENTRY),
        ({"status": "6205"}, ENTRY._replace(status=5)),
        ({"status": "0241"}, ENTRY),
        ({"time": "72620162ff", "signature": "0241"}, ENTRY),
        ({"unit": "01"}, ENTRY._replace(unit=None)),
        ({"unit": "63012c"}, ENTRY._replace(unit=300)),
        ({"unit": "0241"}, None),
        ({"scaler": "01"}, ENTRY._replace(value=Decimal(500))),
        ({"scaler": "5201"}, ENTRY._replace(value=Decimal("5.00E+3"))),
        ({"scaler": "0241"}, None),
        ({"value": "53fe0c"}, ENTRY._replace(value=Decimal("-50.0"), signed=True)),
        ({"value": "01"}, None),
    ],
)
def test_an_entry_is_read_however_its_code_is_written(
    parts: dict[str, str], found: ListEntry | None, code: str
) -> None:
    values = read(entry(**{"code": code, **parts}), entry())
    if found is None:
        assert (values.entries, values.unread) == ((ENTRY,), (str(CODE),))
        return
    if code == STRANGE:
        found = found._replace(octets=0, signed=False)  # not known, and so nothing is corrected by it
    assert (values.entries, values.unread) == ((found, ENTRY), ())


@pytest.mark.parametrize(
    ("strange", "unread"),
    [
        ("01", "an entry without code"),
        ("6201", "an entry without code"),
        ("70", "an entry without code"),
        ("7101", "an entry without code"),
        ("776207" + "01" * 6, "an entry without code"),
        ("76070100010800ff" + "01" * 5, str(CODE)),
        ("78070100010800ff" + "01" * 7, str(CODE)),
        ("77060100010800" + "01" * 6, "0x0100010800"),
        ("77080100010800ff09" + "01" * 6, "0x0100010800ff09"),
        ("77090100010800ff090a" + "01" * 6, "0x0100010800ff09"),
    ],
)
def test_what_is_no_entry_costs_itself_alone(strange: str, unread: str) -> None:
    values = read(strange, entry())
    assert (values.entries, values.unread) == ((ENTRY,), (unread,))


def test_an_entry_of_another_form_is_nine_lists_deep_at_most() -> None:
    assert read(nested(9), entry()).unread == ("an entry without code",)
    with pytest.raises(MalformedError, match="10 lists deep"):
        read(nested(10))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("50", "shorter than its own length"),
        ("51", "a number of 0 octets"),
        ("61", "a number of 0 octets"),
        ("5a" + "00" * 9, "a number of 9 octets"),
        ("6a" + "00" * 9, "a number of 9 octets"),
    ],
)
def test_a_value_of_no_width_that_a_number_has(value: str, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read(entry(value=value))
