"""Every benchmark runs, with so little work that nothing is measured; no time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.measure import Spread, alone, beside, in_turns, table
from benchmarks.soak import Soak

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_quick_run_gives_rows(name: str, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", str(result), name]
    # A missed goal (exit code 1) is no failure here.
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode in (0, 1), run.stderr
    assert "Traceback" not in run.stderr
    content = json.loads(result.read_text())
    assert content["rows"], run.stderr
    for row in content["rows"]:
        assert row["ours"]["low"] <= row["ours"]["median"] <= row["ours"]["high"]


async def test_a_soak_of_seconds_runs_to_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its verdict is left alone: so short a run says nothing of growth."""
    soak = Soak(tmp_path, seconds=8, seed=1, calm=0)
    await soak.run()
    assert soak.samples[-1]["passed"] > 0, (tmp_path / "service.log").read_text()
    assert soak.hostile.met > 0
    assert "exit code 0\n" in capsys.readouterr().out


def test_a_wrong_name_is_told() -> None:
    command = [sys.executable, "-m", "benchmarks", "nonsense"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "nonsense" in run.stderr


def test_sides_take_turns() -> None:
    calls: list[str] = []

    def side(name: str, value: float) -> float:
        calls.append(name)
        return value

    ours, theirs, missing = in_turns(3, lambda: side("ours", 1), lambda: side("theirs", 2), None)
    assert calls == ["ours", "theirs"] * 3
    assert (ours, theirs, missing) == ([1, 1, 1], [2, 2, 2], [])


def test_a_goal_is_met_by_the_median() -> None:
    row = beside("w", "µs", [1, 2, 9], "them", [10, 10, 10], most=0.2)
    assert row.ratio == Spread(0.2, 0.1, 0.9)
    assert row.met is True
    assert beside("w", "µs", [3, 3, 3], "them", [10, 10, 10], most=0.2).met is False
    assert beside("w", "µs", [3], "", [], most=0.2).met is None  # the rival is not installed
    assert alone("w", "ms", [5.0], most=4.0).met is False
    assert alone("w", "ms", [5.0]).met is None


def test_the_table_tells_what_was_missed() -> None:
    text = table([alone("start", "s", [1.0, 2.0, 3.0], most=1.5), alone("size", "MiB", [10.0])])
    assert "start [s]" in text
    assert "2 (1-3)" in text
    assert text.count("MISSED") == 1
