"""`align`: live help for placing the infrared head."""

from __future__ import annotations

import asyncio
import sys

import click

from smart_meter_reader.cli.align.alignment import Tally, bar, watch
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.address import address_option
from smart_meter_reader.console.client import ClientChoice
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.console.port import require_port
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import TransportError
from smart_meter_reader.meters.head import Sign
from smart_meter_reader.meters.registry import METERS, meter_driver, meter_drivers

_BELL = "\a"
WITH_HEAD = tuple(client for client, driver in meter_drivers().items() if driver.head)


@click.command()
@click.argument("port")
@click.option(
    "--client",
    type=ClientChoice(WITH_HEAD, METERS),
    default="kamstrup",
    show_default=True,
    help="What kind of meter it is.",
)
@address_option
@click.option("--beep", is_flag=True, help="Beep at every clean answer, for when the screen is out of sight.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many requests; else Ctrl-C ends it.")
@click.option(
    "--timeout",
    type=FiniteRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    help="Stop after so many seconds, for the sake of the meter's battery.",
)
def align(port: str, client: str, address: str, beep: bool, count: int | None, timeout: float) -> int:
    """Help to place the infrared head on the meter at PORT.

    Asks the meter for one value about once a second, and shows what comes back: nothing, only the echo of
    the head, a damaged answer or a clean one; how many of the last ten were clean; and what to do about it.
    Move the head until the bar stays full.

    PORT is a device such as /dev/serial/by-id/..., socket://host:port or rfc2217://host:port.

    What comes back is shown on standard error: on a terminal one line that changes, else a line per request.
    The last line, on standard output, counts the clean answers. The exit code is 69 when there was none.
    """
    require_port(port)
    return EXIT_OK if aligned(port, client, address, beep, count, timeout) else EXIT_UNAVAILABLE


def aligned(port: str, client: str, address: str, beep: bool, count: int | None, timeout: float) -> bool:
    """Help to place the head, as `align` says; whether there was a clean answer. Ctrl-C ends it."""
    tally = Tally()
    driver = meter_driver(client)
    does = "asking" if driver.asks else "listening"
    tell(f"{does} at {port} for {timeout:g} s at most; Ctrl-C ends it")
    display = _Display(beep)
    failure = ""
    try:
        probing = imported(driver.head)(port, address)
        asyncio.run(watch(probing, tally, display.show, count=count or 0, seconds=timeout))
    except KeyboardInterrupt:
        pass  # the way to end it
    except TransportError as error:
        failure = error.by_hand
    display.end()
    if failure:
        tell(failure)
    elif tally.requests and not tally.clean:
        others = " or ".join(f"--client {other}" for other in WITH_HEAD if other != client)
        tell(f"is it another kind of meter than {client} reads? try {others}")
    print(_summary(tally, asked=bool(driver.asks)))
    return bool(tally.clean) and not failure


class _Display:
    """One short line for each request, on a terminal each over the one before; advice when it changes."""

    def __init__(self, beep: bool) -> None:
        self._beep = beep
        self._live = sys.stderr.isatty()
        self._advice = ""
        self._begun = False

    def show(self, tally: Tally, sign: Sign) -> None:
        if tally.advice != self._advice:
            self.end()
            self._advice = tally.advice
            tell(self._advice)
        text = f"{bar(tally.rate)} {tally.rate:4.0%} clean  now: {sign:<9}  {tally.clean}/{tally.requests}"
        bell = _BELL if self._beep and sign.is_clean else ""
        self._begun = self._live
        print(f"\r{text}  " if self._live else text, end=bell if self._live else f"{bell}\n", file=sys.stderr)
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line that changes, if it is there."""
        if self._begun:
            print(file=sys.stderr)
            self._begun = False


def _summary(tally: Tally, *, asked: bool) -> str:
    """``asked``: whether a request goes to the meter, and not just an ear."""
    others = ", ".join(f"{count} {sign}" for sign, count in tally.counts.items() if not sign.is_clean)
    text = f"{tally.clean} of {tally.requests} answers clean" + (f" ({others})" if others else "")
    if not asked or not tally.requests or tally.counts[Sign.PUSHED]:
        return text
    return f"{text}; that took as much of the meter's battery as {_hours(tally.requests)} of hourly readings"


def _hours(requests: int) -> str:
    """A reading an hour, the default, is one request."""
    if requests < 48:
        return f"{requests} hour{'s' if requests > 1 else ''}"
    return f"{round(requests / 24)} days"
