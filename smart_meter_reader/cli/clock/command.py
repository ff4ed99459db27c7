"""`clock`: what the meter's clock says beside this computer's; with --set, and a typed word, it is set."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import click

from smart_meter_reader.cli.clock.words import clock_lines, consequences, done, drift_of, meaning
from smart_meter_reader.cli.house_zone import zone_option
from smart_meter_reader.cli.meter_at import Ask, ask_meter, client_option
from smart_meter_reader.console import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.client import baud_option, settings_option
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.history.intake.clock import is_synchronised
from smart_meter_reader.meters.by_hand import ClockReading, OpenClock
from smart_meter_reader.meters.registry import meter_driver, meter_drivers

_ABLE = tuple(client for client, driver in meter_drivers().items() if driver.clock)


@click.command()
@click.argument("port")
@client_option(_ABLE)
@zone_option
@click.option(
    "--set",
    "sets",
    is_flag=True,
    help="Set the meter's clock to this computer's, after you have typed its serial number.",
)
@baud_option
@settings_option("--setting")
def clock(
    port: str, client: str | None, zone: ZoneInfo, sets: bool, baud: int | None, assignments: Sequence[str]
) -> int:
    """Show the clock of the meter at PORT beside that of this computer.

    Tells how far they are apart, and what that means for the hours that the meter logs. Nothing is changed
    without --set.

    PORT is a device such as /dev/serial/by-id/..., socket://host:port or rfc2217://host:port.

    The exit code is 69 when the meter does not tell its clock, or could not be set.
    """
    if sets and not sys.stdin.isatty():
        raise click.UsageError("--set asks for the meter's serial number: run it at a terminal")
    look = _ClockLook(zone)

    def run(take: Ask[None]) -> int:
        try:
            asyncio.run(ask_meter(port, client, baud, assignments, _ABLE, take))
        except KeyboardInterrupt:
            tell(look.interrupted)
            return EXIT_INTERRUPTED
        except ExplainedError as error:
            tell(error.by_hand)
            return EXIT_UNAVAILABLE
        return EXIT_OK if look.good else EXIT_UNAVAILABLE

    ended = run(look.take)
    if not sets or ended != EXIT_OK:
        return ended
    # Asked while no loop runs: there Ctrl-C would wait for an answer.
    return run(look.set) if look.may_be_set() and look.agreed() else EXIT_UNAVAILABLE


@dataclass(slots=True)
class _ClockLook:
    """One meter's clock, looked at once, and set on another connection when its owner has agreed."""

    zone: ZoneInfo
    serial_number: str = ""
    unsettable: str = ""
    drift: int = 0
    good: bool = False
    interrupted: str = "interrupted: nothing was changed"

    async def take(self, client: str, settings: Any) -> None:
        """Show the clock. Raises TransportError and ProtocolError."""
        opening: OpenClock = imported(meter_driver(client).clock)
        tell("asking the meter who it is, and for its clock ...")
        async with opening(settings) as clock:
            tell(clock.who)
            self.serial_number, self.unsettable = clock.serial_number, clock.unsettable
            told = await clock.read()
        if told is None:
            tell("the meter answers, but does not tell its clock")
            return
        self._show(told)
        tell(meaning(self.drift))
        if is_synchronised() is False:
            tell(
                "warning: the clock of this computer has not been set from the network since it was started; "
                "see to that first"
            )
        self.good = True

    def _show(self, told: ClockReading) -> None:
        self.drift = drift_of(told, self.zone)
        for line in clock_lines(told, self.zone):
            print(line, flush=True)

    def may_be_set(self) -> bool:
        """Whether nothing speaks against it; what does is told."""
        if self.unsettable:
            tell(f"the clock cannot be set: {self.unsettable}")
            return False
        synchronised = is_synchronised()
        if synchronised is False:
            tell("the clock is left as it is: that of this computer is not known to be right")
            return False
        if synchronised is None:
            tell("nobody here can tell whether the clock of this computer is kept right: compare it yourself")
        return True

    def agreed(self) -> bool:
        """Whether the person typed what makes sure that this meter is meant. Raises click.Abort at Ctrl-C."""
        for sentence in consequences(self.drift):
            tell(sentence)
        typed: str = click.prompt(
            f"To set it, type the meter's serial number ({self.serial_number}); anything else leaves it",
            default="",
            show_default=False,
            err=True,
        )
        if typed.strip() == self.serial_number:
            return True
        tell("the clock is left as it is")
        return False

    async def set(self, client: str, settings: Any) -> None:
        """Set it, and look at what it says then. Raises TransportError and ProtocolError."""
        self.good = False
        opening: OpenClock = imported(meter_driver(client).clock)
        async with opening(settings) as clock:
            if clock.serial_number != self.serial_number:
                tell(f"the clock is left as it is: {clock.who} answers now, another meter")
                return
            before = self.drift
            self.interrupted = "interrupted while the clock was set: look at it with `clock`"
            acknowledged = await clock.set(self.zone)
            told = await clock.read()
        if told is not None:
            self._show(told)
        self.good, said = done(acknowledged, before, None if told is None else self.drift)
        tell(said)
