"""scripts/demo-fleet: shows a fleet, kills parts of it by turns, ends by itself; nothing is missing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.peers.postgresql import programs

ROOT = Path(__file__).parents[2]
PATIENCE = 400


@pytest.mark.xdist_group("the demo")
def test_the_demo_ends_with_nothing_missing(tmp_path: Path) -> None:
    try:
        programs()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [str(ROOT / "scripts/demo-fleet")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    for victim in ("server", "machine", "writer"):
        assert f"kill -9 of the {victim}" in done.stdout
    (counts,) = re.findall(r"(\d+) values read of 6 meters, (\d+) of them in the database", done.stdout)
    in_last_second = re.findall(r"(\d+) were read in the second before", done.stdout) or [0]
    assert int(counts[0]) > 500
    assert int(counts[1]) >= int(counts[0]) - int(in_last_second[0])
    assert re.search(r"missing: 0\n +double: +0\n", done.stdout)
