"""Where imported readings go: never a negative bar, and what was measured stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_meter_reader.history.exports.csv_text import write_for_machines
from smart_meter_reader.history.exports.lines import Selection, lines
from smart_meter_reader.history.imports.found import ImportOptions, RefusedFileError
from smart_meter_reader.history.questions.bars import bars, total
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import RowOrigin
from smart_meter_reader.history.storage.checking import problems
from tests.history.homes import energy, keep, reading
from tests.history.imports.files import AMSTERDAM, stored, take

T0 = 1_735_689_600
HOUR = 3600


def csv_file(
    path: Path, rows: Sequence[tuple[int, str]], quantity: str = "heat_energy", unit: str = "kWh"
) -> Path:
    """``rows`` as (hours after T0, value)."""
    body = "".join(f"{T0 + hour * HOUR},heat,{quantity},{value},{unit}\n" for hour, value in rows)
    path.write_text(f"time,meter,quantity,value,unit\n{body}")
    return path


def measured(path: Path, first: int = 100, value: int = 500, count: int = 10) -> Path:
    keep(path, [energy(T0 + (first + i) * HOUR, Decimal(value + i)) for i in range(count)])
    return path


def counted(path: Path) -> tuple[int, Decimal | None]:
    """How many parts the counter has, and what they have counted together."""
    with History(path) as history:
        counter = history.counter("heat", "heat_energy")
        found = bars(counter, range(T0 - 100 * HOUR, T0 + 400 * HOUR, 7 * HOUR))
        assert all(bar.difference is None or bar.difference >= 0 for bar in found)
        return len(counter.parts), total(found)


def test_what_rises_to_the_present_device_joins_it(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    taken, _ = take(csv_file(tmp_path / "old.csv", [(0, "400.5"), (50, "450")]), history)
    assert taken.plans[0].devices[-1].segment is not None
    assert counted(history) == (1, Decimal("108.5"))
    with History(history) as opened:
        (segment,) = opened.segments("heat")
        assert segment.since == T0
        (event,) = opened.events(0, 2**40, "heat")
        assert (event.kind, event.text) == ("imported", "2 readings of old.csv")
    assert [origin for *_, origin in stored(history)][:2] == [RowOrigin.IMPORTED] * 2


def test_what_does_not_rise_is_a_device_of_its_own(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    taken, _ = take(csv_file(tmp_path / "old.csv", [(0, "9400.5"), (50, "9450")]), history)
    assert "does not rise" in taken.plans[0].devices[-1].why
    # What the old one has counted, and the new one; nothing between them.
    assert counted(history) == (2, Decimal("49.5") + 9)


def test_one_counter_that_falls_parts_all_of_the_meter(tmp_path: Path) -> None:
    history = tmp_path / "h.sqlite"
    values = {"heat_energy": ("500", "kWh"), "volume": ("3", "m³")}
    keep(history, [reading(T0 + 100 * HOUR, values)])
    file = csv_file(tmp_path / "old.csv", [(0, "400"), (50, "450")])
    with file.open("a") as more:
        more.write(f"{T0},heat,volume,77,m³\n")
    taken, _ = take(file, history)
    assert taken.plans[0].devices[-1].segment is None
    assert len({segment for segment, *_ in stored(history)}) == 2


def test_a_replacement_that_is_told_parts_what_would_rise(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    given = ImportOptions(AMSTERDAM, replaced_at=(T0 + 90 * HOUR,))
    take(csv_file(tmp_path / "old.csv", [(0, "400"), (50, "450")]), history, given)
    assert counted(history) == (2, Decimal(50 + 9))


def test_measured_wins_and_gaps_are_filled(tmp_path: Path) -> None:
    history = tmp_path / "h.sqlite"
    keep(history, [energy(T0, "100"), energy(T0 + HOUR, "101"), energy(T0 + 10 * HOUR, "110")])
    rows = [(0, "100"), (4, "103.5"), (5, "103.5"), (6, "106"), (9, "400")]
    taken, _ = take(csv_file(tmp_path / "old.csv", rows), history)
    (series,) = taken.plans[0].series
    assert (series.stored_already, series.filling, series.contradicting, series.new) == (1, 3, 1, 3)
    before = stored(history)
    assert [value for _, _, value, origin in before if origin == RowOrigin.MEASURED] == [1000, 1010, 1100]
    # The same once more changes nothing.
    taken, _ = take(csv_file(tmp_path / "old.csv", [(0, "100"), (4, "103.5")]), history)
    assert taken.plans[0].new == 0
    assert stored(history) == before


def test_a_value_that_contradicts_what_is_stored_is_counted(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    taken, _ = take(csv_file(tmp_path / "old.csv", [(100, "499"), (101, "501")]), history)
    (series,) = taken.plans[0].series
    assert (series.stored_already, series.differing, series.new) == (2, 1, 0)


def test_what_comes_after_goes_on_unless_the_service_runs(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    file = csv_file(tmp_path / "new.csv", [(200, "600"), (201, "601")])
    soon = datetime.fromtimestamp(T0 + 109 * HOUR + 60, UTC)
    running = csv_file(tmp_path / "soon.csv", [(109, "509"), (110, "510")])
    with pytest.raises(RefusedFileError, match="future"):
        take(running, history, now=soon)
    later = datetime.fromtimestamp(T0 + 110 * HOUR + 60, UTC)
    taken, _ = take(running, history, now=later)
    assert (taken.plans[0].series[0].running, taken.plans[0].new) == (1, 0)
    taken, _ = take(file, history)
    assert taken.plans[0].series[0].later == 2
    assert counted(history) == (1, Decimal(101))


def test_another_size_of_the_unit_is_the_same_counter(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    take(csv_file(tmp_path / "old.csv", [(0, "0.4005"), (50, "0.45")], unit="MWh"), history)
    assert counted(history) == (1, Decimal("108.5"))


def test_a_unit_that_is_no_power_of_ten_is_a_series_of_its_own(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    take(csv_file(tmp_path / "old.csv", [(0, "1.000"), (50, "1.036")], unit="GJ"), history)
    parts, sum_ = counted(history)
    assert (parts, sum_) == (2, Decimal(19))


def test_looking_changes_nothing(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    before = history.read_bytes()
    taken, _ = take(csv_file(tmp_path / "old.csv", [(0, "400")]), history, write=False)
    assert taken.plans[0].new == 1
    assert history.read_bytes() == before
    take(csv_file(tmp_path / "old.csv", [(0, "400")]), tmp_path / "none.sqlite", write=False)
    assert not (tmp_path / "none.sqlite").exists()


def test_a_backup_is_what_was_before(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    before = stored(history)
    taken, _ = take(csv_file(tmp_path / "old.csv", [(0, "400")]), history, backup=True)
    assert taken.backup is not None
    assert stored(taken.backup) == before
    assert taken.backup.stat().st_mode & 0o777 == 0o600
    assert problems(taken.backup) == []


def test_values_that_do_not_fit_leave_nothing_behind(tmp_path: Path) -> None:
    history = tmp_path / "h.sqlite"
    keep(history, [energy(T0 + 100 * HOUR, "123456789012345.1")])
    before = stored(history)
    with pytest.raises(RefusedFileError, match="more digits"):
        take(csv_file(tmp_path / "old.csv", [(0, "1"), (1, "1.123456789")]), history)
    assert stored(history) == before
    with closing(sqlite3.connect(history)) as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)


def test_a_service_that_starts_later_goes_on(tmp_path: Path) -> None:
    history = tmp_path / "h.sqlite"
    take(csv_file(tmp_path / "old.csv", [(0, "400"), (50, "450")]), history)
    keep(history, [energy(T0 + 100 * HOUR, "500")])
    assert counted(history) == (1, Decimal(100))
    with History(history) as opened:
        assert opened.house.zone.key == "Europe/Amsterdam"


def test_what_is_exported_comes_back_as_it_was(tmp_path: Path) -> None:
    history = measured(tmp_path / "h.sqlite")
    with History(history) as opened, (tmp_path / "out.csv").open("wb") as out:
        write_for_machines(out, lines(opened, Selection(None)), opened.house)
    other = tmp_path / "other.sqlite"
    take(tmp_path / "out.csv", other)
    assert [row[1:3] for row in stored(other)] == [row[1:3] for row in stored(history)]


@given(
    have=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 50)), min_size=1, max_size=12),
    come=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 50)), min_size=1, max_size=12),
    start=st.integers(0, 300),
    replaced=st.lists(st.integers(0, 200), max_size=2, unique=True),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_no_bar_is_negative_and_what_was_measured_stays(
    tmp_path: Path,
    have: list[tuple[int, int]],
    come: list[tuple[int, int]],
    start: int,
    replaced: list[int],
) -> None:
    history = tmp_path / "h.sqlite"
    for each in tmp_path.iterdir():
        each.unlink()
    keep(history, [energy(T0 + hour * HOUR, value) for hour, value in _risen(have, 200)])
    before = [row for row in stored(history) if row[3] == RowOrigin.MEASURED]
    file = csv_file(tmp_path / "old.csv", [(hour, str(value)) for hour, value in _risen(come, start)])
    given = ImportOptions(AMSTERDAM, replaced_at=tuple(sorted(T0 + hour * HOUR for hour in replaced)))
    take(file, history, given)
    counted(history)
    assert [row[1:] for row in stored(history) if row[3] == RowOrigin.MEASURED] == [row[1:] for row in before]
    with History(history) as opened:
        counter = opened.counter("heat", "heat_energy")
        for part in counter.parts:
            samples = list(counter.samples(part, -(2**62), 2**62))
            assert all(one.value <= other.value for one, other in pairwise(samples))
    assert problems(history) == []


def _risen(steps: list[tuple[int, int]], start: int) -> list[tuple[int, Decimal]]:
    """Rising values at rising hours."""
    value, found = start, {}
    for hour, step in sorted(dict(steps).items()):
        value += step
        found[hour] = Decimal(value)
    return list(found.items())
