"""What the system knows of its serial ports: stable names, who may open them, who holds or uses them."""

from __future__ import annotations

import grp
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.files import user_name
from smart_meter_reader.text import LONGEST_NAME, printable

_BY_ID = Path("/dev/serial/by-id")
_BY_PATH = Path("/dev/serial/by-path")
_PSEUDO_TERMINALS = "/dev/pts/"
# What podman and docker put into each container: a file, unless /run is a new one, and a variable.
_CONTAINER_MARKS = ("/run/.containerenv", "/.dockerenv")
_CONTAINERS = frozenset({"podman", "docker", "oci"})  # and not lxc, which has users of its own
_CONSOLES = Path("/sys/class/tty/console/active")


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

    ports: list[SerialPort] = []
    for port in list_ports.comports():
        # An adapter can be unplugged while we look.
        with suppress(FileNotFoundError):
            ports.append(
                describe_port(port.device, "" if port.description == "n/a" else port.description or "")
            )
    return sorted(ports, key=lambda port: (not port.by_id, port.device))


def describe_port(device: str, description: str = "") -> SerialPort:
    """Names, rights and holders of one device. Raises OSError when it does not exist."""
    state = Path(device).stat()
    return SerialPort(
        device=device,
        description=printable(description, LONGEST_NAME),  # the adapter's own words
        by_id=stable_name(device),
        by_path=stable_name(device, _BY_PATH),
        owner=user_name(state.st_uid),
        group=group_name(state.st_gid),
        mode=stat.filemode(state.st_mode),
        may_open=os.access(device, os.R_OK | os.W_OK),
        holders=tuple(holders(device)),
    )


def stable_name(device: str, folder: Path = _BY_ID) -> str:
    """The name under ``/dev/serial/by-id`` that leads to ``device``, which may be a link itself; or ""."""
    target = os.path.realpath(device)
    try:
        names = sorted(folder.iterdir())
    except OSError:
        return ""  # no adapter with a serial number is plugged in, or udev does not run here
    return next((str(name) for name in names if os.path.realpath(name) == target), "")


_MOST_NAMED = 4  # of the processes that hold a port

NO_GROUP = "nogroup"
"""What every group but its own looks like to a service with PrivateUsers=; on some systems "nobody"."""
# user_namespaces(7): the number of whoever has none in this namespace, unless somebody changed overflowgid.
_OVERFLOW_GID = 65534


def in_container(variables: Mapping[str, str] = os.environ, marks: Iterable[str] = _CONTAINER_MARKS) -> bool:
    """Whether this process runs in a container of podman, docker, or Home Assistant."""
    return variables.get("container") in _CONTAINERS or any(Path(mark).exists() for mark in marks)


def how_to_open(group: str, *, contained: bool | None = None) -> str:
    """What helps a user who may not open a device of this group; ``contained``: None to find out."""
    user = user_name(os.geteuid())
    if group == "root":
        return "a udev rule that gives the device to the group dialout helps"
    try:
        entry = grp.getgrnam(group)
    except KeyError:
        entry = None
    if in_container() if contained is None else contained:
        # Without root a container knows the groups of its user only as a whole (podman-run(1), --group-add).
        lone = group if entry is None else entry.gr_gid
        number = "keep-groups" if group == NO_GROUP else lone
        return f"start the container with --group-add {number} (compose.yaml: group_add)"
    if group == NO_GROUP:
        return (
            "the service may open those of the group dialout; a udev rule that gives the device to that "
            "group helps (docs/service.md, Names of serial ports)"
        )
    if entry is not None and user in entry.gr_mem and entry.gr_gid not in os.getgroups():
        return f"{user} is in the group {group} only since this session began: log out and in again"
    return f"sudo usermod -aG {group} {user}, then log in again"


def group_name(gid: int) -> str:
    """The name of a group, or its number."""
    if gid == _OVERFLOW_GID:
        return NO_GROUP
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def holders(device: str) -> Iterator[Holder]:
    """The processes that have ``device`` open, as far as /proc shows them to this user; not this one."""
    try:
        state = Path(device).stat()
    except OSError:
        return
    if not stat.S_ISCHR(state.st_mode):
        return  # a file or folder; its number of a device is 0, and so is that of every other
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) != os.getpid() and _has_open(folder, state.st_rdev):
            yield Holder(int(folder.name), _process_name(folder))


def other_readers(port: str) -> tuple[Holder, ...]:
    """The other processes that take bytes from a port, as far as this user may see them; none for a URL.

    None for a pseudo-terminal either: whoever made it (an emulator, socat) has it open, and does not read.
    """
    if "://" in port or os.path.realpath(port).startswith(_PSEUDO_TERMINALS):
        return ()
    return tuple(holders(port))


def named_holders(found: Sequence[Holder]) -> str:
    """Who they are, in a sentence: some by name, of the others how many; "" for nobody."""
    named = [str(each) for each in found[:_MOST_NAMED]]
    if more := len(found) - len(named):
        return f"{', '.join(named)} and {more} more"
    return " and ".join(named)


def is_console(device: str, active: Path = _CONSOLES) -> bool:
    """Whether the kernel writes its messages to this port, where as a rule a login waits too."""
    try:
        names = active.read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        return False  # a container, or a system that does not tell
    return Path(os.path.realpath(device)).name in names


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
        # The kernel cuts the name at 15 bytes, in the middle of a letter if need be.
        return printable((process / "comm").read_text("utf-8", errors="replace").strip())
    except OSError:
        return "a process"
