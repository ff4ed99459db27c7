"""What the system knows of its serial ports: stable names, who may open them, who holds them."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BY_ID = Path("/dev/serial/by-id")
_BY_PATH = Path("/dev/serial/by-path")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


@dataclass(frozen=True, slots=True)
class SerialPort:
    """One serial port. ``by_id`` and ``by_path`` are "" when there is no such name."""

    device: str
    description: str
    by_id: str
    by_path: str
    owner: str
    group: str
    mode: str  # as ls prints it: crw-rw----
    may_open: bool
    holders: tuple[Holder, ...]


def serial_ports() -> list[SerialPort]:
    """The serial ports of this machine, those with a stable name first."""
    # Only the command needs it; the service keeps its memory for other things.
    from serial.tools import list_ports

    ports = [
        describe_port(port.device, "" if port.description == "n/a" else port.description or "")
        for port in list_ports.comports()
    ]
    return sorted(ports, key=lambda port: (not port.by_id, port.device))


def describe_port(device: str, description: str = "") -> SerialPort:
    """Names, rights and holders of one device. Raises OSError when it does not exist."""
    state = Path(device).stat()
    return SerialPort(
        device=device,
        description=description,
        by_id=stable_name(device),
        by_path=stable_name(device, _BY_PATH),
        owner=_user_name(state.st_uid),
        group=group_name(state.st_gid),
        mode=stat.filemode(state.st_mode),
        may_open=os.access(device, os.R_OK | os.W_OK),
        holders=tuple(holders(device)),
    )


def stable_name(device: str, folder: Path = _BY_ID) -> str:
    """The name under ``/dev/serial/by-id`` that leads to ``device``, which may be a link itself; or ""."""
    target = Path(device).resolve()
    try:
        names = sorted(folder.iterdir())
    except OSError:
        return ""  # no adapter with a serial number is plugged in, or udev does not run here
    return next((str(name) for name in names if name.resolve() == target), "")


def group_name(gid: int) -> str:
    """The name of a group, or its number."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def holders(device: str) -> Iterator[Holder]:
    """The processes that have ``device`` open, as far as /proc shows them to this user; not this one."""
    try:
        wanted = Path(device).stat().st_rdev
    except OSError:
        return
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) != os.getpid() and _has_open(folder, wanted):
            yield Holder(int(folder.name), _process_name(folder))


def _has_open(process: Path, wanted: int) -> bool:
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return False  # ended meanwhile, or another user's
    for descriptor in descriptors:
        try:
            if not str(descriptor.readlink()).startswith("/dev/"):
                continue
            if descriptor.stat().st_rdev == wanted:
                return True
        except OSError:
            continue
    return False


def _process_name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
