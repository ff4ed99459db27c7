"""Who else reads a port."""

from __future__ import annotations

from pathlib import Path

from smart_meter_reader.serial_ports import Holder, holders

_PSEUDO_TERMINALS = Path("/dev/pts")


def other_readers(port: str) -> tuple[Holder, ...]:
    """The other processes that have a device open, as far as this user may see them; none for a URL.

    None for a pseudo-terminal either: whoever made it (an emulator, socat) has it open, and does not read.
    """
    if "://" in port or _PSEUDO_TERMINALS in Path(port).resolve().parents:
        return ()
    return tuple(holders(port))
