"""The systemd unit: accepted by systemd, well shut in, and installed with the right paths."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from smart_meter_reader.cli.service import service
from smart_meter_reader.service.unit import UNIT, program_paths, unit_template, unit_text, unreadable

ROOT = Path(__file__).parent.parent
INSTANCE = UNIT.replace("@", "@kamstrup_403")


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing; scripts/test installs it (package systemd)"
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, env={"SYSTEMD_COLORS": "0"}
    )


def exposure(unit: Path) -> float:
    output = analyze("security", "--offline=true", "--no-pager", str(unit)).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", output)
    assert found, output
    return float(found[1])


def settings_directory(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "config.py", path)
    (path / "settings.toml").write_text(
        '[kamstrup_403.meters.heat]\nclient = "dummy"\n[kamstrup_403.sinks.stdout]\n'
    )
    return path


@pytest.fixture(params=["shipped", "installed", "installed in a home"])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit as a file by the name that it has when it is installed."""
    path = tmp_path / UNIT
    match request.param:
        case "shipped":
            text = unit_template()
        case "installed":
            text = unit_text(Path("/etc"), Path(sys.executable), ())
        case _:
            text = unit_text(Path("/home/me/my: 100 %"), Path(sys.executable), (Path("/home/me/.venv"),))
    path.write_text(text)
    return path


def test_systemd_has_nothing_to_say_about_the_unit(unit: Path) -> None:
    instance = unit.with_name(INSTANCE)
    instance.symlink_to(unit)
    result = analyze("verify", str(instance))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_service_is_shut_in(unit: Path) -> None:
    assert exposure(unit) <= 2.0


def test_the_unit_in_etc_is_the_packages_own() -> None:
    assert (ROOT / "etc" / UNIT).read_text() == unit_template()


def test_a_missing_file_of_secrets_is_replaced_by_valid_toml() -> None:
    """systemd.exec(5): SetCredential= counts when LoadCredential='s file is not there."""
    (fallback,) = re.findall(r"^SetCredential=secrets\.toml:(.*)$", unit_template(), re.MULTILINE)
    assert tomllib.loads(fallback) == {}


def test_secrets_that_root_alone_can_read_come_as_the_credential(tmp_path: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    (directory / ".secrets.toml").write_text("[default]\nqueue_size = 11\n")
    (directory / ".secrets.toml").chmod(0)
    (tmp_path / "secrets.toml").write_text("[default]\nqueue_size = 22\n")
    # Without its capabilities root may read as little as anybody.
    powerless = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
    result = subprocess.run(
        [*powerless, sys.executable, "-m", "smart_meter_reader", "check", "kamstrup_403"],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CREDENTIALS_DIRECTORY": str(tmp_path)},
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "queue_size = 22" in result.stdout


def test_settings_that_cannot_be_used_are_not_tried_again() -> None:
    assert re.search(r"^RestartPreventExitStatus=78$", unit_template(), re.MULTILINE)


def test_hidden_directories_are_let_through_one_by_one() -> None:
    program = (Path("/home/me/my project/.venv"), Path("/home/me/.pyenv/versions/3.11"), Path("/opt/x"))
    text = unit_text(Path("/home/me/my project"), program[0] / "bin/python", program)
    assert "ProtectHome=tmpfs" in text
    assert re.findall("BindReadOnlyPaths=(.*)", text) == [
        '"/home/me/my project"',
        "/home/me/.pyenv/versions/3.11",
    ]
    assert 'ExecStart="/home/me/my project/.venv/bin/python" -m smart_meter_reader run' in text
    assert "LoadCredential=secrets.toml:/home/me/my project/.secrets.toml" in text


def test_what_the_service_cannot_read_is_told(tmp_path: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    directory.chmod(0o755)
    (directory / "settings.toml").chmod(0o600)
    closed = tmp_path / "venv"
    closed.mkdir(mode=0o700)
    problems = list(unreadable(directory, (closed,)))
    assert [problem.split(": ")[0] for problem in problems] == [
        str(directory / "settings.toml"),
        str(closed),
    ]


def test_install_shows_every_step_and_does_none_when_dry(tmp_path: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    arguments = ["install", "kamstrup_403", "--directory", str(directory), "--dry-run"]
    result = CliRunner().invoke(service, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert f"write  /etc/systemd/system/{UNIT}" in result.output
    assert f"ExecStart={sys.executable} -m smart_meter_reader run" in result.output
    assert f"WorkingDirectory={directory}" in result.output
    assert result.output.splitlines()[-3:] == [
        "run    systemctl daemon-reload",
        f"run    systemctl enable {INSTANCE}",
        f"run    systemctl restart {INSTANCE}",
    ]


def test_install_and_uninstall_with_the_real_systemctl(tmp_path: Path) -> None:
    directory, image = settings_directory(tmp_path / "settings"), tmp_path / "image"
    image.mkdir()
    enabled = image / "etc/systemd/system/multi-user.target.wants" / INSTANCE
    place = ["--root", str(image)]
    arguments = ["install", "kamstrup_403", "--directory", str(directory), *place]
    result = CliRunner().invoke(service, arguments, input="n\n")
    assert result.exit_code == 1, "not confirmed"
    assert not enabled.is_symlink()
    result = CliRunner().invoke(service, [*arguments, "--yes"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert enabled.is_symlink()
    written = image / "etc/systemd/system" / UNIT
    assert written.read_text() == unit_text(directory, Path(sys.executable), program_paths())
    result = CliRunner().invoke(service, [*arguments, "--dry-run"], catch_exceptions=False)
    assert "(as it is there already)" in result.output
    own = written.read_bytes()
    written.write_bytes(own + b"# gr\xf6\xdfer\n")
    result = CliRunner().invoke(service, [*arguments, "--dry-run"], catch_exceptions=False)
    assert "-# gr" in result.output
    result = CliRunner().invoke(service, ["uninstall", "kamstrup_403", *place, "-y"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert not enabled.is_symlink()
    assert not written.exists()


def test_another_environment_keeps_the_unit(tmp_path: Path) -> None:
    directory, image = settings_directory(tmp_path / "settings"), tmp_path / "image"
    image.mkdir()
    place = ["--root", str(image), "--yes"]
    CliRunner().invoke(service, ["install", "kamstrup_403", "--directory", str(directory), *place])
    wants = image / "etc/systemd/system/multi-user.target.wants"
    (wants / UNIT.replace("@", "@t210")).symlink_to(f"/etc/systemd/system/{UNIT}")
    result = CliRunner().invoke(service, ["uninstall", "kamstrup_403", *place], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert (image / "etc/systemd/system" / UNIT).exists()


def run_command(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "smart_meter_reader", "service", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": path},
    )


def test_without_systemd_it_says_so(tmp_path: Path) -> None:
    for arguments in (["install", "dummy", "--yes"], ["uninstall", "dummy", "--yes"]):
        result = run_command(*arguments, path=str(tmp_path))
        assert (result.returncode, "systemd does not run here" in result.stderr) == (69, True)
    for arguments in (["status"], ["logs", "dummy"]):
        result = run_command(*arguments, path=str(tmp_path))
        assert (result.returncode, "this machine does not use systemd" in result.stderr) == (69, True)


@pytest.mark.parametrize("name", ["a/b", "*"])
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_name_that_no_instance_can_have_is_wrong_use(command: str, name: str, tmp_path: Path) -> None:
    result = run_command(command, name, "--dry-run", path=str(tmp_path))
    assert result.returncode == 64
    assert f"'{name}' cannot be part of a service's name" in result.stderr


def test_fewer_lines_than_none_is_wrong_use(tmp_path: Path) -> None:
    result = run_command("logs", "dummy", "--lines", "-3", path=str(tmp_path))
    assert result.returncode == 64
    assert "'--lines'" in result.stderr


def test_without_an_answer_nothing_is_installed(tmp_path: Path) -> None:
    directory, image = settings_directory(tmp_path / "settings"), tmp_path / "image"
    image.mkdir()
    arguments = ["install", "kamstrup_403", "--directory", str(directory), "--root", str(image)]
    for closed in ("</dev/null", "<&-"):
        command = ["sh", "-c", f'"$@" {closed}', "-", sys.executable, "-m", "smart_meter_reader", "service"]
        result = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
        assert result.returncode == 64
        assert "--yes does it without asking" in result.stderr
    assert not list(image.iterdir())


def test_settings_with_problems_are_not_installed(tmp_path: Path) -> None:
    result = run_command("install", "kamstrup_404", "--dry-run", path=str(tmp_path))
    assert result.returncode == 78
    assert "kamstrup_404" in result.stderr
