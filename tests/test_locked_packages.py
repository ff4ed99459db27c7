"""What scripts/setup installs: pinned by hashes, wheels where there are any, and what builds it too."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
LOCK: list[dict[str, Any]] = tomllib.loads((ROOT / "poetry.lock").read_text())["package"]
BUILDERS = {"pip", "setuptools", "wheel", "poetry-core"}


def requirements(kind: str, *groups: str) -> dict[str, str]:
    """The lines of scripts/locked_requirements.py by name and version."""
    result = subprocess.run(
        [sys.executable, "scripts/locked_requirements.py", kind, *groups],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split(" ")[0]: line for line in result.stdout.splitlines()}


@pytest.mark.parametrize("group", ["main", "build", "dev", "mutation"])
def test_every_package_of_a_group_is_pinned_by_hashes_of_one_kind(group: str) -> None:
    wheels, sources = requirements("wheels", group), requirements("sources", group)
    wanted = {f"{each['name']}=={each['version']}": each for each in LOCK if group in each["groups"]}
    assert {**wheels, **sources}.keys() == wanted.keys()
    assert not wheels.keys() & sources.keys()
    for lines, ending in ((wheels, ".whl"), (sources, ".tar.gz")):
        for name, line in lines.items():
            files = [file["hash"] for file in wanted[name]["files"] if file["file"].endswith(ending)]
            assert re.findall("--hash=(\\S+)", line) == files
            # One for another kind of computer needs none here.
            assert files or " ; " in line, line


def test_extras_are_left_out_unless_they_are_asked_for() -> None:
    optional = {f"{each['name']}=={each['version']}" for each in LOCK if each.get("optional")}
    assert any(name.startswith("nats-py==") for name in optional)
    plain = {**requirements("wheels", "main"), **requirements("sources", "main")}
    assert all('extra == "' in plain[name] for name in optional)
    asked = {**requirements("wheels", "extras"), **requirements("sources", "extras")}
    assert asked.keys() == optional
    assert not any("extra ==" in line for line in asked.values())


def test_what_has_a_wheel_for_this_computer_is_not_built() -> None:
    pure = {
        f"{each['name']}=={each['version']}"
        for each in LOCK
        if any(file["file"].endswith("-none-any.whl") for file in each["files"])
    }
    assert not pure & requirements("sources", "main", "build", "dev", "mutation").keys()


def test_what_builds_is_locked_and_comes_as_wheels() -> None:
    assert {name.partition("==")[0] for name in requirements("wheels", "build")} >= BUILDERS
    assert not requirements("sources", "build")


def test_no_version_is_allowed_whose_settings_run_code() -> None:
    """CVE-2026-33154 of dynaconf."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert any(each.startswith("dynaconf >=3.2.13,") for each in project["project"]["dependencies"])


PRIVATE_PARTS = ("pyserial-asyncio", "dynaconf", "Homie4", "paho-mqtt", "dsmr-parser")


@pytest.mark.parametrize("name", PRIVATE_PARTS)
def test_packages_whose_private_parts_we_use_have_an_upper_bound(name: str) -> None:
    """The lock does not protect who installs with pip; a newer one may have moved what we reach for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (wanted,) = (each for each in project["project"]["dependencies"] if each.split(" ")[0] == name)
    assert re.search(r", <\d+(\.\d+)+$", wanted)


def test_dlms_cosem_stays_at_the_last_version_under_a_free_licence() -> None:
    assert [each["version"] for each in LOCK if each["name"] == "dlms-cosem"] == ["21.3.2"]


def test_pip_is_asked_for_nothing_without_a_hash(tmp_path: Path) -> None:
    """Against a pip that only notes what it is asked for: first the locked tools, wheels, then the rest."""
    venv, notes = tmp_path / "venv", tmp_path / "notes"
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = -m ] || exec {sys.executable} "$@"\n'
        f'echo "$*" >>{notes}\n'
        f'for last; do :; done; cut -d" " -f1 "$last" | sed "s/^/  /" >>{notes}\n'
    )
    python.chmod(0o755)
    subprocess.run([ROOT / "scripts" / "pip-locked", venv, "main"], check=True)
    asked = re.split(r"^(?=-m pip )", notes.read_text(), flags=re.MULTILINE)[1:]
    assert len(asked) == 3
    assert all(
        " install " in each and " --require-hashes " in each and " --no-deps " in each for each in asked
    )
    tools, wheels, sources = asked
    assert " --only-binary=:all: " in tools
    assert " --only-binary=:all: " in wheels
    assert " --no-binary=:all: --no-build-isolation " in sources
    assert all(f"  {name}==" in tools for name in BUILDERS)
    assert "  tailer==" in sources
    assert not list(venv.glob("*.txt"))
