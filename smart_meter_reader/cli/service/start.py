"""After a service was started: waits until it has read, written or failed, and says how the start went."""

from __future__ import annotations

from collections.abc import Callable

from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE, PROGRAM
from smart_meter_reader.service.first_reading import first_reading
from smart_meter_reader.service.notify import is_waiting
from smart_meter_reader.service.state import unit_state
from smart_meter_reader.service.unit import WRITER, SoleService, instance_name
from smart_meter_reader.writer import CONNECTS

# An old head at 300 Bd, woken first, takes most of it; a meter that is read once a day does not fit in.
_FIRST_SECONDS = 90.0
# Servers that elect a leader take 10 s; the database's connection is tried for as long.
_CONNECTS_SECONDS = 30.0


def wait_for_first_reading(environment: str) -> int:
    """Of the service of an environment. The exit code: 69 when it does not run."""
    unit = instance_name(environment)
    return _wait(unit, environment, "the first reading", is_waiting, _FIRST_SECONDS)


def tell_of_start(service: SoleService, outcome: str = "") -> int:
    """The same of the page of several environments, or the writer; ``outcome`` is what it is good for."""
    if service != WRITER:
        print(f"{service.unit}: {outcome or 'it runs'}. See: {logs_of(service.word)}")
        return EXIT_OK
    code = _wait(WRITER.unit, WRITER.word, "servers and database", _connects, _CONNECTS_SECONDS)
    if code == EXIT_OK and outcome:
        print(outcome)
    return code


def logs_of(word: str) -> str:
    """The command that shows what it has logged."""
    return f"{PROGRAM} service logs {word}"


def _connects(said: str) -> bool:
    return said in ("", CONNECTS)


def _wait(unit: str, word: str, what: str, waits: Callable[[str], bool], longest: float) -> int:
    print(f"waiting for {what} (Ctrl-C ends the waiting, the service goes on) ...", flush=True)
    try:
        started = first_reading(unit, unit_state, longest, waits)
    except KeyboardInterrupt:
        print(f"\nIt goes on by itself. See: {logs_of(word)}")
        return EXIT_OK
    print(f"{unit}: {started.said}. See: {logs_of(word)}")
    return EXIT_OK if started.runs else EXIT_UNAVAILABLE
