"""A file that one process holds while it lives (flock): the system lets it go, however the process ends."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from pathlib import Path

_LONGEST_PID = 20
_UNIT = re.compile(r"[\w@.-]+\.service")
_TAKEN = frozenset({errno.EWOULDBLOCK, errno.EACCES})  # flock(2), and what NFS makes of it


class HeldElsewhereError(Exception):
    """Another process holds it; ``owner`` is that one, in words."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


def hold(path: Path) -> int:
    """A descriptor: the file is held until it is closed. No program that is started keeps it.

    Raises HeldElsewhereError, and OSError where such a file cannot be had.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except OSError as error:
        owner = _owner(descriptor) if error.errno in _TAKEN else ""
        os.close(descriptor)
        if owner:
            raise HeldElsewhereError(owner) from None
        raise
    return descriptor


def _owner(descriptor: int) -> str:
    """Who holds the lock, in words; another process may take our number for its own meanwhile."""
    written = os.pread(descriptor, _LONGEST_PID, 0).decode(errors="replace").strip()
    if not written.isdecimal():
        return "another process"
    unit = _unit_of(int(written))
    return f"process {written}" + (f" ({unit})" if unit else "")


def _unit_of(process: int) -> str:
    """The systemd service that a process belongs to; "" when it is none of ours. Source: cgroups(7)."""
    try:
        lines = Path(f"/proc/{process}/cgroup").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    names = {line.rpartition("/")[2] for line in lines}
    return next((name for name in names if _UNIT.fullmatch(name) and "smart_meter_reader" in name), "")
