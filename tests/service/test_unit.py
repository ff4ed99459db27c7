"""The systemd unit and its drop-ins: accepted by systemd, well shut in, and each environment on its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from smart_meter_reader.cli.service.command import service
from smart_meter_reader.service.program import Program, running_program
from smart_meter_reader.service.unit import (
    DROP_IN,
    PAGE,
    UNIT,
    UNITS,
    WRITER,
    drop_in_text,
    instance_name,
    page_drop_in_text,
    unit_template,
    writer_drop_in_text,
)
from smart_meter_reader.settings.files.ownership import Weakness

# In one process, which goes through the tree of the program once.
pytestmark = pytest.mark.xdist_group("units")
ROOT = Path(__file__).parents[2]
INSTANCE = instance_name("kamstrup_403")
UNITS_PLACE = "etc/systemd/system"


@pytest.fixture(scope="module", autouse=True)
def gone_through_once() -> Iterator[None]:
    """Each of the installs goes through all files of the same program, 60,000 with those of its Python."""
    first = cache(Program.weakness)

    def weakness(program: Program, trusted: Set[int]) -> Weakness | None:
        return first(program, frozenset(trusted))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Program, "weakness", weakness)
        yield


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


def settings_directory(path: Path, environment: str = "kamstrup_403") -> Path:
    path.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "config.py", path)
    (path / "settings.toml").write_text(
        f'[{environment}.meters.heat]\nclient = "dummy"\n[{environment}.sinks.stdout]\n'
    )
    return path


DROP_INS = {
    "shipped": None,
    "installed": ("kamstrup_403", Path("/etc"), Path(sys.executable), ()),
    "installed with a page": ("kamstrup_403", Path("/etc"), Path(sys.executable), (), None, (8080,)),
    "installed in a home": (
        *("kamstrup_403", Path("/root/my: 100 %"), Path(sys.executable)),
        (Path("/root/my program/.venv"),),
    ),
}


@pytest.fixture(params=DROP_INS)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One instance as a file, with its drop-in beside it."""
    arguments = DROP_INS[request.param]
    path = tmp_path / instance_name(arguments[0] if arguments else "kamstrup_403")
    # The program of the shipped one is nowhere here; systemd says so of what is not there.
    text = unit_template().replace("/opt/smart_meter_reader/bin/python", sys.executable)
    path.write_text(text)
    if arguments:
        directory = tmp_path / f"{path.name}.d"
        directory.mkdir()
        (directory / DROP_IN).write_text(drop_in_text(*arguments))
    return path


def test_systemd_has_nothing_to_say_about_the_unit(unit: Path) -> None:
    result = analyze("verify", str(unit))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_service_is_shut_in(unit: Path) -> None:
    assert exposure(unit) <= 2.0


@pytest.fixture
def page_unit(tmp_path: Path) -> Path:
    """The page of several environments as a file, with its drop-in beside it."""
    path = tmp_path / PAGE.unit
    path.write_text(unit_template(PAGE.unit).replace("/opt/smart_meter_reader/bin/python", sys.executable))
    directory = tmp_path / f"{PAGE.unit}.d"
    directory.mkdir()
    states = [Path("/var/lib/private/smart_meter_reader/home"), Path("/var/lib/x/shed: 100 %")]
    (directory / DROP_IN).write_text(
        page_drop_in_text(["home", "shed"], Path("/etc"), Path(sys.executable), (), states, 8080)
    )
    return path


def test_the_page_of_several_environments_is_shut_in(page_unit: Path) -> None:
    assert exposure(page_unit) <= 2.0
    result = analyze("verify", str(page_unit))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
    text = page_unit.read_text()
    # The group that reads histories is that of the instances; a user of its own, and no capability.
    for line in ("Group=smart_meter_reader", "CapabilityBoundingSet=", "DynamicUser=yes", "UMask=0077"):
        assert f"\n{line}\n" in text
        assert f"\n{line}\n" in unit_template()
    assert "StateDirectoryMode=0750" in unit_template()


def test_the_page_of_several_environments_is_installed_and_removed(tmp_path: Path, image: Path) -> None:
    place = ["--root", str(image), "--yes"]
    invoke("install", "kamstrup_403", "--directory", str(settings_directory(tmp_path / "settings")), *place)
    directory = settings_directory(tmp_path / "page")
    nothing = CliRunner().invoke(
        service, ["install", "web", "kamstrup_403", "--directory", str(directory), *place]
    )
    assert "has no table [page]" in nothing.output
    with (directory / "settings.toml").open("a") as settings:
        settings.write("[page]\nport = 8123\n")
    output = invoke("install", "web", "kamstrup_403", "barn", "--directory", str(directory), *place)
    assert "barn is no service here yet" in output
    drop_in = (image / UNITS_PLACE / f"{PAGE.unit}.d" / DROP_IN).read_text()
    assert "smart_meter_reader web kamstrup_403 barn\n" in drop_in
    assert "SocketBindAllow=tcp:8123\n" in drop_in
    assert "BindReadOnlyPaths=-/var/lib/private/smart_meter_reader/barn\n" in drop_in
    assert "WorkingDirectory=/etc/smart_meter_reader_web\n" in drop_in
    assert (image / UNITS_PLACE / PAGE.unit).read_text() == unit_template(PAGE.unit)
    invoke("uninstall", "web", *place)
    assert not (image / UNITS_PLACE / PAGE.unit).exists()
    assert (image / UNITS_PLACE / f"{INSTANCE}.d" / DROP_IN).exists()


def test_the_page_is_not_given_the_secrets_of_an_environment(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "page")
    with (directory / "settings.toml").open("a") as settings:
        settings.write("[page]\n")
    (directory / ".secrets.toml").write_text('[kamstrup_403.mqtt]\npassword = "x"\n')
    (directory / ".secrets.toml").chmod(0o600)
    place = ["--root", str(image), "--yes"]
    result = CliRunner().invoke(
        service, ["install", "web", "kamstrup_403", "--directory", str(directory), *place]
    )
    assert "has secrets of kamstrup_403" in result.output
    assert not (image / UNITS_PLACE / PAGE.unit).exists()


WRITER_TABLE = """
[writer]
servers = ["hub-1.example.org"]
tls = true
nkey_file = "writer.nk"
database = "postgresql://smr@db.example.org/meters"
"""


def writer_directory(path: Path, more: str = "") -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "settings.toml").write_text(WRITER_TABLE + more)
    return path


def test_the_writer_of_a_fleet_is_shut_in(tmp_path: Path) -> None:
    path = tmp_path / WRITER.unit
    path.write_text(unit_template(WRITER.unit).replace("/opt/smart_meter_reader/bin/python", sys.executable))
    assert exposure(path) <= 2.0
    directory = tmp_path / f"{WRITER.unit}.d"
    directory.mkdir()
    text = writer_drop_in_text(
        Path("/root/my: 100 %"), Path(sys.executable), (Path("/root/my program"),), 9199
    )
    (directory / DROP_IN).write_text(text)
    assert exposure(path) <= 2.0
    result = analyze("verify", str(path))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_writer_is_installed_and_removed(tmp_path: Path, image: Path) -> None:
    place = ["--directory", str(writer_directory(tmp_path / "writer", "port = 9199")), "--root", str(image)]
    output = invoke("install", "writer", *place, "--dry-run")
    assert f"write  {image}/etc/smart_meter_reader_writer/settings.toml:" in output
    assert f"\nrun    systemctl --root={image} enable {WRITER.unit}\n" in output
    assert not list(image.iterdir())
    output = invoke("install", "writer", *place, "--yes")
    assert f"{WRITER.unit} runs from now on, and after each start of the machine" in output
    assert "writer.nkey_file: the service finds no file writer.nk; put it into " in output
    drop_in = (image / UNITS_PLACE / f"{WRITER.unit}.d" / DROP_IN).read_text()
    assert "-m smart_meter_reader writer\n" in drop_in
    assert "WorkingDirectory=/etc/smart_meter_reader_writer\n" in drop_in
    assert "LoadCredential=secrets.toml:/etc/smart_meter_reader_writer/.secrets.toml\n" in drop_in
    assert re.findall("^SocketBindAllow=(.*)$", drop_in, re.MULTILINE) == ["", "tcp:9199"]
    assert (image / UNITS_PLACE / WRITER.unit).read_text() == unit_template(WRITER.unit)
    assert (image / UNITS_PLACE / "multi-user.target.wants" / WRITER.unit).is_symlink()
    invoke("uninstall", "writer", "--root", str(image), "--yes")
    assert not list((image / UNITS_PLACE).glob("smart_meter_reader*"))
    assert (image / "etc/smart_meter_reader_writer/settings.toml").exists()


def test_a_writer_without_its_port_listens_nowhere() -> None:
    text = writer_drop_in_text(Path("/etc"), Path("/x"), (), 0)
    assert re.findall("^SocketBindAllow=(.*)$", text, re.MULTILINE) == [""]


def test_the_writer_is_not_given_the_secrets_of_an_environment(tmp_path: Path, image: Path) -> None:
    directory = writer_directory(tmp_path / "writer")
    (directory / ".secrets.toml").write_text('[writer]\n[home.mqtt]\npassword = "sesame"\n')
    place = ["--directory", str(directory), "--root", str(image), "--yes"]
    result = CliRunner().invoke(service, ["install", "writer", *place])
    assert "has secrets of home" in result.output
    assert "sesame" not in result.output
    assert not list(image.iterdir())


def test_an_environment_called_writer_stays_one(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "settings", "writer")
    place = ["--root", str(image), "--yes"]
    invoke("install", "writer", "--directory", str(directory), *place)
    drop_in = image / UNITS_PLACE / f"{instance_name('writer')}.d" / DROP_IN
    assert "smart_meter_reader run" in drop_in.read_text()
    invoke("uninstall", "writer", *place)
    assert not drop_in.exists()


def test_a_writer_beside_one_environment_asks_for_no_name(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    with (directory / "settings.toml").open("a") as settings:
        settings.write(WRITER_TABLE)
    invoke("install", "--directory", str(directory), "--root", str(image), "--yes")
    assert (image / UNITS_PLACE / f"{INSTANCE}.d" / DROP_IN).exists()
    assert not (image / UNITS_PLACE / WRITER.unit).exists()


def test_the_unit_leaves_room_for_many_meters_and_connections() -> None:
    """2,000 meters on TCP are as many files, and 120 connections to a broker may all be opening at once."""
    assert "LimitNOFILE=8192" in unit_template()
    assert "TasksMax=256" in unit_template()


def test_only_the_port_of_the_page_can_be_listened_on(tmp_path: Path, image: Path) -> None:
    assert re.search(r"^SocketBindDeny=any$", unit_template(), re.MULTILINE)
    directory = settings_directory(tmp_path / "settings")
    place = ["--root", str(image), "--yes"]
    drop_in = image / UNITS_PLACE / f"{INSTANCE}.d" / DROP_IN
    invoke("install", "kamstrup_403", "--directory", str(directory), *place)
    assert "SocketBindAllow" not in drop_in.read_text()
    with (directory / "settings.toml").open("a") as settings:
        settings.write("[kamstrup_403.sinks.web]\nport = 8123\n")
    invoke("install", "kamstrup_403", "--directory", str(directory), *place)
    assert re.findall("^SocketBindAllow=(.*)$", drop_in.read_text(), re.MULTILINE) == ["tcp:8123"]


def test_each_instance_has_a_user_of_its_own() -> None:
    assert "User=smr-%i" in unit_template()
    names = {
        re.findall("^User=(.*)$", drop_in_text(name, Path("/etc"), Path("/x"), ()), re.MULTILINE)[0]
        for name in ("a.b", "a.c", "a" * 28)
    }
    assert len(names) == 3
    assert all(re.fullmatch("smr-[a-z0-9]{1,27}", name) for name in names)


def test_python_looks_for_no_module_in_the_directory_of_the_settings() -> None:
    (start,) = re.findall("^ExecStart=(.*)$", unit_template(), re.MULTILINE)
    assert " -I " in start
    starts = re.findall("^ExecStart=(.+)$", drop_in_text("x", Path("/etc"), Path("/x"), ()), re.MULTILINE)
    assert all(" -I " in line for line in starts)
    assert len(starts) == 1


def test_the_unit_in_etc_is_the_packages_own() -> None:
    for unit in UNITS:
        assert (ROOT / "etc" / unit).read_text() == unit_template(unit)


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
    places = (Path("/root/my project/.venv"), Path("/root/.pyenv/versions/3.11"), Path("/opt/x"))
    text = drop_in_text("home", Path("/etc/x"), places[0] / "bin/python", places)
    assert "ProtectHome=tmpfs" in text
    assert re.findall("BindReadOnlyPaths=(.*)", text) == [
        '"/root/my project/.venv"',
        "/root/.pyenv/versions/3.11",
    ]
    command = '"/root/my project/.venv/bin/python" -I -X faulthandler -m smart_meter_reader run'
    assert f"ExecStart={command}" in text
    assert "LoadCredential=secrets.toml:/etc/x/.secrets.toml" in text


def invoke(*arguments: str, code: int = 0, answer: str = "") -> str:
    result = CliRunner().invoke(service, arguments, input=answer, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Where the tests install: the image of a system, so that this one stays as it is."""
    path = tmp_path / "image"
    path.mkdir()
    return path


def test_install_shows_every_step_and_does_none_when_dry(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    arguments = ["--directory", str(directory), "--root", str(image), "--dry-run"]
    output = invoke("install", "kamstrup_403", *arguments)
    assert f"write  {image}/{UNITS_PLACE}/{UNIT}:" in output
    assert f"write  {image}/etc/smart_meter_reader/kamstrup_403/settings.toml:" in output
    assert f"ExecStart={sys.executable} -I -X faulthandler -m smart_meter_reader run" in output
    assert "WorkingDirectory=/etc/smart_meter_reader/kamstrup_403\n" in output
    assert output.splitlines()[-1] == f"run    systemctl --root={image} enable {INSTANCE}"
    assert not list(image.iterdir())


def test_install_and_uninstall_with_the_real_systemctl(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    (directory / ".secrets.toml").write_text("[default]\n# nothing\n")
    enabled = image / UNITS_PLACE / "multi-user.target.wants" / INSTANCE
    place = ["--root", str(image)]
    arguments = ["install", "kamstrup_403", "--directory", str(directory), *place]
    invoke(*arguments, code=1, answer="n\n")
    assert not enabled.is_symlink()
    invoke(*arguments, "--yes")
    assert enabled.is_symlink()
    assert (image / UNITS_PLACE / UNIT).read_text() == unit_template()
    program = running_program()
    own = Path("/etc/smart_meter_reader/kamstrup_403")
    expected = drop_in_text("kamstrup_403", own, program.interpreter, program.places, directory)
    assert (image / UNITS_PLACE / f"{INSTANCE}.d" / DROP_IN).read_text() == expected
    copies = image / own.relative_to("/")
    modes = {path.name: path.stat().st_mode & 0o777 for path in copies.iterdir()}
    assert modes == {"config.py": 0o644, "settings.toml": 0o644, ".secrets.toml": 0o600}
    assert copies.stat().st_mode & 0o777 == 0o755
    assert invoke(*arguments, "--dry-run").count("(as it is there already)") == 5
    (image / UNITS_PLACE / UNIT).write_bytes(unit_template().encode() + b"# gr\xf6\xdfer\n")
    assert "-# gr" in invoke(*arguments, "--dry-run")
    invoke("uninstall", "kamstrup_403", *place, "-y")
    assert not enabled.is_symlink()
    assert not list((image / UNITS_PLACE).glob("smart_meter_reader*"))
    assert (copies / "settings.toml").exists()


def test_one_environment_s_directory_is_no_business_of_another_s(tmp_path: Path, image: Path) -> None:
    """A11: the second directory took the first environment's service its settings."""
    place = ["--root", str(image), "--yes"]
    for name in ("home", "barn"):
        settings_directory(tmp_path / name, name)
        invoke("install", name, "--directory", str(tmp_path / name), *place)
    drop_ins = {name: image / UNITS_PLACE / f"{instance_name(name)}.d" / DROP_IN for name in ("home", "barn")}
    for name, path in drop_ins.items():
        assert f"WorkingDirectory=/etc/smart_meter_reader/{name}\n" in path.read_text()
        assert f"[{name}.meters.heat]" in (image / f"etc/smart_meter_reader/{name}/settings.toml").read_text()
    invoke("uninstall", "home", *place)
    assert not drop_ins["home"].parent.exists()
    assert drop_ins["barn"].exists()
    assert (image / UNITS_PLACE / UNIT).exists()
    invoke("uninstall", "barn", *place)
    assert not (image / UNITS_PLACE / UNIT).exists()


def test_a_second_directory_does_not_take_the_first_one_s_service(tmp_path: Path, image: Path) -> None:
    """Both call their environment home, as everybody does."""
    place = ["--root", str(image), "--yes"]
    for name in ("house", "barn"):
        settings_directory(tmp_path / name, "home")
    invoke("install", "home", "--directory", str(tmp_path / "house"), *place)
    copied = image / "etc/smart_meter_reader/home/settings.toml"
    (tmp_path / "barn" / "settings.toml").write_text(copied.read_text() + "# the barn's\n")
    second = ["install", "home", "--directory", str(tmp_path / "barn"), *place]
    refusal = invoke(*second, code=69)
    assert f"runs the settings of {tmp_path}/house" in refusal
    assert "[home_2]" in refusal
    assert "barn" not in copied.read_text()
    invoke("install", "home", "--directory", str(tmp_path / "house"), *place)  # an update is none
    invoke(*second, "--replace")
    assert "barn" in copied.read_text()
    assert "refus" not in invoke(*second)


def test_the_summary_has_three_lines_and_counts_what_changes(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    arguments = ["install", "kamstrup_403", "--directory", str(directory), "--root", str(image)]
    told = invoke(*arguments, "--yes").splitlines()
    assert len(told) == 3
    assert f"{directory} -> {image}/etc/smart_meter_reader/kamstrup_403" in told[1]
    assert "files that change: 4 (--show" in told[2]
    assert "files that change: 0" in invoke(*arguments, "--yes").splitlines()[2]
    assert "(as it is there already)" in invoke(*arguments, "--show", code=1, answer="n\n")


def test_a_table_is_nothing_for_the_journal(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    with (directory / "settings.toml").open("a") as settings:
        settings.write('format = "table"\n')
    told = invoke("install", "kamstrup_403", "--directory", str(directory), "--root", str(image), "-n")
    assert "warning: sink stdout: a table is for people at a terminal" in told


def test_an_environment_that_was_enabled_by_hand_keeps_the_unit(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    place = ["--root", str(image), "--yes"]
    invoke("install", "kamstrup_403", "--directory", str(directory), *place)
    (image / UNITS_PLACE / "multi-user.target.wants" / instance_name("t210")).symlink_to(
        f"/{UNITS_PLACE}/{UNIT}"
    )
    invoke("uninstall", "kamstrup_403", *place)
    assert (image / UNITS_PLACE / UNIT).exists()


def test_settings_in_etc_stay_where_they_are(image: Path) -> None:
    directory = settings_directory(image / "etc/meters")
    place = ["--root", str(image), "--yes"]
    invoke("install", "kamstrup_403", "--directory", str(directory), *place)
    assert "WorkingDirectory=/etc/meters\n" in (image / UNITS_PLACE / f"{INSTANCE}.d" / DROP_IN).read_text()
    assert not (image / "etc/smart_meter_reader").exists()


def run_command(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "smart_meter_reader", "service", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=settings_directory(Path(path) / "settings"),
        env={"PATH": path},
    )


def test_without_systemd_it_says_so(tmp_path: Path, image: Path) -> None:
    for arguments in (["install", "kamstrup_403"], ["uninstall", "kamstrup_403"]):
        result = run_command(*arguments, "--yes", "--root", str(image), path=str(tmp_path))
        assert (result.returncode, "systemd does not run here" in result.stderr) == (69, True), result.stderr
    result = run_command("restart", "kamstrup_403", path=str(tmp_path))
    assert (result.returncode, "systemd does not run here" in result.stderr) == (69, True), result.stderr
    for arguments in (["status"], ["logs", "kamstrup_403"]):
        result = run_command(*arguments, path=str(tmp_path))
        assert (result.returncode, "this machine does not use systemd" in result.stderr) == (69, True)


@pytest.mark.parametrize("name", ["a/b", "*", "..", ".", "-x", "%i"])
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_name_that_no_instance_can_have_is_wrong_use(command: str, name: str, tmp_path: Path) -> None:
    result = run_command(command, "--dry-run", "--", name, path=str(tmp_path))
    assert result.returncode == 64
    assert f"'{name}' cannot be part of a service's name" in result.stderr


def test_fewer_lines_than_none_is_wrong_use(tmp_path: Path) -> None:
    result = run_command("logs", "dummy", "--lines", "-3", path=str(tmp_path))
    assert result.returncode == 64
    assert "'--lines'" in result.stderr


def test_without_an_answer_nothing_is_installed(tmp_path: Path, image: Path) -> None:
    directory = settings_directory(tmp_path / "settings")
    arguments = ["install", "kamstrup_403", "--directory", str(directory), "--root", str(image)]
    for closed in ("</dev/null", "<&-"):
        command = ["sh", "-c", f'"$@" {closed}', "-", sys.executable, "-m", "smart_meter_reader", "service"]
        result = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
        assert result.returncode == 64
        assert "--yes does it without asking" in result.stderr
    assert not list(image.iterdir())


def test_settings_with_problems_are_not_installed(tmp_path: Path, image: Path) -> None:
    result = run_command("install", "kamstrup_404", "--root", str(image), "--dry-run", path=str(tmp_path))
    assert result.returncode == 78
    assert "kamstrup_404" in result.stderr
