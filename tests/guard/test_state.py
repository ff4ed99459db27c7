"""The guard's memory on disk: written whole and seldom, and any trouble with it is told and survived."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_meter_reader.guard import state as guard_state
from smart_meter_reader.guard.guard import Guard, MeterPolicy
from smart_meter_reader.guard.rules import Total
from smart_meter_reader.guard.state import StateFile, state_path
from smart_meter_reader.messages import Reading

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def reading(value: str) -> Reading:
    return {
        "type": "reading",
        "meter": "heat",
        "time": NOON,
        "measurements": {"heat_energy": {"value": Decimal(value), "unit": "GJ"}},
    }


def guard_at(value: str) -> Guard:
    guard = Guard({"heat": MeterPolicy(origin="port")})
    guard.check(reading(value))
    return guard


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    guard = guard_at("227.4450")
    StateFile(tmp_path / "new" / "state.json").save(guard)
    loaded = StateFile(tmp_path / "new" / "state.json").load()
    assert loaded == guard.memory()
    assert str(loaded["heat"].totals["heat_energy"].value) == "227.4450", "to the last digit"
    assert (tmp_path / "new" / "state.json").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["state.json"], "nothing is left beside it"


def test_no_file_is_no_trouble(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert StateFile(tmp_path / "state.json").load() == {}
    assert caplog.records == []


def test_only_changes_are_written(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    guard, file = guard_at("1.00"), StateFile(path)
    file.save(guard)
    path.unlink()
    guard.check(reading("1.00"))
    file.save(guard)
    assert not path.exists()
    guard.check(reading("1.01"))
    file.save(guard)
    assert path.exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 2, "meters": {}}',
        '{"version": 1}',
        '{"version": 1, "meters": {"heat": 3}}',
        '{"version": 1, "meters": {"heat": {"origin": "", "serials": {}, "totals": {"heat_energy": {}}}}}',
        '{"version": 1, "meters": {"heat": {"origin": "", "serials": {}, "totals": {"heat_energy": {'
        '"value": "1", "unit": "GJ", "time": "9999-12-31T23:59:59-05:00"}}}}}',
        "[" * 100_000,
        "9" * 100_000,
    ],
)
def test_a_damaged_file_is_told_kept_and_replaced(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    file = StateFile(path)
    assert file.load() == {}
    (record,) = caplog.records
    assert "is damaged" in record.message
    assert (tmp_path / "state.damaged").read_text() == content
    file.save(guard_at("1.00"))
    assert "heat" in StateFile(path).load()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("value", "NaN"),
        ("value", "1E+999999"),
        ("value", "1E+16"),
        ("unit", "\ud800"),
        ("value", "twelve"),
        ("value", 12),
        ("time", "2026-01-01T12:00:00"),
        ("time", "0001-01-01T00:00:00+23:59"),
        ("time", "yesterday"),
        ("unit", None),
    ],
)
def test_a_total_that_cannot_be_damages_the_file(key: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    StateFile(path).save(guard_at("1.00"))
    content = json.loads(path.read_text())
    content["meters"]["heat"]["totals"]["heat_energy"][key] = value
    path.write_text(json.dumps(content))
    assert StateFile(path).load() == {}


def test_a_file_that_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    obstacle = tmp_path / "obstacle"
    obstacle.write_text("a file where a directory is needed")
    guard, file = guard_at("1.00"), StateFile(obstacle / "state.json")
    for value in ("1.01", "1.02"):
        guard.check(reading(value))
        file.save(guard)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"cannot write {obstacle / 'state.json'} (File exists)" in caplog.records[0].message
    obstacle.unlink()
    file.save(guard)
    assert "written again" in caplog.records[1].message
    assert StateFile(file.path).load() == guard.memory()


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "state.json"
    path.mkdir()
    assert StateFile(path).load() == {}
    assert f"cannot read {path} (Is a directory)" in caplog.records[0].message


def test_runs_that_read_once_each_confirm_a_new_baseline_together(tmp_path: Path) -> None:
    """As cron makes them: a run's doubt would else be forgotten, and the meter never be believed again."""
    file = StateFile(tmp_path / "state.json")
    published = []
    for value in ("303.399", "12.345", "12.345", "12.346", "12.346"):
        guard = Guard({"heat": MeterPolicy(origin="port")}, file.load())
        published += [message for message in guard.check(reading(value)) if message["type"] == "reading"]
        StateFile(file.path).save(guard)
    assert [str(each["measurements"]["heat_energy"]["value"]) for each in published] == [
        "303.399",
        "12.346",
        "12.346",
    ]


@pytest.mark.parametrize(("key", "value"), [("count", 0), ("count", "2"), ("since", "yesterday")])
def test_a_doubt_that_cannot_be_damages_the_file(key: str, value: object, tmp_path: Path) -> None:
    path, guard = tmp_path / "state.json", guard_at("1.00")
    guard.check(reading("0.50"))
    StateFile(path).save(guard)
    content = json.loads(path.read_text())
    assert content["meters"]["heat"]["candidates"]["heat_energy"]["count"] == 1
    content["meters"]["heat"]["candidates"]["heat_energy"][key] = value
    path.write_text(json.dumps(content))
    assert StateFile(path).load() == {}


async def test_keep_saves_until_it_is_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_state, "FIRST_SAVE_SECONDS", 0.001)
    monkeypatch.setattr(guard_state, "SAVE_SECONDS", 0.001)
    guard, file = guard_at("1.00"), StateFile(tmp_path / "state.json")
    task = asyncio.create_task(file.keep(guard))
    for value in ("1.00", "1.01"):
        guard.check(reading(value))
        async with asyncio.timeout(10):
            while StateFile(file.path).load() != guard.memory():
                await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_first_memory_is_saved_once_every_meter_has_told_its_totals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_state, "_LOOK_SECONDS", 0.001)
    guard = Guard({"heat": MeterPolicy(), "cellar": MeterPolicy(), "dummy": MeterPolicy(simulated=True)})
    guard.check(reading("1.00"))
    file = StateFile(tmp_path / "state.json")
    task = asyncio.create_task(file.keep(guard))
    await asyncio.sleep(0.05)
    assert not file.path.exists()
    guard.check({**reading("2.00"), "meter": "cellar"})
    async with asyncio.timeout(10):
        while not file.path.exists():
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert {name: str(each.totals["heat_energy"].value) for name, each in file.load().items()} == {
        "heat": "1.00",
        "cellar": "2.00",
    }


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/x", "HOME": "/home/me"}, "/var/lib/x/heat.json"),
        ({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y"}, "/var/lib/x/heat.json"),
        ({"HOME": "/home/me"}, "/home/me/.local/state/smart_meter_reader/heat.json"),
        ({"XDG_STATE_HOME": "/state", "HOME": "/home/me"}, "/state/smart_meter_reader/heat.json"),
        ({"XDG_STATE_HOME": "relative"}, None),
        ({}, None),
    ],
)
def test_where_the_file_is(variables: dict[str, str], expected: str | None) -> None:
    assert state_path("heat", variables) == (None if expected is None else Path(expected))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    StateFile(path).load()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.decimals(min_value=-(10**15), max_value=10**15, places=6),
    unit=st.text(max_size=8).filter(lambda text: not any(0xD800 <= ord(letter) < 0xE000 for letter in text)),
    # The zone is said by timezones.
    time=st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_any_total_comes_back_the_same(value: Decimal, unit: str, time: datetime, tmp_path: Path) -> None:
    guard = Guard({"heat": MeterPolicy()})
    message = reading("1")
    message["time"] = time
    message["measurements"] = {"heat_energy": {"value": value, "unit": unit}}
    guard.check(message)
    file = StateFile(tmp_path / "state.json")
    file.save(guard)
    assert file.load()["heat"].totals["heat_energy"] == Total(value, unit, time)


_WRITER = """
import sys
from pathlib import Path
from smart_meter_reader.files import write_whole
for number in range(300):
    write_whole(Path(sys.argv[1]), sys.argv[2] * (1 + number % 7) * 1000)
"""


def test_two_processes_never_leave_half_a_file(tmp_path: Path) -> None:
    """A run from cron beside the service: the one or the other counts, and neither fails."""
    path = tmp_path / "house.json"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), letter]) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        text = path.read_text() if path.exists() else ""
        assert len(set(text)) <= 1
        assert len(text) % 1000 == 0
    assert [writer.returncode for writer in writers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]
