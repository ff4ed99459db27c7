"""The command `decode auto`: finds out which protocol a capture is of and has it decoded as that."""

from __future__ import annotations

from pathlib import Path

import click

from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.console.capture import read_capture_or_text
from smart_meter_reader.drivers import Likeness, MeterDriver, imported
from smart_meter_reader.meters.cipher_keys import key_options
from smart_meter_reader.meters.registry import meter_drivers


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@key_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per frame and line.")
@click.pass_context
def auto(
    context: click.Context,
    capture: tuple[str, ...],
    key: str | None,
    authentication_key: str | None,
    key_file: Path | None,
    as_json: bool,
) -> None:
    """Decode a capture of any of the protocols.

    The capture is given as for the others. Which protocol it was taken for is told on standard error. The
    keys are for encrypted meters.

    Exit code 65 tells that no protocol was recognised, that a frame was damaged or that there was none.
    """
    captured = read_capture_or_text(capture)
    if not captured:
        click.echo("the capture is empty", err=True)
        context.exit(EXIT_DATA)
    drivers = [driver for driver in meter_drivers().values() if driver.sniff]
    driver = likeliest(captured, drivers)
    if driver is None:
        for unread in (imported(each.unread)(captured) for each in drivers if each.unread):
            if unread:
                click.echo(f"this is {unread}, which this program does not read", err=True)
                context.exit(EXIT_DATA)
        titles = [each.title for each in drivers]
        known = f"{', '.join(titles[:-1])} and {titles[-1]}"
        click.echo(f"not recognised: none of {known} looks like this", err=True)
        context.exit(EXIT_DATA)
    click.echo(f"taken for {driver.title}; decode {driver.protocol} has more options", err=True)
    command: click.Command = imported(driver.decode)
    # Handed on as digits, since standard input can be read only once.
    given = {
        "capture": (captured.hex(),),
        "key": key,
        "authentication_key": authentication_key,
        "key_file": key_file,
        "as_json": as_json,
    }
    taken = {parameter.name for parameter in command.params}
    context.invoke(command, **{name: value for name, value in given.items() if name in taken})


def likeliest(capture: bytes, drivers: list[MeterDriver]) -> MeterDriver | None:
    """The family whose protocol the bytes look like most, at a tie the first; None when like none."""
    best, found = Likeness.NONE, None
    for driver in drivers:
        likeness: Likeness = imported(driver.sniff)(capture)
        if likeness > best:
            best, found = likeness, driver
    return found
