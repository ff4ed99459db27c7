"""Containers by podman, as unprivileged as the pages tell to run them."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PATIENCE = 60.0
# crun refuses a computer with both kinds of cgroups; podman's own limits take CAP_SYS_RESOURCE.
PODMAN = ("podman", "--runtime", "runc", "--log-level", "fatal")
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
TIGHT = ("--read-only", "--cap-drop=all", "--security-opt", "no-new-privileges")


def podman(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run to the end; stdout and stderr are both in ``stdout``."""
    return subprocess.run(
        [*PODMAN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Container:
    """A running one."""

    def __init__(self, number: str) -> None:
        self.number = number

    @property
    def log(self) -> str:
        return podman("logs", self.number).stdout

    def until(self, words: str) -> None:
        """Wait until its log has these words."""
        until = time.monotonic() + PATIENCE
        while words not in self.log:
            assert time.monotonic() < until, self.log
            time.sleep(0.2)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        return podman("exec", self.number, *command)

    def health(self) -> int:
        """The exit code of its HEALTHCHECK."""
        return podman("healthcheck", "run", self.number).returncode

    def until_health(self, code: int) -> None:
        """Wait until its HEALTHCHECK exits so."""
        until = time.monotonic() + PATIENCE
        while self.health() != code:
            assert time.monotonic() < until, self.log
            time.sleep(0.2)

    def stop(self) -> int:
        """Stop it in order; its exit code."""
        assert podman("stop", "--time", "10", self.number).returncode == 0
        (told,) = inspected("container", self.number)
        return int(told["State"]["ExitCode"])


def inspected(kind: str, name: str) -> list[dict[str, Any]]:
    """What podman knows of an image or a container."""
    found: list[dict[str, Any]] = json.loads(podman(kind, "inspect", name).stdout)
    return found


@contextmanager
def container(image: str, options: Sequence[str], *command: str) -> Iterator[Container]:
    """One that is gone at the end of the block."""
    started = podman("run", "--detach", *LIMITS, *options, image, *command)
    assert started.returncode == 0, started.stdout
    number = started.stdout.split()[-1]
    try:
        yield Container(number)
    finally:
        podman("rm", "--force", "--time", "1", number)
