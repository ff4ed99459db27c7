"""What the Debian package is made of: the same bytes each time, no secrets, the project's own unit."""

from __future__ import annotations

import difflib
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from smart_meter_reader.service.unit import UNIT, UNITS, unit_template
from tests.packages.conftest import ROOT, Packages, build, releases

pytestmark = pytest.mark.packages
PLACE = "usr/lib/systemd/system"
CONFFILES = ["fec8eb07", "9f8cdb78"]


@pytest.fixture(scope="session")
def unpacked(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the package, below DEBIAN what dpkg reads."""
    place = tmp_path_factory.mktemp("unpacked") / "package"
    subprocess.run(["dpkg-deb", "--raw-extract", packages.first, place], check=True)
    return place


def test_two_builds_give_the_same_bytes(packages: Packages, tmp_path: Path) -> None:
    again = build(tmp_path, f"{packages.tree.name}/amd64")
    assert again.read_bytes() == packages.first.read_bytes()


def test_settings_are_conffiles_and_secrets_are_never_shipped(unpacked: Path) -> None:
    shipped = {f"/{path.relative_to(unpacked)}" for path in (unpacked / "etc").rglob("*") if path.is_file()}
    assert shipped == {"/etc/smart_meter_reader/config.py", "/etc/smart_meter_reader/settings.toml"}
    assert set((unpacked / "DEBIAN/conffiles").read_text().split()) == shipped
    assert not list(unpacked.rglob(".secrets*"))
    # Of changed conffiles dpkg asks whoever has other ones, and an upgrade without a terminal ends there. Who
    # changes these two knows that, and changes the sum too.
    settings = unpacked / "etc/smart_meter_reader"
    sums = [
        hashlib.sha256((settings / name).read_bytes()).hexdigest()[:8]
        for name in ("config.py", "settings.toml")
    ]
    assert sums == CONFFILES


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_is_the_project_s_but_for_the_places(unpacked: Path, unit: str) -> None:
    ours, theirs = unit_template(unit).splitlines(), (unpacked / PLACE / unit).read_text().splitlines()
    lines = difflib.ndiff(ours, theirs)
    added = {line[2:].partition("=")[0] for line in lines if line.startswith("+ ")}
    assert added == ({"WorkingDirectory", "ExecStart", "LoadCredential"} if unit == UNIT else {"ExecStart"})
    assert "/opt/" not in "\n".join(line for line in theirs if not line.startswith("#"))


def test_no_place_of_the_machine_that_builds_is_in_it(unpacked: Path) -> None:
    places = (str(ROOT).encode(), b"/build-deb-")
    for path in unpacked.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert not any(place in path.read_bytes() for place in places), path


def test_every_package_inside_is_that_of_the_lock(unpacked: Path) -> None:
    inside = {
        "==".join(path.name.removesuffix(".dist-info").lower().replace("_", "-").rsplit("-", 1))
        for path in unpacked.rglob("*.dist-info")
    }
    lines = [
        subprocess.run(
            [ROOT / ".venv/bin/python", "scripts/locked_requirements.py", kind, "main", "extras"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for kind in ("wheels", "sources")
    ]
    wanted = {line.split(" ")[0] for line in "".join(lines).splitlines() if " ; " not in line}
    conditional = {line.split(" ")[0] for line in "".join(lines).splitlines()} - wanted
    assert wanted <= inside - {"smart-meter-reader==0.1.0"}
    assert inside - wanted - {"smart-meter-reader==0.1.0"} <= conditional


def test_that_nobody_has_published_it_is_said(unpacked: Path) -> None:
    assert (
        "Maintainer: unpublished build of smart_meter_reader <" in (unpacked / "DEBIAN/control").read_text()
    )


@pytest.mark.parametrize("name", ["Anna Example", "Example, Anna <anna@example.org>", "<anna@example.org>"])
def test_who_answers_for_it_has_a_name_and_an_address(name: str, tmp_path: Path) -> None:
    command = [f"{ROOT}/scripts/build-deb", "--output", str(tmp_path), "--maintainer", name]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "'Anna Example <anna@example.org>'" in result.stderr
    assert not list(tmp_path.iterdir())


def test_lintian_has_nothing_to_say(packages: Packages) -> None:
    lintian = shutil.which("lintian")
    assert lintian, "lintian is missing; scripts/test-packages installs it"
    command = [lintian, "--allow-root", "--fail-on", "error,warning", str(packages.first)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_every_override_of_lintian_has_its_reason() -> None:
    for block in re.split(r"^# ", (ROOT / "packaging/debian/lintian-overrides").read_text(), flags=re.M)[1:]:
        reason, *overrides = block.splitlines()
        assert reason.endswith(".")
        assert overrides


@pytest.mark.parametrize("release", releases())
def test_it_is_built_for_arm64_too(release: str, tmp_path: Path) -> None:
    if len(releases()) == 1:
        pytest.skip("scripts/test-packages --all builds for arm64")
    package = build(tmp_path, f"{release}/arm64")
    place = tmp_path / "package"
    subprocess.run(["dpkg-deb", "--raw-extract", package, place], check=True)
    objects = list(place.rglob("*.so"))
    assert objects
    # Bytes 18 and 19 of an ELF file: 183 is AArch64 (ELF header, e_machine).
    assert {path.read_bytes()[18:20] for path in objects} == {b"\xb7\x00"}


def test_a_kind_of_computer_without_wheels_is_refused_with_the_reason(tmp_path: Path) -> None:
    command = [f"{ROOT}/scripts/build-deb", "--output", str(tmp_path), "bookworm/armhf"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert re.search(r"poetry.lock has no wheel of .*\bcffi\b", result.stderr)
    assert "pipx" in result.stderr
