"""KMP's destination addresses and commands (CID), and which of them a reader may send at all.

Sources: Kamstrup 5512-447, sections 3.2 and 3.3; the sub-commands of B8h from jktjkt/PyKMP
(docs/references.md), those of them that are present in electricity meters only from a utility's concentrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smart_meter_reader.exceptions import ForbiddenCommandError

HEAT_METER: Final = 0x3F  # 5512-447, 3.2: destination addresses
LOGGER_TOP: Final = 0x7F
LOGGER_BASE: Final = 0xBF

GET_TYPE: Final = 0x01
GET_SERIAL_NO: Final = 0x02
SET_CLOCK: Final = 0x09
GET_REGISTER: Final = 0x10
GET_EVENT_STATUS: Final = 0x9B
GET_LOG_TIME_PRESENT: Final = 0xA0
GET_LOG_LAST_PRESENT: Final = 0xA1
GET_LOG_ID_PRESENT: Final = 0xA2
GET_LOG_TIME_PAST: Final = 0xA3
GET_LOAD_PROFILE_CONFIG: Final = 0xAA
GET_LOG: Final = 0xB8  # the loggers of MULTICAL 303/403/603; 5512-447 does not know it

# Commands by CID; those that write to a meter are named so that a capture can be read, never sent.
COMMANDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        GET_TYPE: "GetType",
        GET_SERIAL_NO: "GetSerialNo",
        SET_CLOCK: "SetClock",
        GET_REGISTER: "GetRegister",
        0x11: "PutRegister",
        0x92: "Login",
        GET_EVENT_STATUS: "GetEventStatus",
        0x9C: "ClearEventStatus",
        GET_LOG_TIME_PRESENT: "GetLogTimePresent",
        GET_LOG_LAST_PRESENT: "GetLogLastPresent",
        GET_LOG_ID_PRESENT: "GetLogIDPresent",
        GET_LOG_TIME_PAST: "GetLogTimePast",
        GET_LOAD_PROFILE_CONFIG: "GetLoadProfileConfig",
        GET_LOG: "GetLog",
    }
)

# The sub-commands of B8h.
LOG_TIME_PRESENT: Final = 0x00
LOG_ID_PRESENT: Final = 0x02
LOG_TIME_PAST: Final = 0x03
LOG_CONFIGURATION: Final = 0x05
LOG_ID_PAST_ABS: Final = 0x06
LOG_LAST_ENTRY_PAST_ABS: Final = 0x07
LOG_ID: Final = 0x08
LOG_NEXT_FORMAT: Final = 0x09

LOG_COMMANDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        LOG_TIME_PRESENT: "GetLogTimePresent",
        LOG_ID_PRESENT: "GetLogIDPresent",
        LOG_TIME_PAST: "GetLogTimePast",
        LOG_CONFIGURATION: "GetConfiguration",
        LOG_ID_PAST_ABS: "GetLogIDPastAbs",
        LOG_LAST_ENTRY_PAST_ABS: "GetLogLastEntryPastAbs",
        LOG_ID: "GetLogID",
        LOG_NEXT_FORMAT: "GetLogNextFormat",
    }
)


def command_name(cid: int, payload: bytes) -> str:
    """What a command is called; "unknown" for a CID that no source names."""
    if cid == GET_LOG and payload and payload[0] in LOG_COMMANDS:
        return LOG_COMMANDS[payload[0]]
    return COMMANDS.get(cid, "unknown")


@dataclass(frozen=True, slots=True)
class AllowList:
    """What may be sent to a meter: commands by CID, and of B8h the sub-commands."""

    commands: frozenset[int]
    log_commands: frozenset[int] = frozenset()

    def check(self, cid: int, payload: bytes) -> None:
        """Raises ForbiddenCommandError for a command that is not on the list."""
        allowed = payload[:1] and payload[0] in self.log_commands if cid == GET_LOG else cid in self.commands
        if not allowed:
            what = f"{command_name(cid, payload)} (CID {cid:02X}h"
            what += f" {payload[0]:02X}h)" if cid == GET_LOG and payload else ")"
            raise ForbiddenCommandError(
                "forbidden_command",
                f"{what} is never sent to a meter: it is not among the commands that only read. "
                "This is a fault of the program: please report it",
            )


# Only what reads, and leaves no trace in the meter: everything that this program asks of its own accord. No
# heat meter is known to answer the sub-commands of B8h that are left out.
READING: Final = AllowList(
    frozenset(
        {
            GET_TYPE,
            GET_SERIAL_NO,
            GET_REGISTER,
            GET_EVENT_STATUS,
            GET_LOG_TIME_PRESENT,
            # Not A1h: its place in the log moves when somebody clears the event status.
            GET_LOG_ID_PRESENT,
            GET_LOG_TIME_PAST,
            GET_LOAD_PROFILE_CONFIG,
        }
    ),
    frozenset({LOG_CONFIGURATION, LOG_ID_PAST_ABS, LOG_LAST_ENTRY_PAST_ABS, LOG_ID, LOG_NEXT_FORMAT}),
)
# The one command that writes, for the owner who asks for it by name.
SETTING_THE_CLOCK: Final = AllowList(frozenset({SET_CLOCK}))
