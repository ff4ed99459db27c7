"""Is the system's clock right? Readings carry its time, and certificates are judged by it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from smart_meter_reader.console.checks import Check, ok, warning

_SUBJECT = "clock"
# systemd-timesyncd touches it at every synchronisation.
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")


def check_clock(now: datetime, files: Iterable[Path], synchronised: bool | None) -> Check:
    """``files`` are some that must be older than now; ``synchronised`` is None when nobody tells."""
    shown = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    newest = max((path.stat().st_mtime for path in files if path.exists()), default=0.0)
    if now.timestamp() < newest - 60:
        return warning(
            _SUBJECT, f"{shown} is before the settings were written: set the clock, or let NTP do it"
        )
    if synchronised is None:
        return ok(_SUBJECT, f"{shown}; whether it is synchronised by NTP is not known here")
    if synchronised:
        return ok(_SUBJECT, f"{shown}, synchronised by NTP")
    return warning(_SUBJECT, f"{shown}, not synchronised: sudo timedatectl set-ntp true")


def ntp_synchronised() -> bool | None:
    """What systemd knows about it; None without systemd."""
    if _SYNCHRONISED.exists():
        return True
    program = shutil.which("timedatectl")
    if program is None:
        return None
    try:
        command = [program, "show", "--property=NTPSynchronized", "--value"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(result.stdout.strip())
