"""What commands are made of, those in cli/ and those in the rooms of the meters; here the exit codes.

Nothing of it is needed by a plain run but what stands in this file.
"""

from __future__ import annotations

PROGRAM = "smart-meter-reader"
COMPLETION_VARIABLE = "_SMART_METER_READER_COMPLETE"
"""Set by the shell's completion script (see `completion`): then the program only says what fits."""

EXIT_OK = 0
EXIT_USAGE = 64
EXIT_DATA = 65
EXIT_UNAVAILABLE = 69
EXIT_FAULT = 70
EXIT_SETTINGS = 78
EXIT_INTERRUPTED = 130
