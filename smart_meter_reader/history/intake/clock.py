"""Whether the computer's clock can be believed: a row with a wrong time would stay in the history for ever.

A Raspberry Pi has no clock of its own: it starts with the time at which it was switched off, and learns the
right one from the network, perhaps much later.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, TypeAlias

Trust: TypeAlias = Literal["auto", "synchronised", "trusted"]
# The words of the setting, for every sink that keeps readings on disk.
TRUST_TOLD: Final = (
    "auto: nothing is stored before the clock is set from the network, where something does that; "
    "synchronised: never before; trusted: the clock is right"
)

# systemd-timesyncd(8): the directory is there while it runs; the file when it has set the clock since the
# boot.
_TIMESYNC = Path("/run/systemd/timesync")
_SYNCHRONISED = _TIMESYNC / "synchronized"
# adjtimex(2): the clock is not synchronised.
_STA_UNSYNC = 0x0040
# No reading is older than the program.
_EARLIEST = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
# A clock that is corrected by little steps goes back by less than a slot.
SLOT = timedelta(minutes=15)


def is_synchronised() -> bool | None:
    """Whether something keeps this computer's clock right; None where that cannot be found out.

    A service under ProtectClock= may not ask the kernel, but see what systemd-timesyncd says. None as well
    where nobody keeps the clock by network at all: in a container, or with a clock chip that somebody sets
    by hand.
    """
    if _TIMESYNC.exists():
        return _SYNCHRONISED.exists()
    return _kernel_says()


def _kernel_says() -> bool | None:
    """The state of the clock by adjtimex(2); None for what may mean nothing."""
    import ctypes  # where timesyncd runs nobody needs it in memory

    # The members of the structure up to the one that counts; the rest is room.
    class Timex(ctypes.Structure):
        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("esterror", ctypes.c_long),
            ("status", ctypes.c_int),
            ("rest", ctypes.c_byte * 512),
        )

    try:
        state = Timex()
        asked = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    except (OSError, AttributeError):
        return None
    return None if asked < 0 or state.status & _STA_UNSYNC else True


class ClockDoubt(StrEnum):
    """Why the clock is not believed."""

    NOT_SET = "clock_not_set"
    BEHIND = "clock_behind"
    NOT_SYNCHRONISED = "clock_not_synchronised"


def doubt(
    now: datetime, newest: datetime | None, synchronised: bool | None, trust: Trust
) -> ClockDoubt | None:
    """Why readings of this time may not be stored beside the ``newest`` that is; None when they may. Pure."""
    if now < _EARLIEST:
        return ClockDoubt.NOT_SET
    if newest is not None and now < newest - SLOT:
        return ClockDoubt.BEHIND
    if trust == "trusted" or synchronised or (synchronised is None and trust == "auto"):
        return None
    return ClockDoubt.NOT_SYNCHRONISED


def clock_sentence(doubted: ClockDoubt, now: datetime, newest: datetime | None) -> str:
    """The same for a person, with what to do."""
    match doubted:
        case ClockDoubt.NOT_SET:
            return f"the clock of this computer shows {now:%Y-%m-%d}: it waits for the right time"
        case ClockDoubt.BEHIND:
            return (
                f"the clock of this computer shows {now:%Y-%m-%d %H:%M} UTC, the newest stored reading is "
                f"of {newest:%Y-%m-%d %H:%M}: set the clock, or, if that reading is wrong, say so by "
                "`history note`"
            )
        case ClockDoubt.NOT_SYNCHRONISED:
            return (
                "the clock of this computer has not been set from the network since it was started; if it "
                'is right all the same, set clock = "trusted"'
            )
