"""What a start leaves behind in the process that then stays for months."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = """
[house]
log_level = "ERROR"
[house.meters.heat]
client = "dummy"
[house.sinks.stdout]
"""
# The whole start as the service has it, then whatever of dynaconf the process still holds.
PROGRAM = """
import gc, sys

import pytest

from smart_meter_reader.cli.start import start
from smart_meter_reader.settings.files.source import read_source

assert start("house", once=True) == 0
left = {getattr(each, "__module__", None) for each in gc.get_objects() if callable(each)}
left |= set(sys.modules)
print(sorted(name for name in left if isinstance(name, str) and name.split(".")[0] == "dynaconf"))
print(read_source(environment="house")["environment"])
# Of the history nothing: it is not in the settings.
unwanted = ("smart_meter_reader.history.storage.store", "sqlite3", "zoneinfo")
print([name for name in unwanted if name in sys.modules])
"""


@pytest.mark.unmeasured
def test_dynaconf_is_gone_once_the_settings_are_read_and_comes_back_when_asked(tmp_path: Path) -> None:
    shutil.copy(ROOT / "config.py", tmp_path)
    (tmp_path / "settings.toml").write_text(SETTINGS, "utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-3:] == ["[]", "house", "[]"]
