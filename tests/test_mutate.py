"""What scripts/mutate accepts, beside a setup that only notes how it is called; no mutant is made here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RULES = "smart_meter_reader/guard/rules.py"


def mutate(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a tree with two modules, whose setup says what it is asked for and fails."""
    (tree / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "mutate", tree / "scripts")
    setup = tree / "scripts" / "setup"
    setup.write_text('#!/bin/sh\necho "setup $*"\nexit 3\n')
    setup.chmod(0o755)
    for name in (RULES, "smart_meter_reader/pipeline/router.py", "smart_meter_reader/app.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    (tree / "smart_meter_reader" / "codecs").mkdir()
    return subprocess.run([tree / "scripts" / "mutate", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [[], ["1"], ["999", RULES], [RULES], [RULES, RULES]])
def test_minutes_and_modules_may_be_left_out(tmp_path: Path, arguments: list[str]) -> None:
    """Good arguments lead on to the setup, with the one tool that nothing else installs."""
    ran = mutate(tmp_path, *arguments)
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "setup --mutation\n", "")


@pytest.mark.parametrize("minutes", ["0", "1000", "08", "00"])
def test_a_time_without_end_or_beginning_is_refused(tmp_path: Path, minutes: str) -> None:
    ran = mutate(tmp_path, minutes, RULES)
    assert (ran.returncode, ran.stdout) == (64, "")
    assert ran.stderr == f"mutate: {minutes} is no number of minutes; give one from 1 to 999\n"


@pytest.mark.parametrize(
    "wrong", ["ten", "-5", "1.5", "", "smart_meter_reader/guard/absent.py", "smart_meter_reader/app.py"]
)
def test_what_is_no_module_is_named_before_anything_is_installed(tmp_path: Path, wrong: str) -> None:
    ran = mutate(tmp_path, "5", RULES, wrong)
    assert (ran.returncode, ran.stdout) == (64, "")
    assert f"'{wrong}' is neither a number of minutes nor a file of smart_meter_reader/codecs" in ran.stderr


def test_the_tests_that_it_runs_exist() -> None:
    script = (ROOT / "scripts" / "mutate").read_text()
    named = set(re.findall(r"tests/[a-z_/]+(?:\.py)?", script))
    assert {"tests/codecs", "tests/pipeline/test_router.py"} <= named
    assert [name for name in named if not (ROOT / name).exists()] == []
    families = [each for each in (ROOT / "smart_meter_reader" / "codecs").iterdir() if each.is_dir()]
    assert [
        each.name
        for each in families
        if each.name != "__pycache__" and not (ROOT / "tests" / "codecs" / each.name).is_dir()
    ] == []
