"""Log tables of a MULTICAL 66C: KenanV's real dump, whole tables as emulated, and every kind of doubt."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.iec62056_21.log.plans import LOG_PLANS
from smart_meter_reader.codecs.iec62056_21.log.rows import measure_row
from smart_meter_reader.codecs.iec62056_21.log.table import Arrived, LogTable, parse_log
from smart_meter_reader.codecs.iec62056_21.message import ShortLine
from smart_meter_reader.codecs.iec62056_21.scaling import parse_program, scaling_of_program
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.meters.iec62056_21.log.emulated import STARTED, EmulatedCounters, log_lines
from tests.codecs.iec62056_21.captures import capture

COUNTERS = EmulatedCounters(Decimal(507_109), Decimal(1_296_626))
PROGRAM = scaling_of_program(parse_program("44119"))
LOGS = list(LOG_PLANS)


def sent(request: str) -> list[str]:
    return log_lines(request, COUNTERS, STARTED, 60_017)


def parsed(request: str, lines: list[str]) -> LogTable:
    return parse_log(request, [ShortLine(line.encode("latin-1")) for line in lines])


def real(name: str, request: str) -> LogTable:
    *whole, cut = capture(name).split(b"\r")
    arrived: list[Arrived] = [ShortLine(line) for line in whole]
    return parse_log(request, [*arrived, ShortLine(cut, ended=False)])


@pytest.mark.parametrize("request_", LOGS)
def test_a_whole_table_gives_a_row_for_each_line(request_: str) -> None:
    table = parsed(request_, sent(request_))
    assert len(table.lines) == len(sent(request_))
    assert not table.doubts
    moments = [line.moment or datetime.combine(line.day, datetime.min.time()) for line in table.lines]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("request_", LOGS)
def test_a_line_is_as_long_as_its_columns_and_a_table_fills_one_day(request_: str) -> None:
    plan = LOG_PLANS[request_]
    assert len(sent(request_)[1]) + len("\r") == plan.line_length
    assert plan.fills is (request_ != "#J")


def test_real_months() -> None:
    """KenanV/KamstrupMultical66, demo_output.txt (MIT)."""
    table = real("iec-66c-kenanv-5", "#5")
    assert table.customer_no == "00000060017"
    assert len(table.lines) == 22
    assert [doubt.reason for doubt in table.doubts] == ["incomplete"]
    assert table.lines[0].day == date(2017, 9, 30)
    assert measure_row(table, table.lines[0], PROGRAM) == {
        "heat_energy": {"value": Decimal("505.084"), "unit": "MWh"},
        "volume": {"value": Decimal("12914.87"), "unit": "m³"},
        "power_maximum_month": {"value": Decimal("6.9"), "unit": "kW"},
    }


def test_real_days_have_no_third_sensor() -> None:
    table = real("iec-66c-kenanv-6", "#6")
    assert measure_row(table, table.lines[0], PROGRAM) == {
        "flow_temperature_average_day": {"value": Decimal("67.59"), "unit": "°C"},
        "return_temperature_average_day": {"value": Decimal("34.73"), "unit": "°C"},
        "info_code": {"value": Decimal(0), "unit": ""},
    }


def test_real_info_events_are_turned_out_of_their_ring() -> None:
    table = real("iec-66c-kenanv-j", "#J")
    assert [int(line.fields["info"]) for line in table.lines] == [12, 8, 0, 4, 12, 13, 12, 8, 12, 8]
    assert table.lines[-1].moment == datetime(2009, 1, 21, 12, 0, 10)  # noqa: DTZ001 - the meter's own
    # What comes behind the ten is the meter's memory, some of which looks like events.
    (doubt,) = table.doubts
    assert (doubt.number, doubt.reason, doubt.damaged) == (11, "line_count", False)


@pytest.mark.parametrize(("name", "request_"), [("iec-66c-kenanv-8", "#8"), ("iec-66c-kenanv-9", "#9")])
def test_a_real_meter_that_sends_its_memory_gives_no_row(name: str, request_: str) -> None:
    """One of those lines has digits only, and a date at its beginning."""
    assert not real(name, request_).lines


@pytest.mark.parametrize(
    ("begin", "reason", "damaged"),
    [
        ("0171011 00072", "field_count", True),
        ("0171011 0072 ", "field_length", True),
        ("0171011 00:72 ", "non-decimal", False),
        ("0171011 -0072 ", "non-decimal", False),
        ("0171011 000\xb22 ", "non-decimal", False),
        ("0171131 00072 ", "date", False),
        ("1171011 00072 ", "date", False),
        ("0000000 00072 ", "date", False),
        ("0171027 00072 ", "date_order", False),
        ("0090101 00072 ", "date_order", False),
    ],
)
def test_a_doubtful_line_gives_no_row_and_says_why(begin: str, reason: str, damaged: bool) -> None:
    lines = sent("#6")
    whole = "00188 00000 00000 00000 00000 00000 06759 21923 03473 0000000 "
    lines[16] = begin + whole if begin.endswith(" ") else f"{begin} {whole[:-8]}"
    table = parsed("#6", lines)
    assert 17 not in [row.number for row in table.lines]
    told = {doubt.number: doubt for doubt in table.doubts}
    assert (told[17].reason, told[17].damaged) == (reason, damaged)
    # It costs itself, and what it cannot be told from.
    assert told.keys() == ({1, 17} if begin.startswith("0171027") else {17})


def test_doubts_stand_in_the_order_of_the_lines() -> None:
    lines = sent("#6")
    lines[9] = "x"
    lines[3] = lines[4][:7] + lines[3][7:]
    table = parsed("#6", lines)
    assert [(doubt.number, doubt.damaged) for doubt in table.doubts] == [(4, False), (5, False), (10, True)]
    assert table.damaged
    assert table.customer_no == ""


def test_one_line_that_is_none_makes_a_table_of_unknown_columns_no_table() -> None:
    """Of what only width and number of the columns is sure; a line that the way here spoilt says nothing."""
    lines = sent("#8")
    lines[3] = "x"
    assert len(parsed("#8", lines).lines) == len(lines) - 1
    lines[5] = "0171301" + lines[5][7:]
    table = parsed("#8", lines)
    assert not table.lines
    assert [doubt.number for doubt in table.doubts] == list(range(1, len(lines) + 1))
    assert {doubt.reason for doubt in table.doubts} == {"field_count", "date", "no_table"}
    # Where the columns are known, it costs itself.
    months = sent("#5")
    months[5] = "0171301" + months[5][7:]
    assert len(parsed("#5", months).lines) == len(months) - 1


def test_two_months_of_one_date_are_both_doubtful() -> None:
    lines = sent("#5")
    lines[4] = lines[5][:8] + lines[4][8:]
    assert [doubt.number for doubt in parsed("#5", lines).doubts] == [5, 6]


@pytest.mark.parametrize(("column", "name"), [(1, "energy"), (2, "volume")])
def test_a_counter_that_was_higher_before_is_doubtful(column: int, name: str) -> None:
    lines = sent("#5")
    fields = lines[7].split(" ")
    fields[column] = str(int(fields[column]) + 500_000)
    lines[7] = " ".join(f"{text:0>7}" if text else "" for text in fields)
    (doubt,) = parsed("#5", lines).doubts
    assert (doubt.number, doubt.reason) == (8, f"{name}_order")


def test_a_counter_that_began_again_at_zero_is_none_that_fell() -> None:
    old = EmulatedCounters(Decimal(1_000), Decimal(1_296_626))
    lines = [
        " ".join(
            f"{int(text) % 10**7:07d}" if place == 1 else text for place, text in enumerate(line.split(" "))
        )
        for line in log_lines("#8", old, STARTED, 0)
    ]
    assert lines[0].split(" ")[1] != lines[1].split(" ")[1]
    assert int(lines[0].split(" ")[1]) > 9_000_000  # the last month ended before the counter began again
    assert not parsed("#8", lines).doubts


@pytest.mark.parametrize(
    ("older", "fits"),
    [
        (1_000_000, True),  # the very same as the newest
        (1_000_001, False),  # fell
        (6_000_000, False),
        (6_000_001, True),  # by more than half of what seven digits hold: it began again at zero
        (9_999_999, True),
    ],
)
def test_a_counter_far_above_the_newest_is_from_before_it_began_again(older: int, fits: bool) -> None:
    newest, *others = sent("#5")[:3]

    def line(text: str, energy: int) -> str:
        fields = text.split(" ")
        fields[-8] = f"{energy:07d}"
        return " ".join(fields)

    lines = [line(newest, 1_000_000), line(others[0], 1_000_000), line(others[1], older)]
    doubts = [(doubt.number, doubt.reason) for doubt in parsed("#5", lines).doubts]
    assert doubts == ([] if fits else [(3, "energy_order")])


@pytest.mark.parametrize("turned", range(6))
def test_a_ring_is_read_from_wherever_it_begins(turned: int) -> None:
    lines = sent("#J")
    whole = [line.moment for line in parsed("#J", lines).lines]
    ring = lines[turned:] + lines[:turned]
    assert [line.moment for line in parsed("#J", ring).lines] == whole


def test_an_event_out_of_its_place_is_doubtful_alone() -> None:
    lines = sent("#J")
    lines[2] = lines[2].replace("0120040", "0120005")
    table = parsed("#J", lines)
    assert [(doubt.number, doubt.reason) for doubt in table.doubts] == [(3, "date_order")]
    assert len(table.lines) == len(lines) - 1


def test_events_of_one_day_are_told_apart_by_the_second() -> None:
    first, second, *_ = sent("#J")
    later = f"{first[:16]}0120011{first[23:]}"
    same = f"{second[:8]}{first[8:16]}0120010{second[23:]}"
    for lines in ([later, same], [same, later]):
        table = parsed("#J", lines)
        assert [line.moment.second for line in table.lines if line.moment] == [11, 10]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0170928 0233000", "0170929 0001000"),
        ("0170928 0125930", "0170928 0130010"),
        ("0170928 0125930", "0170928 0130000"),
        ("0161231 0235959", "0170101 0000000"),
    ],
)
def test_events_are_in_order_over_the_turn_of_an_hour_and_of_a_day(older: str, newer: str) -> None:
    line = sent("#J")[0]
    lines = [line.replace("0170928 0120020", text) for text in (older, newer)]
    assert lines[0] != line
    table = parsed("#J", lines)
    assert [entry.number for entry in table.lines] == [2, 1]


def test_places_that_were_never_used_are_no_doubt() -> None:
    lines = sent("#6")[:5]
    empty = " ".join("0" * field.width for field in LOG_PLANS["#6"].fields) + " "
    table = parsed("#6", [*lines, *[empty] * 55])
    assert (len(table.lines), table.doubts) == (5, ())


def test_what_came_damaged_keeps_its_place() -> None:
    arrived: list[Arrived] = [ShortLine(line.encode()) for line in sent("#6")]
    arrived[3] = FrameError("parity", "1 of 76 bytes have wrong parity")
    table = parse_log("#6", arrived)
    assert table.damaged
    assert [line.number for line in table.lines][:4] == [1, 2, 3, 5]


@given(
    request_=st.sampled_from(LOGS),
    place=st.integers(0, 9),
    cut=st.integers(0, 70),
    put=st.text(alphabet="0123456789 :;?-", max_size=6),
)
def test_a_line_that_lost_or_got_a_piece_never_becomes_another_one_of_its_width(
    request_: str, place: int, cut: int, put: str
) -> None:
    lines = sent(request_)
    place = min(place, len(lines) - 1)
    before = lines[place]
    lines[place] = before[:cut] + put + before[cut + 1 :]
    table = parsed(request_, lines)
    rows = {row.number: row for row in table.lines}
    doubted = {doubt.number for doubt in table.doubts}
    used = {number for number, line in enumerate(lines, start=1) if line.strip(" 0")}
    assert rows.keys() | doubted >= used
    if len(lines[place].rstrip(" ")) != len(before.rstrip(" ")):
        assert place + 1 not in rows


@given(st.lists(st.binary(max_size=120), max_size=40), st.sampled_from(LOGS))
def test_anything_can_be_parsed(lines: list[bytes], request_: str) -> None:
    table = parse_log(request_, [ShortLine(line) for line in lines])
    assert len(table.lines) <= LOG_PLANS[request_].depth
