"""Takes the settings of a service from a directory that somebody else may change, without following him.

Whoever runs `service install` is root, and the directory can be any user's. Every step on the way to it is
opened without following links, every file from the directory that is held open, and what counts is what was
read: exchanging files or directories meanwhile gives other content, which is shown, or an error, but never a
file that the user could not have read himself.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import TypeAlias, TypeVar

import smart_meter_reader
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.files import user_name
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.settings.files.config_file import not_found
from smart_meter_reader.settings.loading import LoadedSettings
from smart_meter_reader.text import in_quotes

CONFIG, SETTINGS, SECRETS = "config.py", "settings.toml", ".secrets.toml"
NAMES = (CONFIG, SETTINGS, "settings.local.toml", SECRETS)
# dynaconf reads it as well, but systemd hands only one file of secrets to the service.
_SECOND_SECRETS = ".secrets.local.toml"
_LARGEST = 1_000_000
_PASSED = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LINK = (errno.ELOOP, errno.ENOTDIR)
_Loaded = TypeVar("_Loaded")


def take(directory: Path) -> dict[str, bytes]:
    """The contents of the settings files in ``directory``, by name, each read once.

    Raises ServiceError for what cannot be taken, SettingsError when there are no settings.
    """
    folder = _open_directory(directory.absolute())
    try:
        found = {name: _read(folder, directory / name) for name in (*NAMES, _SECOND_SECRETS)}
    finally:
        os.close(folder)
    if found.pop(_SECOND_SECRETS) is not None:
        raise SettingsError([f"{_SECOND_SECRETS}: a service has one file of secrets; move it into {SECRETS}"])
    if found[SETTINGS] is None:
        raise not_found(SETTINGS, directory)
    return {name: content for name, content in found.items() if content is not None}


def default_config() -> bytes:
    """The config.py that `init` writes."""
    return (resources.files(smart_meter_reader) / "templates" / "config.py.template").read_bytes()


LoadSettings: TypeAlias = Callable[[Path, str], LoadedSettings]
"""Loads an environment from a directory, with the drivers that this program has."""


def load_contents(contents: Mapping[str, bytes], load: Callable[[Path], _Loaded]) -> _Loaded:
    """Load the settings from a directory of our own, where nobody exchanges them. Raises SettingsError."""
    with tempfile.TemporaryDirectory(prefix="smart-meter-reader-") as name:
        for file, content in contents.items():
            path = Path(name, file)
            path.write_bytes(content)
            path.chmod(0o600)
        return load(Path(name))


def place_file(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place at once; directories that are made for it are for everybody to enter."""
    missing = [place for place in path.parents if not place.exists()]
    for place in reversed(missing):
        place.mkdir()
        place.chmod(0o755)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:  # an interruption too: nothing half-written stays
        Path(name).unlink(missing_ok=True)
        raise


def _open_directory(directory: Path) -> int:
    """A descriptor of the directory, reached without a link."""
    here = os.open("/", _PASSED)
    for place in (*reversed(directory.parents[:-1]), directory):
        try:
            there = os.open(place.name, _PASSED, dir_fd=here)
        except OSError as error:
            if error.errno in _LINK:
                raise _refused(place, "is a link", "run it in the directory that it leads to") from None
            raise
        finally:
            os.close(here)
        here = there
    return here


def _read(folder: int, path: Path) -> bytes | None:
    """The content of a file; None when there is none."""
    try:
        descriptor = os.open(path.name, _READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _LINK:
            raise _refused(path, "is a link", "put the file itself there") from None
        raise _refused(path, "cannot be read", error.strerror or str(error)) from None
    try:
        _examine(os.fstat(descriptor), os.fstat(folder).st_uid, path)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(_LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > _LARGEST:
        raise _refused(path, "is larger than a megabyte", "that is no file of settings")
    return content


def _examine(status: os.stat_result, owner: int, path: Path) -> None:
    """Refuse what the owner of the directory may have put there without being allowed to read it."""
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "is no plain file", "put a file there")
    if status.st_uid != owner:
        whose = f"belongs to user {user_name(status.st_uid)}, and its directory to user {user_name(owner)}"
        mend = f"sudo chown {user_name(owner)}: {in_quotes(path)}"
        raise _refused(path, whose, f"if its content is right, run: {mend}")
    if status.st_nlink > 1:
        raise _refused(path, "has a second name (a hard link)", "put a copy there")


def _refused(path: Path, what: str, advice: str) -> ServiceError:
    return ServiceError(f"{path} {what}, so the service does not take it; {advice}")
