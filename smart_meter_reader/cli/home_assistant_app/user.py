"""Gives up root's rights for good: what reads meters and answers a network has no use for them."""

from __future__ import annotations

import grp
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

# The user of the container image, in the group of its own.
NUMBER = 65_532
_DEVICES = Path("/dev")
_PORTS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyS*")


def give_to_user(paths: Iterable[Path]) -> None:
    """Make these files, and all that is in these folders, the user's. Raises OSError."""
    for path in paths:
        for each in (path, *path.rglob("*")):
            if each.lstat().st_uid != NUMBER:
                os.lchown(each, NUMBER, NUMBER)


def become_user() -> None:
    """Go on as the user, in the groups that own the serial ports; there is no way back. Raises OSError."""
    groups = set(_groups())
    os.setgroups(sorted(groups))
    os.setgid(NUMBER)
    os.setuid(NUMBER)


def _groups() -> Iterator[int]:
    """Those that own serial ports here, and dialout, for one that is plugged in later; never root's."""
    with suppress(KeyError):
        yield grp.getgrnam("dialout").gr_gid
    for pattern in _PORTS:
        for port in _DEVICES.glob(pattern):
            with suppress(OSError):
                group = port.stat().st_gid
                if group != 0:
                    yield group
