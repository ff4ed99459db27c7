"""What the documentation shows works: Python examples run, settings load, links lead somewhere."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.sinks.web.together.settings import load_page

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def run(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


async def test_the_library_examples_run() -> None:
    decode, read, remember, be = blocks(ROOT / "docs" / "library.md", "python")
    assert run(decode) == "1002 20:02:43 \n"
    async with on_pty(KamstrupMeter("403")) as port:
        lines = (await asyncio.to_thread(run, f"PORT = {port!r}\n{read}")).splitlines()
        remembered = (await asyncio.to_thread(run, f"PORT = {port!r}\n{remember}")).splitlines()
    assert lines[0].startswith("serial number ")
    assert re.fullmatch(r"60 \d+\.\d+ GJ", lines[1])
    assert re.fullmatch(r"68 \d+\.\d+ m³", lines[2])
    assert len(remembered) == 3
    for line in remembered:
        assert re.fullmatch(r"\d+ \d{4}-\d\d-\d\dT\d\d:00:04 \d+\.\d+ GJ", line)
    assert run(f"SECONDS = 0.1\n{be}").startswith("a MULTICAL 403 at /dev/pts/")


def rest_of(environment: str, tables: dict[str, Any]) -> str:
    """What a fragment leaves to the reader: a meter, a sink, a broker."""
    shown = tables.get(environment, {})
    meters = shown.get("meters", {"shown": {}})
    lines = [f"[{environment}]"]
    for name in [name for name in meters if "client" not in meters[name]]:
        encrypts = "key" in meters[name]
        lines.append(f'meters.{name}.client = "{"dsmr" if encrypts else "dummy"}"')
        lines += [f'meters.{name}.port = "/dev/null"'] * encrypts
    if "sinks" not in shown:
        lines.append("sinks.stdout = {}")
    if not any("host" in tables.get(place, {}).get("mqtt", {}) for place in ("default", environment)):
        lines.append('mqtt.host = "localhost"')
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_settings_shown_load(page: Path, tmp_path: Path) -> None:
    for text in blocks(page, "toml"):
        tables = tomllib.loads(text)
        shutil.copy(ROOT / "config.py", tmp_path)
        (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
        for environment in [name for name in tables if name != "default"]:
            rest = "" if environment == "page" else rest_of(environment, tables)
            (tmp_path / ".secrets.toml").write_text(rest, encoding="utf-8")
            if environment == "page":
                assert load_page(tmp_path).settings.contracts
            else:
                assert load_settings(tmp_path, environment).settings.meters


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_files_that_are_named_exist() -> None:
    named = re.compile(r"`((?:tests|scripts|benchmarks|smart_meter_reader)/[\w/.-]+)`")
    missing = [
        f"{page.name}: {name}"
        for page in PAGES
        for name in named.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    # The guide to a new family names the folders that it tells to make.
    assert [each for each in missing if not each.startswith("adding-a-")] == []
