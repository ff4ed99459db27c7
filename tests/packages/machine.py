"""A machine for packages: a tree of Debian, booted with its own systemd; commands in it are run as root."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

BOOT = Path(__file__).with_name("boot.sh")
_LONGEST = 180.0


class CommandError(Exception):
    """A command in the machine has failed; the text is what it said."""


def wait_until(true: Callable[[], bool], what: Callable[[], str]) -> None:
    """Wait for a condition; after long enough fail with what there is to say."""
    end = time.monotonic() + _LONGEST
    while not true():
        assert time.monotonic() < end, what()
        time.sleep(0.2)


class Machine:
    """``layers``: trees, the uppermost first. What the machine writes goes to ``scratch``/upper."""

    def __init__(self, layers: list[Path], scratch: Path) -> None:
        self._layers = layers
        self._scratch = scratch
        self._process: subprocess.Popen[bytes] | None = None
        self._init = 0

    @property
    def layer(self) -> Path:
        """What was written, for machines that go on from here; once it is off."""
        return self._scratch / "upper"

    def boot(self) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        apart = ["--mount", "--uts", "--ipc", "--pid", "--cgroup", "--net", "--fork", "--kill-child"]
        lower = ":".join(map(str, self._layers))
        self._process = subprocess.Popen(
            ["unshare", *apart, "/bin/sh", str(BOOT), lower, str(self._scratch)], stderr=subprocess.PIPE
        )
        wait_until(self._is_up, lambda: "the machine does not come up")

    def off(self) -> None:
        """As when the plug is pulled, once all is written."""
        if self._process is None:
            return
        if self._init:
            os.kill(self._init, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()
        self._process = None

    def run(self, command: str, *, given: bytes = b"") -> str:
        """What a command line prints. Raises CommandError."""
        result = subprocess.run(
            [*self.inside("DEBIAN_FRONTEND=noninteractive"), "sh", "-c", command],
            input=given,
            capture_output=True,
            check=False,
            timeout=_LONGEST,
        )
        if result.returncode:
            raise CommandError((result.stdout + result.stderr).decode(errors="replace"))
        return result.stdout.decode()

    def inside(self, *variables: str) -> list[str]:
        """What stands before a command that is to run in the machine, with the variables that it has."""
        entering = ["nsenter", "-t", str(self._init), "-a", "-r", "-w"]
        surroundings = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"]
        return [*entering, "env", "-i", *surroundings, *variables]

    def in_its_network(self) -> list[str]:
        """What stands before a program of this computer that is to be in the machine's network."""
        return ["nsenter", "-t", str(self._init), "--net"]

    def put(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file."""
        given = content.encode() if isinstance(content, str) else content
        place = shlex.quote(path)
        self.run(f"cat >{place} && chmod {mode:o} {place}", given=given)

    def unit(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run(f"systemctl show --value --property={name} {shlex.quote(unit)}").strip()

    def journal(self, unit: str) -> str:
        """What a unit has said."""
        return self.run(f"journalctl --no-pager --output=cat --unit={shlex.quote(unit)}")

    def wait_for(self, unit: str, name: str, value: str) -> None:
        """Wait until a property of a unit has a value."""
        wait_until(
            lambda: self.unit(unit, name) == value,
            lambda: f"{unit}: {name} is {self.unit(unit, name)}, not {value}\n{self.journal(unit)}",
        )

    def _is_up(self) -> bool:
        process = self._process
        assert process is not None
        if process.poll() is not None:
            stderr = process.communicate()[1].decode(errors="replace")
            raise CommandError(f"the machine ended: {stderr}")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if not children:
            return False
        self._init = int(children[0])
        if Path(f"/proc/{self._init}/comm").read_text().strip() != "systemd":
            return False
        try:
            return self.run("systemctl is-system-running || true").strip() in ("running", "degraded")
        except CommandError:
            return False
