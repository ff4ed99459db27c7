"""Who else uses a port: other processes, or the system itself as its console."""

from __future__ import annotations

from pathlib import Path

from smart_meter_reader.serial_ports import Holder, holders

_PSEUDO_TERMINALS = Path("/dev/pts")
_CONSOLES = Path("/sys/class/tty/console/active")


def other_readers(port: str) -> tuple[Holder, ...]:
    """The other processes that have a device open, as far as this user may see them; none for a URL.

    None for a pseudo-terminal either: whoever made it (an emulator, socat) has it open, and does not read.
    """
    if "://" in port or _PSEUDO_TERMINALS in Path(port).resolve().parents:
        return ()
    return tuple(holders(port))


def is_console(device: str, active: Path = _CONSOLES) -> bool:
    """Whether the kernel writes its messages to this port, where as a rule a login waits too."""
    try:
        names = active.read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        return False  # a container, or a system that does not tell
    return Path(device).resolve().name in names
