"""`service`, `doctor` and the manual where the program came as a Debian package, whose the unit is then."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from smart_meter_reader.cli.commands import COMMANDS
from smart_meter_reader.cli.doctor.service_checks import check_program, check_service
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.console.checks import Level
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import InstallPlan, plan, summary
from smart_meter_reader.service.program import INSTALLED, PACKAGED, Program
from smart_meter_reader.service.state import ServiceState
from smart_meter_reader.service.steps import Machine
from smart_meter_reader.service.unit import UNIT, UNITS, instance_name, unit_template
from tests.peers.owners import own

ROOT = Path(__file__).parents[2]
SETTINGS = '[house.meters.heat]\nclient = "dummy"\n[house.sinks.stdout]\n'
PAGE = "[house.sinks.web]\nport = 8123\n"
PROGRAM = Program(PACKAGED / "bin/python", (PACKAGED,))
INSTANCE = instance_name("house")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A system with the package: its units, and settings in its place."""
    path = tmp_path / "image"
    units = path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for unit in UNITS:
        (units / unit).write_text(unit_template(unit))
    settings(path / "etc/smart_meter_reader")
    return path


def settings(directory: Path, text: str = SETTINGS) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "config.py", directory)
    (directory / "settings.toml").write_text(text)
    return directory


def planned(image: Path, directory: Path, program: Program = PROGRAM) -> InstallPlan:
    return plan(Machine(image), "house", directory, program, own(), load_settings)


def written(made: InstallPlan, image: Path) -> list[str]:
    """The files that the steps write, as the installed system calls them."""
    shown = [step.shown.split()[1].rstrip(":") for step in made.steps if step.shown.startswith("write")]
    return [f"/{Path(path).relative_to(image)}" for path in shown]


def do(made: InstallPlan) -> None:
    for step in made.steps:
        if not step.shown.startswith("run"):
            step.do()


def test_in_its_place_nothing_is_written_and_the_command_by_hand_is_told(image: Path) -> None:
    directory = image / "etc/smart_meter_reader"
    made = planned(image, directory)
    assert written(made, image) == []
    assert [step.shown.split()[-2:] for step in made.steps] == [["enable", INSTANCE]]
    said = "\n".join(summary(INSTANCE, made, directory, PROGRAM))
    assert f"sudo systemctl enable --now {INSTANCE}" in said


def test_a_page_gets_its_port_and_no_paths(image: Path) -> None:
    directory = settings(image / "etc/smart_meter_reader", SETTINGS + PAGE)
    made = planned(image, directory)
    assert written(made, image) == [f"/etc/systemd/system/{INSTANCE}.d/10-paths.conf"]
    do(made)
    drop_in = Machine(image).drop_in("house")
    assert re.findall("^[A-Z].*$", drop_in.read_text(), re.M) == ["SocketBindAllow=tcp:8123"]
    settings(directory)
    do(planned(image, directory))
    assert not drop_in.exists()


@pytest.mark.parametrize("program", [PROGRAM, Program(Path("/opt/x/bin/python"), (Path("/opt/x"),))])
def test_settings_from_elsewhere_get_their_paths_and_the_unit_stays(
    image: Path, tmp_path: Path, program: Program
) -> None:
    made = planned(image, settings(tmp_path / "mine"), program)
    assert f"/etc/systemd/system/{UNIT}" not in written(made, image)
    do(made)
    drop_in = Machine(image).drop_in("house").read_text()
    assert "WorkingDirectory=/etc/smart_meter_reader/house\n" in drop_in
    assert f"ExecStart={program.interpreter} -I" in drop_in


def test_the_service_of_the_package_does_not_lose_its_settings_to_others(image: Path, tmp_path: Path) -> None:
    wants = image / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / INSTANCE).symlink_to(f"/usr/lib/systemd/system/{UNIT}")
    with pytest.raises(ServiceError, match=r"runs the settings of .*/etc/smart_meter_reader"):
        planned(image, settings(tmp_path / "mine"))
    assert planned(image, image / "etc/smart_meter_reader").steps


def test_a_unit_that_hides_the_package_s_is_told(image: Path) -> None:
    hiding = image / "etc/systemd/system" / UNIT
    hiding.parent.mkdir(parents=True)
    hiding.write_text(unit_template())
    made = planned(image, image / "etc/smart_meter_reader")
    assert [each for each in made.warnings if f"sudo rm {hiding}" in each]
    checks = list(check_program(Path("/home/me/.venv"), Machine(image)))
    assert [check.level for check in checks] == [Level.WARNING]


def test_the_doctor_tells_how_to_update(image: Path) -> None:
    (packaged,) = check_program(PACKAGED, Machine(image))
    assert "sudo apt install --only-upgrade smart-meter-reader" in packaged.text
    (installed,) = check_program(INSTALLED, Machine(image))
    assert "scripts/install" in installed.text
    assert not list(check_program(Path("/home/me/.venv"), Machine(image)))
    (check,) = check_service("house", ServiceState(INSTANCE, "inactive"), packaged=True)
    assert check.text.endswith(f"sudo systemctl enable --now {INSTANCE}")


def test_the_manual_has_every_command() -> None:
    manual = (ROOT / "packaging/debian/smart-meter-reader.1").read_text()
    part = manual.partition("commands: begin\n")[2].partition('.\\" commands: end')[0]
    told = dict(re.findall(r"^\.It Cm (\S+)\n(.*)$", part, re.M))
    assert told == {name: command.summary for name, command in COMMANDS.items()}
