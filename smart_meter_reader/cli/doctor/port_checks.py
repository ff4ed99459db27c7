"""Is the port there, by a name that stays, may this user open it, and does anybody else read it?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.files import user_name
from smart_meter_reader.transport.ports import (
    SerialPort,
    describe_port,
    how_to_open,
    named_holders,
    other_readers,
)


def check_port(subject: str, port: str, service_pid: int = 0) -> Iterator[Check]:
    """The checks of one port that need not open it. A URL has none: reading the meter tests it.

    ``service_pid``: the process of this environment's service, 0 when it does not run.
    """
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
    yield from _readers(subject, port, service_pid)


def _name(subject: str, port: str, described: SerialPort) -> Check:
    lasting = described.by_id or described.by_path
    if port.startswith("/dev/serial/") or not lasting:
        return ok(subject, f"{port} exists")
    if Path(port).is_symlink():
        return ok(subject, f"{port} exists and leads to {os.path.realpath(port)}")
    return warning(
        subject, f"{port} exists, but can be another adapter after a restart: set port to {lasting}"
    )


def _rights(subject: str, port: str, described: SerialPort) -> Check:
    rights = f"{described.mode} {described.owner}:{described.group}"
    user = user_name(os.geteuid())
    if described.may_open:
        return ok(subject, f"{user} may open it ({rights})")
    return unavailable(subject, f"{user} may not open {port} ({rights}): {how_to_open(described.group)}")


def _readers(subject: str, port: str, service_pid: int) -> Iterator[Check]:
    everybody = other_readers(port)
    readers = [each for each in everybody if each.pid != service_pid]
    if len(readers) < len(everybody):
        yield ok(subject, f"{port} is held by the service of this environment")
    if readers:
        names = named_holders(readers)
        yield warning(
            subject,
            f"{port} is held by {names}: stop it, since two readers take each other's bytes",
        )
