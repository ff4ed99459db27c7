"""What a meter's info logger told becomes events: exact, each once, in whatever order all of it comes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from smart_meter_reader.history.imports.past import TakenPast, take_past
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import CLEARED, RAISED
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message, Past, PastRow, Reading
from smart_meter_reader.quantities.measurement import Measurement
from tests.history.homes import energy, info, keep, status

HOUR = 3600
T0 = int(datetime(2026, 1, 10, tzinfo=UTC).timestamp())
ENTRIES = Sequence[tuple[int, str]]  # seconds since T0, and what is reported from then on


def past(entries: ENTRIES, *, before: str | None = None, serial: str = "1", counts: bool = False) -> Past:
    rows: list[PastRow] = []
    for at, text in entries:
        measured: dict[str, Measurement] = {"info_code_text": {"value": text, "unit": ""}}
        if counts:
            measured["heat_energy"] = {"value": Decimal(at) / HOUR, "unit": "kWh"}
        rows.append({"measured_at": datetime.fromtimestamp(T0 + at, UTC), "measurements": measured})
    told: Past = {
        "type": "past",
        "meter": "heat",
        "time": datetime.fromtimestamp(T0 + 1000 * HOUR, UTC),
        "logger": "info",
        "serial_number": serial,
        "rows": tuple(rows),
    }
    if before is not None:
        told["reported_before"] = before
    return told


def shown(at: int, text: str) -> Reading:
    """A reading, which has the counter as well."""
    message = energy(T0 + at, str(at // 60))
    message["measurements"]["info_code_text"] = {"value": text, "unit": ""}
    return message


def bring(path: Path, *told: Past | Reading) -> list[TakenPast | None]:
    """All of it, one after the other, as the sink does: what was measured is written before a past."""
    taken = []
    for each in told:
        if each["type"] == "reading":
            keep(path, [each])
        else:
            store = Store(path)
            store.open()
            taken.append(store.transact(partial(take_past, past=each)))
            store.close()
    return taken


def events(path: Path) -> list[tuple[int, str, str]]:
    with closing(History(path)) as history:
        found = history.events(0, T0 + 10_000 * HOUR)
    return [
        (each.time - T0, "+" if each.kind == RAISED else "-", each.text.partition(": ")[2])
        for each in found
        if each.kind in (RAISED, CLEARED)
    ]


def home(directory: Path) -> Path:
    path = directory / "home.sqlite"
    keep(path, [info(T0 - HOUR, "1"), energy(T0 - HOUR, "0")])
    return path


ENTRY_TIMES: ENTRIES = [(100, "air"), (200, "air; battery"), (300, "battery"), (400, "none")]
EXACT = [(100, "+", "air"), (200, "+", "battery"), (300, "-", "air"), (400, "-", "battery")]


def test_each_change_is_an_event_at_its_own_time(tmp_path: Path) -> None:
    path = home(tmp_path)
    assert bring(path, past(ENTRY_TIMES)) == [TakenPast(new=4)]
    assert events(path) == EXACT
    assert bring(path, past(ENTRY_TIMES)) == [TakenPast(there=4)]
    assert bring(path, past(ENTRY_TIMES[1:3], before="air")) == [TakenPast(there=2)]
    assert events(path) == EXACT


def test_the_counters_beside_the_code_are_stored_too(tmp_path: Path) -> None:
    path = home(tmp_path)
    assert bring(path, past([(1800, "air"), (3600, "none")], counts=True)) == [TakenPast(new=4)]
    with closing(History(path)) as history:
        counter = history.counter("heat", "heat_energy")
        assert [sample.time - T0 for sample in counter.samples(counter.parts[0], T0, T0 + 2 * HOUR)] == [
            1800,
            3600,
        ]


def test_what_a_reading_showed_gives_way_to_the_exact_time(tmp_path: Path) -> None:
    path = home(tmp_path)
    bring(path, shown(3600, "air; battery"), shown(7200, "battery; leak"))
    assert events(path) == [(3600, "+", "air; battery"), (7200, "-", "air"), (7200, "+", "leak")]
    bring(path, past([(100, "air"), (3500, "air; battery"), (5000, "battery")], before="none"))
    assert events(path) == [
        (100, "+", "air"),
        (3500, "+", "battery"),
        (5000, "-", "air"),
        (7200, "+", "leak"),  # of which the logger knows nothing yet
    ]
    # What holds is not raised again by the next readings, and after a restart neither.
    bring(path, shown(9000, "battery; leak"), past([(7000, "battery; leak")], before="battery"))
    assert events(path)[-1] == (7000, "+", "leak")


def test_a_reading_just_before_the_meters_clock_says_so_is_the_same(tmp_path: Path) -> None:
    path = home(tmp_path)
    bring(path, shown(3600, "air"), past([(3620, "air"), (3700, "none")], before="none"))
    assert events(path) == [(3620, "+", "air"), (3700, "-", "air")]
    bring(path, shown(3800, "none"))
    assert events(path) == [(3620, "+", "air"), (3700, "-", "air")]


def test_of_another_device_nothing_is_told_before_it_came(tmp_path: Path) -> None:
    path = home(tmp_path)
    swapped: list[Message] = [
        energy(T0 + 10 * HOUR, "10"),
        status(T0 + 20 * HOUR, "meter_replaced"),
        info(T0 + 20 * HOUR, "2"),
        energy(T0 + 20 * HOUR, "60"),
    ]
    keep(path, swapped)
    entries = [(5 * HOUR, "air"), (15 * HOUR, "air; battery"), (16 * HOUR, "none")]
    assert bring(path, past(entries, serial="2"), past(entries)) == [TakenPast(new=2), None]
    assert events(path) == [(15 * HOUR, "+", "battery"), (16 * HOUR, "-", "air; battery")]


def test_where_nobody_knows_what_was_before_it_is_what_is_stored(tmp_path: Path) -> None:
    path = home(tmp_path)
    bring(path, shown(50, "air"), past([(100, "battery")]))
    assert events(path) == [(50, "+", "air"), (100, "-", "air"), (100, "+", "battery")]


TEXTS = st.sampled_from(["none", "air", "battery", "air; battery"])


@st.composite
def lives(draw: st.DrawFn) -> tuple[ENTRIES, list[Past | Reading]]:
    """What a meter reports, and all that is told of it: readings in their order, windows in any, some twice.

    Both are mixed in any way, but that a window comes after the readings that were taken before its end.
    """
    times = sorted(draw(st.sets(st.integers(1, 400), min_size=1, max_size=12)))
    entries: list[tuple[int, str]] = []
    for at in times:
        text = draw(TEXTS)
        if text != (entries[-1][1] if entries else "none"):
            entries.append((at * 100, text))
    readings: list[tuple[int, Reading]] = []
    for at in sorted(draw(st.sets(st.integers(0, 420), max_size=8))):
        texts = [text for time, text in entries if time <= at * 100 + 50]
        readings.append((at * 100 + 50, shown(at * 100 + 50, texts[-1] if texts else "none")))
    windows: list[tuple[int, Past]] = []
    begin = 0
    while begin < len(entries):
        end = begin + draw(st.integers(1, 5))
        before = entries[begin - 1][1] if begin else "none"
        windows.append((entries[begin:end][-1][0], past(entries[begin:end], before=before)))
        begin = end
    windows += draw(st.lists(st.sampled_from(windows), max_size=2)) if windows else []
    windows = draw(st.permutations(windows))
    told: list[Past | Reading] = []
    while readings or windows:
        early = bool(readings and windows and readings[0][0] < windows[0][0])
        if readings and (early or not windows or draw(st.booleans())):
            told.append(readings.pop(0)[1])
        else:
            told.append(windows.pop(0)[1])
    return entries, told


@settings(deadline=None, max_examples=40)
@given(lives())
def test_in_any_order_and_again_each_change_is_there_once_and_exactly(
    life: tuple[ENTRIES, list[Past | Reading]],
) -> None:
    entries, told = life
    expected, before = [], set[str]()
    for at, text in entries:
        now = set() if text == "none" else set(text.split("; "))
        expected += [(at, "-", each) for each in sorted(before - now)]
        expected += [(at, "+", each) for each in sorted(now - before)]
        before = now
    with TemporaryDirectory() as directory:
        path = home(Path(directory))
        bring(path, *told)
        found = [(at, kind, each) for at, kind, text in events(path) for each in sorted(text.split("; "))]
    assert sorted(found) == sorted(expected)
