"""`scan`: which meter is at which port, and the settings for it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.cli.init import write_missing
from smart_meter_reader.cli.scan.scanning import LISTEN, PortReport, scan_ports
from smart_meter_reader.cli.scan.settings_block import Target, append, settings_block, target
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE, PROGRAM
from smart_meter_reader.console.address import address_option
from smart_meter_reader.console.environments import typed
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.console.port import require_port
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.meters.found import Found, printable_only
from smart_meter_reader.settings.names import is_environment
from smart_meter_reader.transport.ports import is_console, serial_ports, stable_name

_SETTINGS = Path("settings.toml")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")  # what stands in a header of TOML without quotes


@click.command()
@click.argument("ports", nargs=-1, metavar="[PORT]...")
@click.option(
    "--listen",
    type=FiniteRange(min=0.1),
    default=LISTEN,
    show_default=True,
    help="Seconds to wait for meters that send by themselves; P1 meters do so every 10 s at least.",
)
@address_option
@click.option(
    "--environment",
    default=None,
    metavar="ENV",
    help="The environment that the meters are for; default: the only one in settings.toml, or home.",
)
@click.option(
    "--write",
    is_flag=True,
    help="Append the settings to settings.toml; what is there stays as it is, what is missing is made.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object per port, or per meter of a bus, instead of settings.",
)
def scan(
    ports: Sequence[str], listen: float, address: str, environment: str | None, write: bool, as_json: bool
) -> int:
    """Find meters: port, protocol, model, serial number, and settings.

    Looks at each PORT (a device, socket://host:port or rfc2217://host:port), or at all serial ports of this
    machine but its console. First it only listens, since P1 meters send by themselves, at 115200 and 9600
    Bd, encrypted or not. Then it asks: in KMP, by the sign-on of IEC 62056-21, on an M-Bus, and by the short
    request of older MULTICALs, until something answers. Each question is put once, for the sake of the
    meters' batteries; KMP's twice, since the first can go into waking the meter. Press a key on a battery
    meter before. Of an M-Bus every meter is found; --address 12FFFFFF looks only among numbers that begin
    with 12.

    Standard output gets the settings to paste into settings.toml; standard error what happens. Nothing is
    written without --write. The exit code is 69 when no meter was found.
    """
    for port in ports:
        require_port(port)
    there = _target(environment)
    wanted = [lasting(port) for port in ports or all_ports()]
    if not wanted:
        tell("There is no serial port to scan: plug the adapter in, or name a PORT.")
        return EXIT_UNAVAILABLE
    reports = asyncio.run(scan_ports(wanted, tell_step, listen, address))
    for report in reports:
        tell(verdict(report))
    found = [meter for report in reports for meter in report.meters]
    if as_json:
        for told in [each for report in reports for each in _as_dicts(report)]:
            print(dumps_for(sys.stdout, told))
    new = [meter for meter in found if _is_new(meter, there)]
    if new and not write and not as_json:
        print(settings_block(there, new), end="")
    if write and new and not _append(there, new):
        return EXIT_UNAVAILABLE
    if write and not new:
        tell("nothing was added to settings.toml")
    return EXIT_OK if found else EXIT_UNAVAILABLE


def _append(there: Target, found: Sequence[Found]) -> bool:
    """Whether the settings could be written, with the files beside them that are missing."""
    if write_missing(Path()) is None:
        return False
    # What was just made has a sink.
    there = _target(there.environment)
    append(_SETTINGS, settings_block(there, found))
    meters = "the meter" if len(found) == 1 else f"{len(found)} meters"
    name = typed(Path(), there.environment)
    for note in (note for meter in found for note in meter.notes):
        tell(printable_only(note))
    tell(f"added {meters} to settings.toml, for {there.environment}. Next: {PROGRAM} check{name}")
    return True


def _is_new(found: Found, there: Target) -> bool:
    name = there.meter_at(found.port, found.keys)
    if name is not None:
        tell(f"{found.port}: in settings.toml already, as meter {name} of {there.environment}; left as it is")
    return name is None


def _target(wanted: str | None) -> Target:
    wanted = wanted if wanted is not None else os.environ.get("ENV_FOR_DYNACONF") or None
    # With the meters that it gets.
    if wanted is not None and not (_NAME.fullmatch(wanted) and is_environment(wanted, {"meters": {}})):
        raise click.UsageError(
            f"--environment {wanted}: use letters a-z, digits, _ and -, and not default, global or page"
        )
    return target(Path(), wanted)


def all_ports() -> list[str]:
    """The ports of this machine, without the one on which it lets people log in."""
    devices = [port.device for port in serial_ports()]
    for device in filter(is_console, devices):
        tell(f"{device}: left alone, it is this system's console; name it to have it scanned")
    return [device for device in devices if not is_console(device)]


def lasting(port: str) -> str:
    """The port by the name that stays, where it has one."""
    return port if "://" in port else stable_name(port) or port


def tell_step(port: str, what: str) -> None:
    """Say on standard error what is done at a port."""
    tell(f"{port}: {what} ...")


def verdict(report: PortReport) -> str:
    """What the scan of one port came to, in one sentence."""
    if report.meters:
        return "\n".join(f"{report.port}: found {meter.description}" for meter in report.meters)
    if report.unread:
        return f"{report.port}: {report.unread}"
    if report.problem:
        # It begins with the port as a rule.
        text = report.problem
        return text if text.startswith(report.port) else f"{report.port}: {text}"
    if report.clues:
        return f"{report.port}: no meter, but signs of one: {'; '.join(report.clues)}"
    return (
        f"{report.port}: no meter: nothing came by itself, nothing answered; is the head on the meter's eye "
        "(`smart-meter-reader align` helps), is a P1 cable plugged in well?"
    )


def _as_dicts(report: PortReport) -> list[dict[str, object]]:
    """One for the port, or one for each meter of a bus."""
    if report.meters:
        return [_as_dict(meter) for meter in report.meters]
    clues = [report.unread] if report.unread else report.clues
    return [{"port": report.port, "found": False, "problem": report.problem, "clues": clues}]


def _as_dict(found: Found) -> dict[str, object]:
    told = {
        "manufacturer": found.manufacturer,
        "model": found.model,
        "serial_number": found.serial_number,
        "dialect": found.dialect,
    }
    return {
        "port": found.port,
        "found": True,
        "client": found.client,
        "protocol": found.protocol,
        "line": str(found.line),
        **{key: value for key, value in told.items() if value},
        "settings": {"client": found.client, "port": found.port, **found.keys},
        "notes": list(found.notes),
    }
