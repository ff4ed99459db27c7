"""How the service of one environment is doing, as systemd knows it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from smart_meter_reader.console import EXIT_SETTINGS
from smart_meter_reader.service.unit import instance_name

_PROPERTIES = ("ActiveState", "SubState", "MainPID", "StatusText", "ExecMainStatus", "Result")


@dataclass(frozen=True, slots=True)
class ServiceState:
    """``active``: active, activating, inactive, failed, ...; ``said``: what the service last told systemd."""

    instance: str
    active: str
    pid: int = 0
    said: str = ""
    exit_code: str = ""
    restarts: bool = False  # it ended and is about to be started again

    @property
    def runs(self) -> bool:
        """Whether there is a process, or will be in a moment."""
        return self.active in ("active", "activating", "reloading")

    @property
    def trouble(self) -> str:
        """Why it does not run though it should; "" when there is nothing to say."""
        if self.active != "failed" and not self.restarts:
            return ""
        why = "its settings cannot be used" if self.exit_code == str(EXIT_SETTINGS) else "it ended"
        return f"{why} (exit code {self.exit_code})"


def service_state(environment: str) -> ServiceState | None:
    """That of the service of an environment; see ``unit_state``."""
    return unit_state(instance_name(environment))


def unit_state(unit: str) -> ServiceState | None:
    """Asks systemd; None where none runs, or where it knows of no such service."""
    program = shutil.which("systemctl")
    if program is None:
        return None
    command = [program, "show", f"--property={','.join(_PROPERTIES)}", "--", unit]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode:
        return None  # a container, or a computer that was started without systemd
    return parse_state(unit, answer.stdout)


def parse_state(instance: str, text: str) -> ServiceState | None:
    """What `systemctl show` printed; None when it tells nothing."""
    told = dict(line.partition("=")[::2] for line in text.splitlines())
    if not told.get("ActiveState"):
        return None
    pid = told.get("MainPID", "")
    return ServiceState(
        instance,
        told["ActiveState"],
        int(pid) if pid.isdecimal() else 0,
        told.get("StatusText", ""),
        told.get("ExecMainStatus", ""),
        told.get("SubState") == "auto-restart",
    )
