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

from smart_meter_reader.cli.scan.settings_block import Target, append, settings_block, target
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.meters.found import Found
from smart_meter_reader.meters.iec62056_21.lines import SIGN_ON_LINE
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE
from smart_meter_reader.meters.p1.lines import FAST_LINE, SLOW_LINE

CONFIG = Path(__file__).parents[3] / "config.py"

SCANNED = Target("scanned")

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
    (tmp_path / "settings.toml").write_text(settings_block(SCANNED, FINDS))
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
    assert tomllib.loads(settings_block(SCANNED, [found])) == {
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
    append(path, settings_block(SCANNED, FINDS[:1]))
    after = path.read_text()
    assert after.startswith(before)
    assert tomllib.loads(after) == {
        **tomllib.loads(before),
        **tomllib.loads(settings_block(SCANNED, FINDS[:1])),
    }


@pytest.mark.parametrize(
    "content", ["[scanned\n", "[scanned.meters]\n[scanned.sinks.stdout]\n", "scanned = {meters = {}}\n"]
)
def test_settings_that_would_not_be_valid_afterwards_stay_as_they_are(content: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        append(path, settings_block(SCANNED, FINDS[:1]))
    assert path.read_text() == content


def test_there_has_to_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be added to: No such file"):
        append(tmp_path / "settings.toml", settings_block(SCANNED, FINDS))


def test_the_environment_is_the_only_one_or_home(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    assert target(tmp_path, None) == Target("home")
    settings.write_text("[Barn]\n[default]\n")
    assert target(tmp_path, None).environment == "Barn"
    assert target(tmp_path, "barn").environment == "Barn", "spelt as it is there, or there would be two"
    assert target(tmp_path, "attic").environment == "attic"
    settings.write_text("[barn]\n[garage]\n")
    assert target(tmp_path, None).environment == "home"
    settings.write_text("[barn]\n[HOME]\n")
    assert target(tmp_path, None).environment == "HOME"
    settings.write_text("[Barn]\n[page]\n[writer]\n")
    assert target(tmp_path, None).environment == "Barn", "the others are no environments"
    settings.write_text("[page]\n")
    assert target(tmp_path, None).environment == "home"
    settings.write_text("broken")
    with pytest.raises(SettingsError, match=r"settings\.toml, line 1: a line is the name of a table"):
        target(tmp_path, None)


def test_what_is_there_keeps_its_name_and_its_port(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/b")
    (tmp_path / "settings.toml").write_text(
        f'[home.meters]\nelectricity.port = "{tmp_path}/link"\nheat.port = 1\n[home.sinks.homie]\n'
    )
    there = target(tmp_path, None)
    assert (there.meter_at("/dev/b"), there.meter_at("/dev/a")) == ("electricity", None)
    added = tomllib.loads(settings_block(there, FINDS))["home"]
    assert list(added["meters"]) == ["heat-2", "heat-3", "electricity-2", "electricity-3", "heat-4"]
    assert "sinks" not in added


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
