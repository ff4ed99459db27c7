"""Curves of single readings: what the ring holds, thinned without losing a peak."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.history.storage.raw import BlockWriter
from smart_meter_reader.history.storage.raw_columns import waiting
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Reading
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.sinks.web.questions import QuestionError, Questions
from smart_meter_reader.sinks.web.questions.recent import thinned
from tests.history.homes import reading
from tests.sinks.web.questions.asking import ask, at, home

NOW = "2026-03-10T18:00"


def kept(path: Path, blocks: Iterable[Iterable[Reading]]) -> Path:
    """A home with a ring of these readings, block by block."""
    home(path, [])
    store = Store(path, path.with_suffix(".recent"), 31 * 86400)
    store.open()
    for block in blocks:
        writer = BlockWriter()
        for each in block:
            writer.add(each["time"], each["measurements"])
        store.write([], [writer.finish("power")])
    store.close()
    return path


def power(time: int, value: str, **others: str) -> Reading:
    values = {"active_power_import": (value, "kW")} | {key: (each, "W") for key, each in others.items()}
    return reading(time, values, "power")


def test_readings_come_as_columns(tmp_path: Path) -> None:
    begin = at("2026-03-10T17:00")
    first = [power(begin - 10, "9"), power(begin, "0.250"), power(begin + 10, "0.3", volume_flow="7")]
    path = kept(tmp_path / "h", [first, [power(begin + 900, "1.25", active_power_export="80")]])
    told = ask(path, "recent", NOW, meter="power")
    assert [(each["quantity"], each["unit"]) for each in told["series"]] == [
        ("active_power_import", "kW"),
        ("active_power_export", "W"),
        ("volume_flow", "W"),
    ]
    assert told["times"] == [begin, begin + 10, begin + 900]
    assert [str(each) for each in told["values"][0]] == ["0.250", "0.300", "1.250"]
    assert told["values"][1:] == [[None, None, 80], [None, 7, None]]
    assert told["readings"] == 3


def test_what_is_asked_for_is_told_in_that_order(tmp_path: Path) -> None:
    begin = at("2026-03-10T17:00")
    path = kept(tmp_path / "h", [[power(begin, "1", voltage_l1="230", power_factor="1")]])
    told = ask(path, "recent", NOW, meter="power", quantities="voltage_l1, active_power_import,nothing")
    assert [each["quantity"] for each in told["series"]] == ["voltage_l1", "active_power_import"]
    without = ask(path, "recent", "2026-03-12T00:00", meter="power")
    assert (without["series"], without["times"], without["values"]) == ([], [], [])


def test_a_meter_without_usual_curves_shows_what_it_has(tmp_path: Path) -> None:
    path = kept(tmp_path / "h", [[reading(at("2026-03-10T17:30"), {"gas_volume": ("5.1", "m³")}, "power")]])
    told = ask(path, "recent", NOW, meter="power")
    assert [each["name"] for each in told["series"]] == ["Gas volume"]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (("import", "export", "net"), ["active_power_import", "active_power_export"]),
        (("import", "net"), ["active_power_import", "active_power_net"]),
        (("net",), ["active_power_net"]),
    ],
)
def test_net_power_is_no_third_curve(tmp_path: Path, told: tuple[str, ...], shown: list[str]) -> None:
    values = {f"active_power_{way}": ("1.5", "kW") for way in told}
    path = kept(tmp_path / "h", [[reading(at("2026-03-10T17:30"), values, "power")]])
    answer = ask(path, "recent", NOW, meter="power")
    assert [each["quantity"] for each in answer["series"]] == shown


def test_times_rise_though_the_clock_was_set_back(tmp_path: Path) -> None:
    begin = at("2026-03-10T17:00")
    late, early = (
        [power(begin + 600, "1"), power(begin + 700, "2")],
        [power(begin + 100, "3"), power(begin + 650, "4")],
    )
    told = ask(kept(tmp_path / "h", [late, early]), "recent", NOW, meter="power")
    assert told["times"] == [begin + 100, begin + 600, begin + 650, begin + 700]
    assert told["values"] == [[3, 1, 4, 2]]


def test_a_home_without_a_ring_has_no_curves(tmp_path: Path) -> None:
    told = ask(home(tmp_path / "h", []), "recent", NOW, meter="power")
    assert told == {"meter": "power", "series": [], "times": [], "values": [], "readings": 0}


def test_a_peak_of_one_second_is_not_lost(tmp_path: Path) -> None:
    begin = at("2026-03-10T17:00")
    readings = [power(begin + each, "11.5" if each == 1234 else f"0.{each % 7}") for each in range(3600)]
    path = kept(tmp_path / "h", [readings[:1800], readings[1800:]])
    told = ask(path, "recent", NOW, meter="power", points="100")
    assert told["readings"] == 3600
    assert 50 <= len(told["times"]) <= 100
    assert max(told["values"][0]) == Decimal("11.5")
    assert begin + 1234 in told["times"]


@given(
    st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=200),
    st.integers(2, 50),
    st.data(),
)
def test_thinning_keeps_the_lowest_and_the_highest(
    values: list[int | None], most: int, data: st.DataObject
) -> None:
    steps = data.draw(st.lists(st.integers(1, 1000), min_size=len(values), max_size=len(values)))
    times = [sum(steps[: row + 1]) for row in range(len(values))]
    rows = thinned(times, [values], most)
    assert rows == sorted(set(rows))
    assert len(rows) <= most
    known = [value for value in values if value is not None]
    shown = [value for row in rows if (value := values[row]) is not None]
    assert [min(shown, default=None), max(shown, default=None)] == [
        min(known, default=None),
        max(known, default=None),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "meter: missing"),
        ({"meter": "power", "minutes": "0"}, "minutes: found '0'; allowed: a whole number from 1 to 2880"),
        ({"meter": "power", "points": "1_000"}, "points: found '1_000'"),
        ({"meter": "power", "until": "now"}, "until: found 'now'; write a time as"),
        ({"meter": "power", "quantities": "a,b,c,d,e,f,g"}, "quantities: 7 are asked for"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence(tmp_path: Path, words: dict[str, str], said: str) -> None:
    with pytest.raises(QuestionError) as refused:
        ask(home(tmp_path / "h", []), "recent", NOW, **words)
    assert said in refused.value.detail


def test_what_waits_in_memory_is_told_too(tmp_path: Path) -> None:
    begin = at("2026-03-10T17:00")
    path = kept(tmp_path / "h", [[power(begin, "1.00", volume_flow="5")]])
    writer = BlockWriter()
    for each in (
        power(begin + 900, "2.000"),
        power(begin + 910, "2.5"),
        power(begin + 920, "3", volume_flow="7"),
    ):
        writer.add(each["time"], each["measurements"])
    gathered = writer.finish("power")
    writer.add(*_taken(power(begin + 1800, "4")))

    def asked(**words: str) -> dict[str, Any]:
        questions = Questions(
            path,
            path.with_suffix(".recent"),
            clock=lambda: at(NOW),
            unwritten=lambda meter, wanted: waiting([gathered], writer, meter, wanted),
        )
        return questions.ask("recent", {"meter": "power", **words})

    told = asked()
    assert told["times"] == [begin, begin + 900, begin + 910, begin + 920, begin + 1800]
    assert told["values"] == [[1, 2, Decimal("2.5"), 3, 4], [5, None, None, 7, None]]
    assert asked(quantities="volume_flow")["values"] == [[5, None, None, 7, None]]
    # Asking takes nothing away: the block is written whole.
    assert len(writer) == 1


def _taken(each: Reading) -> tuple[datetime, Mapping[str, Measurement]]:
    return each["time"], each["measurements"]


def test_a_quantity_that_changes_its_unit_is_drawn_in_the_newest(tmp_path: Path) -> None:
    begin = at("2026-03-10T17:00")
    path = kept(
        tmp_path / "h",
        [
            [reading(begin, {"power": ("1200", "W")}, "power")],
            [
                reading(begin + 900, {"power": ("1.3", "kW")}, "power"),
                reading(begin + 901, {"power": ("1.345", "kW")}, "power"),
            ],
        ],
    )
    told = ask(path, "recent", NOW, meter="power")
    assert told["series"][0]["unit"] == "kW"
    assert told["values"] == [[None, Decimal("1.3"), Decimal("1.345")]]


def test_a_damaged_block_is_passed_over(tmp_path: Path) -> None:
    begin = at("2026-03-10T17:00")
    path = kept(tmp_path / "h", [[power(begin, "1")], [power(begin + 900, "2")]])
    with closing(sqlite3.connect(path.with_suffix(".recent"))) as connection:
        connection.execute("UPDATE raw SET coded = x'00' WHERE id = 1")
        connection.commit()
    assert ask(path, "recent", NOW, meter="power")["values"] == [[2]]
