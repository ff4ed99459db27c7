"""What `check` prints for whole settings directories: tests/data/settings holds input and expected text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.loading import load_environment
from smart_meter_reader.settings.text import settings_text
from tests.settings.drivers import REGISTRIES

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests/data/settings").glob("*.txt"))


def sections(case: Path) -> dict[str, str]:
    """The parts of a case by the name after ``---``."""
    parts = case.read_text("utf-8").split("--- ")[1:]
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


def write_directory(parts: dict[str, str], directory: Path) -> None:
    """Put up the files of a case; config.py is the project's own unless the case has one (empty: none)."""
    config = parts.get("config.py", (ROOT / "config.py").read_text("utf-8"))
    for name, text in {**parts, "config.py": config}.items():
        if name.endswith((".py", ".toml")) and text:
            (directory / name).write_text(text, "utf-8")
            (directory / name).chmod(0o600)


def outcome(directory: Path, environment: str | None) -> str:
    """Warnings and settings, or problems."""
    try:
        loaded = load_environment(directory, environment, registries=REGISTRIES)
    except SettingsError as error:
        return "\n".join(error.problems) + "\n"
    warnings = [f"warning: {line}\n" for line in loaded.warnings]
    return "".join(warnings) + settings_text(loaded)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if "DYNACONF" in name or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_settings_give_the_expected_text(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = sections(case)
    write_directory(parts, tmp_path)
    for line in parts.get("variables", "").splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    text = outcome(tmp_path, parts.get("environment", "").strip() or None)
    assert text.replace(str(tmp_path), "DIRECTORY") == parts["expected"]
    assert "sesame" not in text, "a secret shows"
    assert "00112233445566778899" not in text, "a secret shows"
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
