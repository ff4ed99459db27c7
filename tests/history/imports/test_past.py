"""What a meter's own memory told goes among what was measured: nothing falls, nothing is doubled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.history.imports.past import TakenPast, take_past
from smart_meter_reader.history.questions.bars import bars, total
from smart_meter_reader.history.questions.gaps import gaps
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import STOPPED, EventRow, RowOrigin
from smart_meter_reader.history.storage.rules import broken_rules
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message, Past
from tests.history.homes import energy, info, keep, reading, status

HOUR = 3600
DAY = 86400
T0 = int(datetime(2026, 1, 10, tzinfo=UTC).timestamp())


def past(
    rows: Iterable[tuple[int, str]],
    *,
    serial: str = "",
    logger: str = "hour",
    key: str = "heat_energy",
    unit: str = "kWh",
) -> Past:
    """Rows of one quantity as (time, value)."""
    told: Past = {
        "type": "past",
        "meter": "heat",
        "time": datetime.fromtimestamp(T0 + 100 * DAY, UTC),
        "logger": logger,
        "rows": tuple(
            {
                "measured_at": datetime.fromtimestamp(time, UTC),
                "measurements": {key: {"value": Decimal(value), "unit": unit}},
            }
            for time, value in rows
        ),
    }
    if serial:
        told["serial_number"] = serial
    return told


def hours(since: int, until: int, first: int = 0) -> list[tuple[int, str]]:
    """A row each hour from T0 + since to T0 + until, rising by 1."""
    return [(T0 + n * HOUR, str(first + n)) for n in range(since, until + 1)]


def take(path: Path, *pasts: Past) -> list[TakenPast | None]:
    store = Store(path)
    store.open()
    taken = [store.transact(partial(take_past, past=each)) for each in pasts]
    store.close()
    assert broken_rules(path, T0 + 100 * DAY) == []
    return taken


def stored(path: Path, quantity: str = "heat_energy") -> list[tuple[int, str, str]]:
    """What is stored as (hours since T0, value, origin)."""
    with closing(History(path)) as history:
        counter = history.counter("heat", quantity)
        return [
            (
                (sample.time - T0) // HOUR,
                str(Decimal(sample.value).scaleb(-part.decimals)),
                RowOrigin(sample.origin).word,
            )
            for part in counter.parts
            for sample in counter.samples(part, part.first.time, part.last.time)
        ]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Read each hour until hour 10, and again from hour 82 on; in between the service was stopped."""
    path = tmp_path / "home.sqlite"
    before: list[Message] = [info(T0, "1"), *(energy(T0 + n * HOUR, str(n)) for n in range(11))]
    store = keep(path, before)
    store.open()
    store.write([EventRow("", T0 + 10 * HOUR + 60, STOPPED, "the service was stopped")])
    store.close()
    keep(path, [info(T0 + 82 * HOUR, "1"), *(energy(T0 + n * HOUR, str(n)) for n in range(82, 90))])
    return path


def test_an_outage_is_filled_and_every_bar_exact(home: Path) -> None:
    edges = [T0 + n * HOUR for n in range(90)]
    with closing(History(home)) as history:
        before = bars(history.counter("heat", "heat_energy"), edges)
        (gap,) = gaps(history, "heat", "heat_energy", T0, T0 + 90 * HOUR)
    assert sum(bar.estimated for bar in before) == 72
    assert (gap.filled, gap.reason) == (False, STOPPED)
    assert take(home, past(hours(5, 85), serial="1")) == [TakenPast(new=71, there=10)]
    with closing(History(home)) as history:
        after = bars(history.counter("heat", "heat_energy"), edges)
        (gap,) = gaps(history, "heat", "heat_energy", T0, T0 + 90 * HOUR)
    assert not any(bar.estimated for bar in after)
    assert {bar.difference for bar in after} == {Decimal(1)}
    assert total(after) == total(before)
    assert [bar.origin for bar in after] == [
        RowOrigin.LOGGER if 10 <= n <= 81 else RowOrigin.MEASURED for n in range(89)
    ]
    assert (gap.begin, gap.end, gap.reason) == (T0 + 10 * HOUR, T0 + 82 * HOUR, STOPPED)
    assert gap.filled
    with closing(History(home)) as history:
        assert gaps(history, "heat", "heat_energy", T0 + 40 * HOUR, T0 + 41 * HOUR) == [gap]
    assert gap.text == "the service was stopped; filled from the meter's own memory"


@pytest.mark.parametrize("beside", [-1, -100, -899, 1, 100, 899])
def test_a_reading_some_minutes_from_a_full_hour_does_not_take_its_place(tmp_path: Path, beside: int) -> None:
    """The hour's own value is what makes the bars on both sides of it exact."""
    path, last = tmp_path / "home.sqlite", T0 + 10 * HOUR + beside
    keep(path, [info(T0, "1"), energy(T0, "0"), energy(last, "1009" if beside < 0 else "1011")])
    keep(path, [info(T0 + 20 * HOUR, "1"), energy(T0 + 20 * HOUR, "2000")])
    window = past([(T0 + n * HOUR, str(100 * n + (10 if n == 10 else 0))) for n in range(5, 16)])
    assert take(path, window, window) == [TakenPast(new=11), TakenPast(there=11)]
    with closing(History(path)) as history:
        told = bars(history.counter("heat", "heat_energy"), [T0 + n * HOUR for n in (9, 10, 11)])
    assert [bar.difference for bar in told] == [Decimal(110), Decimal(90)]


def test_the_same_rows_again_change_nothing(home: Path) -> None:
    window = past(hours(5, 85), serial="1")
    take(home, window)
    first = stored(home)
    assert take(home, window, past(hours(40, 70))) == [TakenPast(there=81), TakenPast(there=31)]
    assert stored(home) == first


def test_windows_in_any_order_fill_the_same(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(home.read_bytes())
    take(home, past(hours(5, 85)))
    take(other, past(hours(60, 85)), past(hours(5, 40)), past(hours(30, 65)))
    assert stored(other) == stored(home)


def test_what_would_fall_is_left_out_and_counted(home: Path) -> None:
    rows = [(T0 + 20 * HOUR, "9"), (T0 + 30 * HOUR, "83"), (T0 + 40 * HOUR, "40"), (T0 + 50 * HOUR, "39")]
    assert take(home, past(rows)) == [TakenPast(new=1, refused=3)]
    assert (50, "39", "logger") in stored(home)


def test_measured_rows_stay_where_both_tell_of_one_time(home: Path) -> None:
    assert take(home, past([(T0 + 5 * HOUR, "5.5"), (T0 + 6 * HOUR, "6")])) == [TakenPast(there=1, refused=1)]
    assert stored(home)[5:7] == [(5, "5", "measured"), (6, "6", "measured")]


def test_rows_before_the_first_reading_let_the_device_begin_earlier(home: Path) -> None:
    days = [(T0 - n * DAY, str(-n)) for n in range(30, 0, -1)]
    plain = [(time, str(1000 + int(value))) for time, value in days]
    assert take(home, past(plain, logger="day")) == [TakenPast(refused=30)], "more than it shows now"
    assert take(home, past([(time, "0") for time, _ in days], logger="day")) == [TakenPast(new=30)]
    with closing(History(home)) as history:
        (device,) = history.segments("heat")
        assert device.since == T0 - 30 * DAY
        (bar,) = bars(history.counter("heat", "heat_energy"), [T0 - 30 * DAY, T0])
    assert (bar.difference, bar.complete, bar.origin) == (Decimal(0), True, RowOrigin.LOGGER)


def test_rows_newer_than_all_that_is_stored_go_on(home: Path) -> None:
    assert take(home, past(hours(88, 95))) == [TakenPast(new=6, there=2)]
    keep(home, [energy(T0 + 96 * HOUR, "96")])
    assert [hour for hour, _, _ in stored(home)[-3:]] == [94, 95, 96]


def test_a_counter_that_was_not_read_until_now_is_stored(home: Path) -> None:
    rows = [(T0 + n * HOUR, f"{n}.5") for n in range(20, 24)]
    assert take(home, past(rows, key="volume", unit="m³")) == [TakenPast(new=4)]
    assert stored(home, "volume")[0] == (20, "20.5", "logger")


def test_of_rows_that_are_close_one_in_a_quarter_is_stored(home: Path) -> None:
    minutes = [(T0 + 20 * HOUR + n * 300, f"20.{n:02}") for n in range(12)]
    taken = take(home, past(minutes, logger="minutes"))
    assert taken == [TakenPast(new=4)]
    assert take(home, past(minutes, logger="minutes")) == [TakenPast(there=4)]


def test_rows_of_another_device_are_not_taken(home: Path, tmp_path: Path) -> None:
    before = stored(home)
    assert take(home, past(hours(20, 30), serial="2")) == [None]
    assert stored(home) == before
    empty = tmp_path / "empty.sqlite"
    assert take(empty, past(hours(20, 30), serial="2")) == [None], "no reading has told that it is there"


def test_a_new_meter_brings_no_more_than_the_time_since_the_old_one(home: Path) -> None:
    swapped: Sequence[Message] = [
        status(T0 + 100 * HOUR, "meter_replaced"),
        info(T0 + 100 * HOUR, "2"),
        energy(T0 + 100 * HOUR, "60"),
    ]
    keep(home, swapped)
    assert take(home, past(hours(80, 99, first=-50), serial="2")) == [TakenPast(new=10, refused=10)]
    with closing(History(home)) as history:
        assert [device.since for device in history.segments("heat")] == [T0, T0 + 90 * HOUR]


def test_gauges_of_hours_that_nobody_saw(home: Path) -> None:
    rows = [(T0 + n * HOUR, f"{n}.5") for n in range(88, 95)]
    warm = reading(T0 + 90 * HOUR, {"flow_temperature": ("70.0", "°C")})
    keep(home, [warm])
    window = past(rows, key="flow_temperature", unit="°C")
    for _ in range(2):
        assert take(home, window) == [TakenPast()]
    with closing(History(home)) as history:
        spread = history.spreads("heat", "flow_temperature", [T0 + n * HOUR for n in range(88, 96)])
    assert [(each.n, each.mean) for each in spread][1:4] == [
        (1, Decimal("89.50")),
        (1, Decimal("70.00")),
        (1, Decimal("91.50")),
    ]
    days = past([(T0, "50.0")], key="flow_temperature", unit="°C", logger="day")
    assert take(home, days) == [TakenPast()]


def test_months_say_nothing_sure_of_their_days(tmp_path: Path) -> None:
    path = tmp_path / "home.sqlite"
    keep(path, [energy(T0 + n * HOUR, "900") for n in range(5)])
    ends = [int(datetime(2025, month, 1, tzinfo=UTC).timestamp()) for month in range(1, 13)]
    take(path, past([(time + 4, str(n * 50)) for n, time in enumerate(ends)], logger="month"))
    with closing(History(path)) as history:
        counter = history.counter("heat", "heat_energy")
        by_month = bars(counter, ends[1:])
        by_day = bars(counter, [ends[3] + n * DAY for n in range(1, 20)])
    assert not any(bar.estimated for bar in by_month)
    assert all(bar.estimated for bar in by_day)


@given(
    rows=st.lists(st.tuples(st.integers(-40, 120), st.integers(0, 120)), max_size=12),
    cuts=st.lists(st.integers(0, 11), max_size=4),
)
def test_whatever_is_told_nothing_falls_and_what_was_measured_stays(
    rows: list[tuple[int, int]], cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "home.sqlite"
    keep(path, [energy(T0 + n * HOUR, str(n)) for n in (0, 1, 2, 50, 51, 80)])
    measured = stored(path)
    told = sorted({T0 + hour * HOUR: str(value) for hour, value in rows}.items())
    edges = [0, *sorted(cuts), len(told)]
    windows = [past(told[a:b]) for a, b in pairwise(min(cut, len(told)) for cut in edges)]
    first = take(path, *windows)
    after = stored(path)
    assert [row for row in after if row[2] == "measured"] == measured
    values = [Decimal(value) for _, value, _ in after]
    assert values == sorted(values)
    assert sum(each.new + each.there + each.refused for each in first if each) == len(told)
    take(path, *windows)
    assert stored(path) == after
