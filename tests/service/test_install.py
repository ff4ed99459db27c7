"""`service install` from a directory that somebody else can change: what root takes, shows, and refuses."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import InstallPlan, plan, require_program
from smart_meter_reader.service.program import Program
from smart_meter_reader.service.settings_files import take
from smart_meter_reader.service.steps import Machine
from tests.peers.owners import STRANGER, TRUSTED, give_away, own

ROOT = Path(__file__).parents[2]
SETTINGS = '[house.meters.heat]\nclient = "dummy"\n[house.sinks.stdout]\n'
MARK = "of-root-alone"
HIDDEN = f'[default]\nusername = "{MARK}"\n'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Settings of a user's, and beside them a file that only root may read."""
    path = tmp_path / "home" / "meters"
    path.mkdir(parents=True)
    shutil.copy(ROOT / "config.py", path)
    (path / "settings.toml").write_text(SETTINGS)
    (path / ".secrets.toml").write_text("[default]\n")
    (tmp_path / "hidden.toml").write_text(HIDDEN)
    (tmp_path / "hidden.toml").chmod(0o600)
    give_away(path.parent, path, *path.iterdir())
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.mkdir()
    return path


def planned(directory: Path, image: Path) -> InstallPlan:
    program = Program(Path("/opt/x/bin/python"), (Path("/opt/x"),))
    return plan(Machine(image), "house", directory, program, own(), load_settings)


def install(directory: Path, image: Path) -> Path:
    """Do it, but for systemctl; where the settings are."""
    done = planned(directory, image)
    for step in done.steps:
        if step.shown.startswith("write"):
            step.do()
    return done.settings


def test_a_user_s_settings_become_root_s_own(directory: Path, image: Path) -> None:
    settings = install(directory, image)
    assert settings == image / "etc/smart_meter_reader/house"
    for path in settings.iterdir():
        status = path.stat()
        assert status.st_uid == os.geteuid()
        assert status.st_mode & 0o777 == (0o600 if path.name == ".secrets.toml" else 0o644)
        assert path.read_bytes() == (directory / path.name).read_bytes()


def test_what_the_user_writes_later_reaches_nobody(directory: Path, image: Path) -> None:
    settings = install(directory, image)
    before = {path.name: path.read_bytes() for path in settings.iterdir()}
    drop_in = (image / "etc/systemd/system/smart_meter_reader@house.service.d/10-paths.conf").read_text()
    (directory / "config.py").write_text("raise SystemExit")
    shutil.rmtree(directory)
    directory.symlink_to(directory.parent.parent)
    assert {path.name: path.read_bytes() for path in settings.iterdir()} == before
    used = [line for line in drop_in.splitlines() if not line.startswith("#")]
    assert str(directory.parent) not in "\n".join(used)


def link_to_hidden(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parents[2] / "hidden.toml")


def hard_link_to_hidden(path: Path) -> None:
    path.unlink()
    path.hardlink_to(path.parents[2] / "hidden.toml")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def endless(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(1 << 32)


@pytest.mark.parametrize("name", ["config.py", "settings.toml", ".secrets.toml", "settings.local.toml"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (link_to_hidden, "is a link"),
        (hard_link_to_hidden, "belongs to user|a second name"),
        (pipe, "is no plain file"),
        (folder, "is no plain file"),
        (device, "is a link"),
        (endless, "is larger than a megabyte"),
    ],
)
def test_no_file_leads_root_to_another(
    directory: Path, image: Path, name: str, spoil: Callable[[Path], None], said: str
) -> None:
    path = directory / name
    path.touch()
    give_away(path)
    spoil(path)
    with pytest.raises(ServiceError, match=said) as raised:
        planned(directory, image)
    assert str(path) in raised.value.message
    assert MARK not in str(raised.value)
    assert not list(image.iterdir())


@pytest.mark.parametrize("level", ["meters", "home"])
def test_no_directory_on_the_way_is_a_link(directory: Path, image: Path, level: str) -> None:
    place = directory if level == "meters" else directory.parent
    place.rename(place.with_name("elsewhere"))
    place.symlink_to("elsewhere")
    with pytest.raises(ServiceError, match=f"{place} is a link"):
        planned(directory, image)


def test_a_file_of_another_owner_than_its_directory_s_is_not_taken(directory: Path, image: Path) -> None:
    """A user can rename files of root's that lie in his directory, but not read them."""
    if os.geteuid() == 0:
        os.chown(directory / ".secrets.toml", 0, 0)
        with pytest.raises(ServiceError, match=f"belongs to user root.*sudo chown {STRANGER}"):
            planned(directory, image)
    else:
        assert {path.stat().st_uid for path in directory.iterdir()} == {os.geteuid()}


def test_a_second_name_of_a_file_is_not_taken(tmp_path: Path) -> None:
    """In a directory of root's where everybody may make files, the owner alone would not tell."""
    (tmp_path / "hidden.toml").write_text(HIDDEN)
    directory = tmp_path / "open"
    directory.mkdir()
    (directory / "settings.toml").hardlink_to(tmp_path / "hidden.toml")
    with pytest.raises(ServiceError, match=r"settings\.toml has a second name"):
        take(directory)


def test_files_that_are_exchanged_meanwhile_give_nothing_away(directory: Path) -> None:
    """The file and the directory become links and files again while they are taken."""
    stop = threading.Event()
    secrets, hidden = directory / ".secrets.toml", directory.parents[1] / "hidden.toml"
    trap = directory.parent / "trap"
    trap.mkdir()
    for name in ("settings.toml", ".secrets.toml"):
        shutil.copy(hidden, trap / name)
    link, away = directory.parent / "link", directory.parent / "away"

    def exchange() -> None:
        while not stop.is_set():
            spare = directory.parent / "spare"
            spare.symlink_to(hidden)
            spare.rename(secrets)
            spare.write_text("[default]\n") if not spare.is_symlink() else None
            give_away(spare)
            spare.rename(secrets)
            link.symlink_to(trap)
            directory.rename(away)
            link.rename(directory)
            directory.unlink()
            away.rename(directory)

    thread = threading.Thread(target=exchange)
    thread.start()
    taken, refused = 0, 0
    try:
        for _ in range(400):
            try:
                contents = take(directory)
            except (ServiceError, SettingsError, FileNotFoundError):
                refused += 1
            else:
                taken += 1
                assert MARK.encode() not in b"".join(contents.values())
    finally:
        stop.set()
        thread.join()
    assert taken
    assert refused


def test_a_program_of_somebody_else_s_is_not_run_and_not_taken(directory: Path, image: Path) -> None:
    ran = directory.parent / "ran"
    (directory / "config.py").write_text(f"import pathlib; pathlib.Path({str(ran)!r}).touch()\n")
    (directory / "config.py").chmod(0o666)
    with pytest.raises(ServiceError, match=r"It is a program") as raised:
        planned(directory, image)
    assert not ran.exists()
    assert f"sudo tee {image}/etc/smart_meter_reader/house/config.py <{directory}/config.py" in str(
        raised.value
    )


def test_a_program_that_root_has_put_there_is_taken(directory: Path, image: Path) -> None:
    other = (ROOT / "config.py").read_text() + "# mine\n"
    (directory / "config.py").write_text(other)
    (directory / "config.py").chmod(0o666)
    settings = image / "etc/smart_meter_reader/house"
    settings.mkdir(parents=True)
    (settings / "config.py").write_text(other)
    assert install(directory, image) == settings
    assert (settings / "config.py").read_text() == other


def test_without_a_config_py_it_is_the_usual_one(directory: Path, image: Path) -> None:
    (directory / "config.py").unlink()
    assert (install(directory, image) / "config.py").read_text() == (ROOT / "config.py").read_text()


def test_secrets_in_settings_toml_are_not_put_where_all_can_read(directory: Path, image: Path) -> None:
    with (directory / "settings.toml").open("a") as file:
        file.write('[house.sinks.mqtt_json]\nhost = "x"\nusername = "me"\npassword = "sesame"\n')
    with pytest.raises(SettingsError, match=r"password: a secret; it belongs into \.secrets\.toml") as raised:
        planned(directory, image)
    assert "sesame" not in str(raised.value)


def test_secrets_are_not_shown(directory: Path, image: Path) -> None:
    (directory / ".secrets.toml").write_text('[house.mqtt]\npassword = "sesame"\n')
    shown = "\n".join(step.shown for step in planned(directory, image).steps)
    assert "sesame" not in shown
    assert "(not shown; for root alone to read)" in shown


def test_a_second_file_of_secrets_is_told(directory: Path, image: Path) -> None:
    (directory / ".secrets.local.toml").write_text("[default]\n")
    give_away(directory / ".secrets.local.toml")
    with pytest.raises(SettingsError, match=r"\.secrets\.local\.toml: .* move it into \.secrets\.toml"):
        planned(directory, image)


def test_files_that_the_service_would_look_for_in_vain_are_told(directory: Path, image: Path) -> None:
    with (directory / "settings.toml").open("a") as file:
        file.write('[house.sinks.mqtt_json]\nhost = "x"\ntls = true\nca = "/home/me/ca.pem"\n')
    (warning,) = planned(directory, image).warnings
    assert warning.startswith("mqtt_json.ca: the service finds no file /home/me/ca.pem; put it into ")


def test_what_is_shown_commands_no_terminal(directory: Path, image: Path) -> None:
    with (directory / "settings.toml").open("a") as file:
        file.write("# \u009b2J \u202e\n")
    shown = "\n".join(step.shown for step in planned(directory, image).steps)
    assert "# \ufffd2J \ufffd" in shown


def test_where_root_keeps_them_nobody_else_may_write(directory: Path, image: Path) -> None:
    home = image / "etc/smart_meter_reader"
    home.mkdir(parents=True)
    home.chmod(0o777)
    with pytest.raises(ServiceError, match=f"{home} can be changed by every user.*sudo chmod go-w"):
        planned(directory, image)


def test_settings_in_etc_that_others_can_change_are_copied(image: Path, directory: Path) -> None:
    place = image / "etc/meters"
    place.parent.mkdir()
    shutil.copytree(directory, place)
    (place / "settings.toml").chmod(0o666)
    assert planned(place, image).settings == image / "etc/smart_meter_reader/house"
    (place / "settings.toml").chmod(0o644)
    assert planned(place, image).settings == place


def venv(folder: Path) -> Program:
    """A program in a venv of its own, and its package by a .pth elsewhere."""
    packages = folder / ".venv/lib/python3/site-packages"
    package = folder / "checkout/smart_meter_reader"
    for path in (packages, package, folder / ".venv/bin"):
        path.mkdir(parents=True)
    (packages / "ours.pth").write_text(f"{package.parent}\n")
    (package / "__init__.py").touch()
    interpreter = folder / ".venv/bin/python"
    interpreter.symlink_to(Path(os.path.realpath("/bin/sh")))
    return Program(interpreter, (interpreter, folder / ".venv", packages, package.parent, package))


@pytest.mark.parametrize(
    "part",
    [
        ".venv",
        ".venv/bin",
        ".venv/lib/python3/site-packages",
        ".venv/lib/python3/site-packages/ours.pth",
        "checkout",
        "checkout/smart_meter_reader",
        "checkout/smart_meter_reader/__init__.py",
        ".",
    ],
)
@pytest.mark.parametrize("how", ["owner", "mode"])
def test_no_part_of_the_program_may_be_somebody_else_s(tmp_path: Path, part: str, how: str) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    program = venv(folder)
    require_program(program, own(), [])
    trusted = own()
    if how == "owner":
        give_away(folder / part)
        trusted = TRUSTED
    else:
        (folder / part).chmod(stat.S_IMODE((folder / part).stat().st_mode) | 0o002)
    with pytest.raises(ServiceError) as raised:
        require_program(program, trusted, ["service", "install", "house"])
    assert "can be changed by" in str(raised.value)
    assert f"sudo {ROOT}/scripts/install\n  sudo smart-meter-reader service install house" in str(
        raised.value
    )


def test_the_interpreter_may_be_no_link_of_somebody_else_s(tmp_path: Path) -> None:
    program = venv(tmp_path)
    own_python = tmp_path / "python"
    shutil.copy("/bin/sh", own_python)
    own_python.chmod(0o757)
    program.interpreter.unlink()
    program.interpreter.symlink_to(own_python)
    with pytest.raises(ServiceError, match=f"{own_python} can be changed by every user"):
        require_program(program, own(), [])
