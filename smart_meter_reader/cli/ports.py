"""`ports`: the serial ports of this machine, their stable names, who may open them and who holds them."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.transport.ports import SerialPort, how_to_open, named_holders, serial_ports


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def ports(as_json: bool) -> None:
    """List the serial ports, those of USB adapters with the name that stays when plugs are changed."""
    found = serial_ports()
    if as_json:
        for port in found:
            click.echo(dumps_for(sys.stdout, _as_dict(port)))
        return
    if not found:
        click.echo(
            "No serial port was found: plug the adapter in; a virtual machine or container must be given it.",
            err=True,
        )
    for port in found:
        _print(port)


def _as_dict(port: SerialPort) -> dict[str, object]:
    fields = asdict(port)
    fields["holders"] = [asdict(holder) for holder in port.holders]
    return fields


def _print(port: SerialPort) -> None:
    click.echo(port.by_id or port.by_path or port.device)
    if port.by_id or port.by_path:
        click.echo(f"    device   {port.device}")
    if port.description:
        click.echo(f"    adapter  {port.description}")
    click.echo(f"    rights   {port.mode} {port.owner}:{port.group}, {_rights(port)}")
    if port.holders:
        click.echo(f"    held by  {named_holders(port.holders)}")


def _rights(port: SerialPort) -> str:
    if port.may_open:
        return "you may open it"
    return f"you may not open it: {how_to_open(port.group)}"
