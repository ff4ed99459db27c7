"""One process runs an environment: a second one would take its availability back and mix both readings.

A file beside the memory of the environment is locked (flock) for the life of the run; the system lets it go
with the process, however that ends. A service has its memory elsewhere than a run by hand, so that systemd is
asked, too.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.guard.state import state_path
from smart_meter_reader.process_lock import HeldElsewhereError, hold
from smart_meter_reader.service.unit import instance_name

_log = logging.getLogger(__name__)

SYSTEMCTL_SECONDS = 5.0
_INSTANCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class AlreadyRunError(ExplainedError):
    """Another process runs this environment."""


@contextmanager
def held(environment: str, variables: Mapping[str, str]) -> Iterator[None]:
    """Hold the lock of an environment. Raises AlreadyRunError when another process has it.

    Where there is no place for the file, or it cannot be written, that is told, and nothing is held.
    """
    _ask_systemd(environment, variables)
    state = state_path(environment, variables)
    descriptor = _locked(state.with_suffix(".lock"), environment) if state else None
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(path: Path, environment: str) -> int | None:
    """The descriptor that holds the lock; None where there can be none, which is told."""
    try:
        return hold(path)
    except HeldElsewhereError as error:
        raise _already_run(environment, error.owner) from None
    except OSError as error:
        _log.warning(
            "%s cannot be locked (%s): a second run of the environment %s would not be noticed",
            path,
            error.strerror,
            environment,
        )
        return None


def _ask_systemd(environment: str, variables: Mapping[str, str]) -> None:
    """Raise AlreadyRunError when the service of the environment runs, and we are not that service."""
    if variables.get("STATE_DIRECTORY") or not _INSTANCE.fullmatch(environment):
        return  # a service of systemd has its own, and the lock is there
    systemctl = shutil.which("systemctl", path=variables.get("PATH"))
    if systemctl is None:
        return
    unit = instance_name(environment)
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words, and a name that is checked
            [systemctl, "show", "--property=MainPID", "--value", unit],
            capture_output=True,
            text=True,
            timeout=SYSTEMCTL_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return
    process = answer.stdout.strip()
    if answer.returncode == 0 and process.isdecimal() and int(process) not in (0, os.getpid()):
        raise _already_run(environment, f"process {process} ({unit})")


def _already_run(environment: str, owner: str) -> AlreadyRunError:
    return AlreadyRunError(
        "already_run",
        f"the environment {environment} is run by {owner}: both would speak for the "
        "same meters, so this run publishes nothing and ends; stop the other one first",
    )
