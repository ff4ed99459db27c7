"""The meter at a port that a person asks something of: of the family named, or the one that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import click

from smart_meter_reader.cli.read.command import client_settings
from smart_meter_reader.cli.read.one_reading import Missed
from smart_meter_reader.cli.read.other_meter import NOBODY_THERE, OF_THE_SERVICE, looks_like, other_meter
from smart_meter_reader.cli.scan.scanning import scan_port
from smart_meter_reader.console.client import ClientChoice
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.meters.found import Found
from smart_meter_reader.meters.registry import METERS, meter_drivers
from smart_meter_reader.rooms import LastReceived, hearing

_Result = TypeVar("_Result")
# What most meters that can be asked are, and what costs least to find out.
_FIRST = "kamstrup"

Ask = Callable[[str, Any], Awaitable[_Result]]
"""Gets the client's name and its settings."""


def client_option(able: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--client` of commands that find out themselves where it is missing."""
    return click.option(
        "--client",
        type=ClientChoice(able, METERS),
        help=f"What kind of meter it is; without it {_FIRST} is tried first, and then what answers.",
    )


async def ask_meter(
    port: str,
    client: str | None,
    baud: int | None,
    assignments: Sequence[str],
    able: Sequence[str],
    ask: Ask[_Result],
) -> _Result:
    """What ``ask`` brings of the meter at the port, which is of one of the families ``able``.

    Raises what ``ask`` raises, when nobody else was found there, or told who is.
    """
    first = client or _FIRST
    settings = client_settings(first, port, None, baud, assignments)
    heard = LastReceived()
    try:
        with hearing(heard):
            return await ask(first, settings)
    except NOBODY_THERE as error:
        missed = Missed(error, heard.last())
        if client is not None or looks_like(first, port, missed.heard):
            if said := await other_meter(first, port, missed, tell):
                tell(said)
            raise
        found = await _other(port, first, able, error)
    others = tuple(f"{key}={value}" for key, value in found.keys.items() if key not in OF_THE_SERVICE)
    return await ask(found.client, client_settings(found.client, port, None, baud, (*others, *assignments)))


async def _other(port: str, first: str, able: Sequence[str], missed: ExplainedError) -> Found:
    """Who else answers there, and can be asked. Raises ``missed`` where nobody is."""
    tell(
        f"no answer in {meter_drivers()[first].title}: is it another kind of meter? (Ctrl-C ends the search)"
    )
    report = await scan_port(port, lambda _, words: tell(f"  {words} ..."), without=first)
    found = report.found
    if found is not None and found.client in able:
        return found
    if found is not None:
        title = meter_drivers()[found.client].title
        tell(f"this is {found.description}: of a meter of {title} there is nothing of this to be had")
    raise missed
