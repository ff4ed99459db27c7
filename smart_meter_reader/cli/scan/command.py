"""`scan`: which meter is at which port, and the settings for it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.cli.scan.scanning import LISTEN, PortReport, scan_ports
from smart_meter_reader.cli.scan.settings_block import append, free_environment, settings_block
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.meters.found import Found
from smart_meter_reader.transport.ports import is_console, serial_ports, stable_name

_SETTINGS = Path("settings.toml")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # what stands in a header of TOML without quotes


@click.command()
@click.argument("ports", nargs=-1, metavar="[PORT]...")
@click.option(
    "--listen",
    type=FiniteRange(min=0.1),
    default=LISTEN,
    show_default=True,
    help="Seconds to wait for meters that send by themselves; P1 meters do so every 10 s at least.",
)
@click.option(
    "--environment",
    default="scanned",
    show_default=True,
    metavar="NAME",
    help="Name of the environment in the settings that are printed.",
)
@click.option(
    "--write", is_flag=True, help="Append the settings to settings.toml; what is there stays as it is."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per port instead of settings.")
def scan(ports: Sequence[str], listen: float, environment: str, write: bool, as_json: bool) -> int:
    """Find meters: port, protocol, model, serial number, and settings.

    Looks at each PORT (a device, socket://host:port or rfc2217://host:port), or at all serial ports of this
    machine but its console. First it only listens, since P1 meters send by themselves, at 115200 and 9600
    Bd, encrypted or not. Then it asks: in KMP, by the sign-on of IEC 62056-21, and by the short request of
    older MULTICALs, until something answers. Each question is put once, for the sake of the meters'
    batteries; KMP's twice, since the first can go into waking the meter. Press a key on a battery meter
    before.

    Standard output gets the settings to paste into settings.toml; standard error what happens. Nothing is
    written without --write. The exit code is 69 when no meter was found.
    """
    if write and not _SETTINGS.exists():
        raise click.UsageError(
            "there is no settings.toml here to write to: run `smart-meter-reader init` first"
        )
    name = _environment_name(environment)
    wanted = [_lasting(port) for port in ports or _all_ports()]
    if not wanted:
        print("There is no serial port to scan: plug the adapter in, or name a PORT.", file=sys.stderr)
        return EXIT_UNAVAILABLE
    reports = asyncio.run(scan_ports(wanted, _tell, listen))
    for report in reports:
        print(_verdict(report), file=sys.stderr)
    found = [report.found for report in reports if report.found is not None]
    if as_json:
        for report in reports:
            print(dumps_for(sys.stdout, _as_dict(report)))
    elif found and not write:
        print(settings_block(name, found), end="")
    if write and found:
        _append(name, found)
    return EXIT_OK if found else EXIT_UNAVAILABLE


def _append(name: str, found: Sequence[Found]) -> None:
    append(_SETTINGS, settings_block(name, found))
    print(
        f"added the environment {name} to settings.toml; try: smart-meter-reader run {name}", file=sys.stderr
    )


def _environment_name(wanted: str) -> str:
    if not _NAME.fullmatch(wanted) or wanted.lower() in ("default", "global"):
        raise click.UsageError(
            f"--environment {wanted}: use letters a-z, digits and _, and not default or global"
        )
    return free_environment(Path(), wanted)


def _all_ports() -> list[str]:
    """The ports of this machine, without the one on which it lets people log in."""
    devices = [port.device for port in serial_ports()]
    for device in filter(is_console, devices):
        print(
            f"{device}: left alone, it is this system's console; name it to have it scanned", file=sys.stderr
        )
    return [device for device in devices if not is_console(device)]


def _lasting(port: str) -> str:
    """The port by the name that stays, where it has one."""
    return port if "://" in port else stable_name(port) or port


def _tell(port: str, what: str) -> None:
    print(f"{port}: {what} ...", file=sys.stderr)


def _verdict(report: PortReport) -> str:
    if report.found is not None:
        return f"{report.port}: found {report.found.description}"
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


def _as_dict(report: PortReport) -> dict[str, object]:
    found = report.found
    if found is None:
        return {"port": report.port, "found": False, "problem": report.problem, "clues": report.clues}
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
