"""The command `emulate street`, and the meter behind it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import click

from smart_meter_reader.emulators.faults import Fault, Faults
from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.emulators.stream import EmulatedLine
from tests.new_family.street.codec import REQUEST, Answer, encode
from tests.new_family.street.settings import LINE

NUMBER = "87654321"
FAULTS = {"sum": "one bit of the answer is turned over"}


class StreetMeter:
    """Answers every question; counts ten watt hours at each."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._faults = Faults(faults)
        self._energy = Decimal("1234.500")

    async def serve(self, line: EmulatedLine) -> None:
        """Talk until the other side has gone."""
        while received := await line.read():
            for _ in range(received.count(REQUEST)):
                self._energy += Decimal("0.010")
                frame = encode(Answer(NUMBER, self._energy))
                await line.write(self._faults.flip_bit(frame) if self._faults.strike("sum") else frame)


@click.command(epilog=fault_help(FAULTS))
@where_options
@click.option("--fault", "faults", multiple=True, metavar="KIND[:WHEN]", help="Trouble, see below.")
def street(link: Path | None, listen: str | None, baud: int | None, seed: int, faults: Sequence[str]) -> None:
    """A meter of the street."""
    serve(StreetMeter(faults_from(faults, FAULTS)), LINE, baud=baud, link=link, listen=listen)
