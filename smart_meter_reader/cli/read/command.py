"""`read`: one reading of one meter, without any settings file."""

from __future__ import annotations

import asyncio
import logging
import sys
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, get_origin, get_type_hints

import click

from smart_meter_reader.cli.read.one_reading import one_reading
from smart_meter_reader.cli.read.other_meter import other_meter
from smart_meter_reader.cli.read.patience import PATIENCE_HELP, patience_for
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE, PROGRAM
from smart_meter_reader.console.client import ClientChoice, baud_option, settings_option
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.drivers import imported
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.messages import Info, Message, Reading
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.registry import METERS, meter_driver, meter_drivers
from smart_meter_reader.quantities.aliases import meant_by
from smart_meter_reader.settings.schema import Origin, Place, parse
from smart_meter_reader.settings.values import VariableValue

METER = "meter"
# The clients that read a port; what the others make up or replay has none.
AT_A_PORT = sorted(client for client, driver in meter_drivers().items() if driver.reads_port)
_SOURCE = "command line"
_NOTHING_ASKED = "the meter has none of what was asked for"
_NOTHING_RECORDED = (
    "the recording ends before one is complete; `decode auto FILE` shows what is in it, and --set "
    "protocol=CLIENT reads it as that client does"
)
# What an info message repeats of the reading beside it; the interval is nobody's when there is one reading.
_ENVELOPE = frozenset({"type", "meter", "time", "interval"})


@click.command()
@click.argument("port")
@click.option(
    "--client",
    type=ClientChoice(AT_A_PORT, METERS),
    help="What kind of meter it is; a recording says so itself.",
)
@click.option(
    "--registers", metavar="LIST", help="Kamstrup: what to read, such as 60,68 or heat_energy,volume."
)
@baud_option
@settings_option()
@click.option("--json", "as_json", is_flag=True, help="Print the reading as one JSON object.")
@click.option(
    "--timeout",
    type=FiniteRange(min=0, min_open=True),
    default=None,
    help=PATIENCE_HELP,
)
@click.option("-v", "--verbose", is_flag=True, help="Say more about what happens on the line.")
def read(
    port: str,
    client: str | None,
    registers: str | None,
    baud: int | None,
    assignments: Sequence[str],
    as_json: bool,
    timeout: float | None,
    verbose: bool,
) -> int:
    """Take one reading of the meter at PORT and print it.

    PORT is a device such as /dev/serial/by-id/..., socket://host:port or rfc2217://host:port; replay:FILE
    is a recording, as `record` makes them.

    What happens is told on standard error. With --json, standard output gets one object: the reading, with
    the meter's identity as "info". The exit code is 69 when the meter gave no reading.
    """
    logging.basicConfig(
        stream=sys.stderr, format="%(message)s", level=logging.DEBUG if verbose else logging.INFO
    )
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    name, settings = _named_settings(client, port, registers, baud, assignments)
    driver: Client = imported(meter_driver(name).client)(METER, settings)
    patience = patience_for(settings, timeout)
    tell(f"reading {port} ...")
    seen: list[Message] = []
    if not asyncio.run(read_once(driver, name, port, seen, patience)):
        return EXIT_UNAVAILABLE
    nothing = _NOTHING_RECORDED if name == "replay" else _NOTHING_ASKED
    return print_reading(seen, as_json=as_json, nothing=nothing)


def _named_settings(
    client: str | None, port: str, registers: str | None, baud: int | None, assignments: Sequence[str]
) -> tuple[str, Any]:
    """The name of the client and its settings; a recording names its client itself."""
    if client is None:
        if not port.startswith("replay:"):
            raise click.UsageError(
                f"--client is missing: one of {', '.join(AT_A_PORT)}; `{PROGRAM} scan {port}` finds out which"
            )
        if registers is not None or baud is not None:
            raise click.UsageError("--registers and --baud need --client: a recording has its own")
        table: dict[str, Any] = {"file": port.removeprefix("replay:")}
        return "replay", _parsed("replay", table, assignments)
    return client, client_settings(client, port, registers, baud, assignments)


def client_settings(
    client: str, port: str, registers: str | None, baud: int | None, assignments: Sequence[str]
) -> Any:
    """The settings of a client from options. Raises click.UsageError with everything wrong about them."""
    table: dict[str, Any] = {"port": port}
    if registers is not None:
        table["registers"] = [entry.strip() for entry in registers.split(",") if entry.strip()]
        for name in table["registers"]:
            if quantity := meant_by(name):
                print(f"{name} is called {quantity} here", file=sys.stderr)
    if baud is not None:
        table["baud"] = baud
    return _parsed(client, table, assignments)


def _parsed(client: str, table: Mapping[str, Any], assignments: Sequence[str]) -> Any:
    others = dict(map(_assignment, assignments))
    for key in table.keys() & others.keys():
        raise click.UsageError(f"--set {key}: that was given already, as an argument or option of its own")
    settings_type = imported(meter_driver(client).settings)
    settings, problems = parse(settings_type, {**table, **others}, Place({(): Origin(_SOURCE, client, ())}))
    if problems:
        # Without these quotes a shell takes those of the list's entries off.
        kinds = get_type_hints(settings_type)
        problems += [
            f'a list stands in single quotes: --set \'{key}=["...", "..."]\''
            for key, value in others.items()
            if isinstance(value, str) and get_origin(kinds.get(key)) is tuple
        ]
        raise click.UsageError("\n".join(problems))
    return settings


def _assignment(text: str) -> tuple[str, Any]:
    """KEY=VALUE, the value as TOML where it is TOML (numbers, lists, true), as text otherwise.

    A number keeps its text as well, for a setting that is text: a shell takes the quotes off.
    """
    key, equals, text = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set {key}: give it as KEY=VALUE")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # no TOML, or a number of thousands of digits
        value = text
    return key.strip(), value if isinstance(value, str) else VariableValue(value, text.strip())


async def read_once(client: Client, name: str, port: str, seen: list[Message], patience: float) -> bool:
    """Take a reading; False when there is none, and why not is told, and who else is at the port."""

    async def note(message: Message) -> None:
        seen.append(message)
        if message["type"] == "info" and message["meter"] == METER:
            tell(f"found {_who(message)}")
        elif message["type"] == "status" and message["state"] != "alert" and message["detail"]:
            tell(message["detail"])

    missed = await one_reading(client, note, patience, tell)
    if missed is None:
        return True
    tell(f"no reading ({missed.error.reason}): {missed.error.by_hand}")
    if meter_driver(name).reads_port:
        said = await other_meter(name, port, missed, tell)
        if said:
            tell(said)
    return False


def _who(info: Info) -> str:
    maker = info.get("manufacturer", "")
    words = [maker, info.get("model", "meter" if maker else "a meter")]
    if "serial_number" in info:
        words.append(f"with serial number {info['serial_number']}")
    return " ".join(filter(None, words))


def print_reading(seen: Sequence[Message], *, as_json: bool = False, nothing: str = _NOTHING_ASKED) -> int:
    """Print the reading, and those of the meters behind it; the exit code. ``nothing``: why there is none."""
    readings = [message for message in seen if message["type"] == "reading"]
    infos = {message["meter"]: message for message in seen if message["type"] == "info"}
    if not readings:
        tell(f"no reading: {nothing}")
        return EXIT_UNAVAILABLE
    if as_json:
        print(dumps_for(sys.stdout, _as_object(readings, infos)))
        return EXIT_OK
    from smart_meter_reader.sinks.stdout import reading_table

    for reading in readings:
        info = infos.get(reading["meter"])
        print(reading_table(reading, info.get("model", "") if info else ""), end="")
    return EXIT_OK


def _as_object(readings: Sequence[Reading], infos: Mapping[str, Info]) -> dict[str, Any]:
    """The meter's reading with its "info"; readings of meters behind it (M-Bus) in "sub_meters"."""
    objects = [
        {
            **reading,
            "info": {key: value for key, value in infos[reading["meter"]].items() if key not in _ENVELOPE},
        }
        if reading["meter"] in infos
        else dict(reading)
        for reading in readings
    ]
    main = next((entry for entry in objects if entry["meter"] == METER), objects[0])
    others = [entry for entry in objects if entry is not main]
    return {**main, "sub_meters": others} if others else main
