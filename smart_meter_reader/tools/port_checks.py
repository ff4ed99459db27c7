"""Is the port there, by a name that stays, may this user open it, and does anybody else read it?"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from smart_meter_reader.serial_ports import SerialPort, describe_port
from smart_meter_reader.tools.diagnosis import Check, ok, unavailable, warning
from smart_meter_reader.tools.port_use import other_readers


def check_port(subject: str, port: str) -> Iterator[Check]:
    """The checks of one port that need not open it. A URL has none: reading the meter tests it."""
    if "://" in port:
        return
    try:
        described = describe_port(port)
    except FileNotFoundError:
        yield unavailable(
            subject,
            f"{port} does not exist: plug the adapter in; `smart-meter-reader ports` lists what is there",
        )
        return
    except OSError as error:
        yield unavailable(subject, f"{port} cannot be looked at: {error.strerror}")
        return
    if not Path(port).is_char_device():
        yield unavailable(
            subject, f"{port} is not a serial port: `smart-meter-reader ports` lists those there are"
        )
        return
    yield _name(subject, port, described)
    yield _rights(subject, port, described)
    yield from _readers(subject, port)


def _name(subject: str, port: str, described: SerialPort) -> Check:
    lasting = described.by_id or described.by_path
    if port.startswith("/dev/serial/") or not lasting:
        return ok(subject, f"{port} exists")
    if Path(port).is_symlink():
        return ok(subject, f"{port} exists and leads to {Path(port).resolve()}")
    return warning(
        subject, f"{port} exists, but can be another adapter after a restart: set port to {lasting}"
    )


def _rights(subject: str, port: str, described: SerialPort) -> Check:
    rights = f"{described.mode} {described.owner}:{described.group}"
    if described.may_open:
        return ok(subject, f"{_user()} may open it ({rights})")
    return unavailable(subject, f"{_user()} may not open {port} ({rights}): {_remedy(described.group)}")


def _remedy(group: str) -> str:
    user = _user()
    try:
        entry = grp.getgrnam(group)
    except KeyError:
        entry = None
    if entry is not None and user in entry.gr_mem and entry.gr_gid not in os.getgroups():
        return f"{user} is in the group {group} only since this session began: log out and in again"
    if group == "root":
        return "a udev rule that gives the device to the group dialout helps"
    return f"sudo usermod -aG {group} {user}, then log in again"


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _readers(subject: str, port: str) -> Iterator[Check]:
    readers = other_readers(port)
    if readers:
        names = " and ".join(map(str, readers))
        yield warning(
            subject,
            f"{port} is held by {names}: if that is this service, all is well; stop anything else, since two "
            "readers take each other's bytes",
        )
