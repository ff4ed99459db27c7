"""What reading a KMP meter costs in seconds of its line: live readings, loggers, a day of each mode. Pure.

Source of the lengths: Kamstrup 5512-447, sections 4 and 6.2, and the layouts of ``codecs.kmp.loggers``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smart_meter_reader.codecs.kmp import MAX_REGISTERS
from smart_meter_reader.meters.backfill.cost import LineCost, LoggerCost

# Start, address, command, two bytes of CRC, stop.
_FRAME = 6
# Register id, unit, number of bytes, SignExp; most mantissas have four bytes, the date and time seven.
_FORMAT, _MANTISSA, _STAMP = 5, 4, 7
DATE_AND_TIME = 348
# Sub-command, logger, log id, entries, number of registers; and in the answer both ids and info.
_LOG_REQUEST, _LOG_ANSWER = 9, 15
# What an hour logger has of what counts: 60 and 68.
HOURLY_REGISTERS = (60, 68)
# How long an answer may be, nobody has written down: the shortest that was seen is assumed, until an answer
# shows what this meter does.
ASSUMED_ANSWER = 128
_HOURS = 24
# Days, months, years, hours and info events.
LOGGERS = 5
# Whoever leaves three requests unanswered and answers others does not know them; each is waited for so long.
PROBES = 2
SILENCE = 1.6


@dataclass(frozen=True, slots=True)
class DayCosts:
    """Seconds of line time a day, for the same hourly values: by polling them, and out of the loggers.

    ``log`` is a lower and an upper bound, as long as it is not known how much goes into one answer.
    """

    poll: float
    log: tuple[float, float]

    def __str__(self) -> str:
        low, high = round(self.log[0]), round(self.log[1])
        log = f"{low} to {high}" if low != high else f"{low}"
        return f'read every hour, {self.poll:.0f} s of the line a day; with mode = "log", {log} s'


def poll_seconds(line: LineCost, count: int) -> float:
    """One live reading of so many registers, in as few requests as it takes."""
    requests = -(-count // MAX_REGISTERS)
    sent = requests * (_FRAME + 1) + 2 * count
    received = requests * _FRAME + (_FORMAT + _MANTISSA) * count
    return line.seconds(sent + received) + line.answer_delay * requests


def configuration_seconds(line: LineCost, loggers: int) -> float:
    """Asking so many loggers what they keep; of a year logger with 43 registers, 115 bytes were seen."""
    return loggers * line.exchange(_FRAME + 2, 115)


def learning_seconds(line: LineCost, patience: float = SILENCE) -> float:
    """Finding out which loggers there are: all configurations, or requests to each generation in vain."""
    return configuration_seconds(line, LOGGERS) + 2 * (PROBES + 1) * max(patience, SILENCE)


def logger_cost(line: LineCost, registers: Sequence[int], answer: int = ASSUMED_ANSWER) -> LoggerCost:
    """What rows of these registers cost, in answers of ``answer`` bytes at most."""
    row = _row(registers)
    sent = _FRAME + _LOG_REQUEST + 2 * len(registers)
    head = _FRAME + _LOG_ANSWER + _FORMAT * len(registers)
    one = _row([DATE_AND_TIME])
    look = line.exchange(_FRAME + _LOG_REQUEST, _FRAME + _LOG_ANSWER + _FORMAT + one)
    return LoggerCost(look, line.exchange(sent, head), line.seconds(row), max(1, (answer - head) // row))


def day_costs(line: LineCost, live: int, registers: Sequence[int]) -> DayCosts:
    """Of ``live`` registers every hour, and of a reading a day with the hours out of the logger."""
    assumed = logger_cost(line, registers)
    # Who it is and what its clock says, what is new, and the entry of a day.
    asked = poll_seconds(line, 1) + poll_seconds(line, 2)
    once = poll_seconds(line, live) + asked + 2 * assumed.look + assumed.rows(1)
    # A day of hours in answers as short as any that was seen, and in one.
    return DayCosts(
        _HOURS * poll_seconds(line, live),
        (once + assumed.rows(_HOURS, _HOURS), once + assumed.rows(_HOURS)),
    )


def _row(registers: Sequence[int]) -> int:
    return sum(_STAMP if register == DATE_AND_TIME else _MANTISSA for register in registers)
