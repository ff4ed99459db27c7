"""MessageRows of messages: what is stored of them, what is left out, and their form in the spool."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.sinks.spooled.pasts import SpooledPasts
from smart_meter_reader.sinks.spooled.rows import MessageRows, RowMaker, StateRow, ValueRow, decode, encode
from tests.history.homes import info, reading, status
from tests.sinks.spooled.driving import T0, past, readings, rows_of

TIMES = st.datetimes(timezones=st.just(UTC))
VALUES = st.builds(
    ValueRow,
    st.text(),
    st.text(),
    st.text(),
    TIMES,
    st.one_of(st.none(), st.decimals(allow_nan=False, allow_infinity=False)),
    st.text(),
)
STATES = st.builds(StateRow, st.text(), TIMES, st.text(), st.text(), st.text())


@given(st.lists(VALUES, max_size=5), st.lists(STATES, max_size=3))
def test_rows_come_back_with_all_their_digits(values: list[ValueRow], states: list[StateRow]) -> None:
    rows = MessageRows(tuple(values), tuple(states))
    again = decode(encode(rows))
    assert again == rows
    assert [str(row.number) for row in again.values] == [str(row.number) for row in values]


@given(st.binary())
def test_what_is_no_rows_is_refused(body: bytes) -> None:
    for each in (body, zlib.compress(body), encode(MessageRows())[:-3] + body):
        try:
            decode(each)
        except ValueError:
            continue
        assert decode(each) == MessageRows()


def test_rows_without_end_are_refused() -> None:
    with pytest.raises(ValueError, match="without an end"):
        decode(zlib.compress(b" " * 20_000_000))


def every(seconds: float) -> RowMaker:
    return RowMaker(timedelta(seconds=seconds))


def test_a_reading_is_one_entry_whose_id_stays() -> None:
    [told] = readings(3, 4)
    [entry], [again] = every(0).entries(told), every(0).entries(told)
    assert entry == again
    assert entry.kind == "heat"
    rows = decode(entry.body).values
    assert {(row.quantity, row.number) for row in rows} == {
        ("heat_energy", Decimal("3.003")),
        ("flow_temperature", Decimal("3.5")),
    }
    assert every(0).entries(info(T0, "1")) == []


def test_one_reading_of_each_meter_in_so_long() -> None:
    maker = every(600)
    told = [
        entry for message in [*readings(0, 60), *readings(0, 60, "other")] for entry in maker.entries(message)
    ]
    assert [entry.id.split()[0] for entry in told] == ["heat"] * 6 + ["other"] * 6


def test_a_value_with_a_time_of_its_own_is_one_row_until_it_changes() -> None:
    maker = every(0)
    found = []
    for second in range(10):
        hour = T0 + 3600 * (second // 5)
        gas = reading(T0 + 7200 + second, {"gas": (f"{second // 5}", "m³")}, "gas", measured_at=hour)
        found += [row for entry in maker.entries(gas) for row in decode(entry.body).values]
    assert [(row.time, row.number) for row in found] == [
        (datetime.fromtimestamp(T0, UTC), Decimal(0)),
        (datetime.fromtimestamp(T0 + 3600, UTC), Decimal(1)),
    ]


def test_a_state_is_stored_when_it_changes() -> None:
    maker = every(0)
    states = [
        status(T0, ""),
        status(T0 + 1, ""),
        status(T0 + 2, "port_absent", state="offline"),
        status(T0 + 3, "port_absent", state="offline"),
        status(T0 + 3, "", "other"),
        status(T0 + 4, ""),
    ]
    found = [row for each in states for entry in maker.entries(each) for row in decode(entry.body).states]
    assert [(row.meter, row.state) for row in found] == [
        ("heat", "online"),
        ("heat", "offline"),
        ("other", "online"),
        ("heat", "online"),
    ]


def test_a_past_becomes_several_entries_with_all_rows() -> None:
    entries = every(3600).entries(past(0, 45))
    assert len(entries) == 3
    assert len({entry.id for entry in entries}) == 3
    found = [row for entry in entries for row in decode(entry.body).values]
    assert len(found) == len(rows_of([past(0, 45)])) == 45


def test_receipts_of_windows_that_come_twice() -> None:
    pasts, receipts = SpooledPasts("x"), Receipts(["x"])
    pasts.receipts = receipts.of("x")
    first, second, third = receipts.issue(), receipts.issue(), receipts.issue()
    pasts.expect(first.key, ["a", "b"])
    pasts.expect(second.key, ["a", "b"])
    pasts.expect(third.key, [])
    assert third.is_safe
    pasts.stored(["a", "unknown"])
    assert [each.is_safe for each in (first, second)] == [False, False]
    pasts.stored(["b"])
    assert [each.is_safe for each in (first, second)] == [True, True]
    fourth = receipts.issue()
    pasts.expect(fourth.key, ["c", "d"])
    pasts.lost(["c"])
    assert fourth.is_lost
    pasts.stored(["d"])
    assert not fourth.is_safe
