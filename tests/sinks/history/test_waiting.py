"""What goes first when there is no room for what waits."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from smart_meter_reader.history.rows import CounterRow, RestartRow, Row, SegmentRow
from smart_meter_reader.history.storage.raw import Block
from smart_meter_reader.sinks.history.waiting import drop_first, drop_oldest


def counter(time: int) -> CounterRow:
    return CounterRow("heat", "heat_energy", "kWh", time, Decimal(time))


def test_another_device_is_not_forgotten_with_its_first_readings() -> None:
    marks: list[Row] = [
        SegmentRow("heat", 3, "2", "another one"),
        RestartRow("heat", "heat_energy", "kWh", 5, None),
    ]
    rows = deque([counter(1), counter(2), marks[0], counter(3), marks[1], counter(6), counter(7)])
    assert drop_oldest(rows, 4) == 3
    assert list(rows) == [*marks, counter(6), counter(7)]
    assert drop_oldest(rows, 4) == 0


def test_there_is_an_end_to_what_is_kept() -> None:
    marks: list[Row] = [SegmentRow("heat", time, "", "") for time in range(9)]
    rows = deque(marks)
    assert drop_oldest(rows, 4) == 5
    assert list(rows) == marks[5:]


def test_of_too_many_blocks_the_oldest_go_and_are_counted() -> None:
    blocks = deque(Block("heat", number, number, b"") for number in range(5))
    assert drop_first(blocks, 3) == 2
    assert [block.since for block in blocks] == [2, 3, 4]
    assert drop_first(blocks, 3) == 0
