"""The settings that a scan prints: valid, loadable, and never at the cost of what is there."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.cli.scan.settings_block import append, free_environment, settings_block
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.meters.found import Found
from smart_meter_reader.meters.iec62056_21.lines import SIGN_ON_LINE
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE
from smart_meter_reader.meters.p1.lines import FAST_LINE, SLOW_LINE

CONFIG = Path(__file__).parents[3] / "config.py"

FINDS = [
    Found(
        "/dev/a", "KMP", OPTICAL_LINE, "heat", keys=MappingProxyType({"interval": "1h"}), client="kamstrup"
    ),
    Found("socket://10.0.0.1:4001", "KMP", OPTICAL_LINE, "heat", client="kamstrup"),
    Found("/dev/b", "P1", FAST_LINE, "electricity", keys=MappingProxyType({"baud": 115200}), client="dsmr"),
    Found("/dev/c", "P1", SLOW_LINE, "electricity", keys=MappingProxyType({"baud": 9600}), client="dsmr"),
    Found(
        "/dev/d",
        "short requests (/#1)",
        SIGN_ON_LINE,
        "heat",
        keys=MappingProxyType({"model": "multical_66c", "interval": "1h"}),
        notes=("compare",),
        client="iec62056_21",
    ),
]


def test_the_block_can_be_pasted_into_empty_settings(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(CONFIG.read_text())
    (tmp_path / "settings.toml").write_text(settings_block("scanned", FINDS))
    loaded = load_settings(tmp_path, "scanned")
    assert list(loaded.settings.meters) == ["heat", "heat-2", "electricity", "electricity-2", "heat-3"]
    assert [meter.driver.port for meter in loaded.settings.meters.values()] == [f.port for f in FINDS]
    assert list(loaded.settings.sinks) == ["stdout"]
    assert loaded.warnings == ()


TEXT = st.text(st.characters(codec="utf-8"))


@given(
    model=TEXT, number=TEXT, dialect=TEXT, note=TEXT, port=st.text(st.characters(codec="utf-8"), min_size=1)
)
def test_nothing_that_a_meter_says_gets_out_of_its_comment(
    model: str, number: str, dialect: str, note: str, port: str
) -> None:
    found = Found(
        port,
        "P1",
        FAST_LINE,
        "electricity",
        "",
        model,
        number,
        dialect,
        MappingProxyType({}),
        (note,),
        client="dsmr",
    )
    assert tomllib.loads(settings_block("scanned", [found])) == {
        "scanned": {
            "meters": {"electricity": {"client": "dsmr", "port": port}},
            "sinks": {"stdout": {"format": "table"}},
        }
    }


@pytest.mark.parametrize(
    "before", ["", "[home]\n", '[home.meters.heat]\nclient = "dummy"', "# only a comment\n\n"]
)
def test_appending_leaves_what_is_there(before: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(before)
    append(path, settings_block("scanned", FINDS[:1]))
    after = path.read_text()
    assert after.startswith(before)
    assert tomllib.loads(after) == {
        **tomllib.loads(before),
        **tomllib.loads(settings_block("scanned", FINDS[:1])),
    }


@pytest.mark.parametrize("content", ["[scanned\n", "[scanned.meters]\n[scanned.sinks.stdout]\n"])
def test_settings_that_would_not_be_valid_afterwards_stay_as_they_are(content: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"settings\.toml: nothing was added"):
        append(path, settings_block("scanned", FINDS[:1]))
    assert path.read_text() == content


def test_there_has_to_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="init"):
        append(tmp_path / "settings.toml", settings_block("scanned", FINDS))


def test_an_environment_gets_a_name_that_nobody_has(tmp_path: Path) -> None:
    assert free_environment(tmp_path, "scanned") == "scanned"
    (tmp_path / "settings.toml").write_text("[Scanned.meters]\n[scanned_2]\n")
    (tmp_path / ".secrets.toml").write_text("[scanned_3.mqtt]\n")
    assert free_environment(tmp_path, "scanned") == "scanned_4"
    (tmp_path / ".secrets.toml").write_text("broken")
    with pytest.raises(SettingsError, match=r"\.secrets\.toml: cannot be read"):
        free_environment(tmp_path, "scanned")


@pytest.mark.parametrize("room", [0, 100])
def test_a_full_disk_leaves_the_settings_as_they_were(room: int, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    before = "#" * (1023 - room) + "\n"
    path.write_text(before)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from smart_meter_reader.cli.scan.settings_block import append\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
        "append(Path(sys.argv[1]), '# ' + 'x' * 200)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert "settings.toml: cannot be added to" in done.stderr
    assert path.read_text() == before
