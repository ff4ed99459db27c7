"""The option `--zone`: whose winter time a meter's clock has, and in which zone times are shown."""

from __future__ import annotations

import os
from zoneinfo import ZoneInfo

import click

from smart_meter_reader.history.zone import is_zone, system_zone


def _checked(context: click.Context, option: click.Parameter, given: str | None) -> ZoneInfo:
    if given is not None and not is_zone(given):
        raise click.BadParameter(f"this computer knows no zone {given}; one is like Europe/Vienna")
    return ZoneInfo(given if given is not None else system_zone(os.environ))


zone_option = click.option(
    "--zone",
    metavar="NAME",
    callback=_checked,
    help="The house's zone, such as Europe/Vienna: the meter's clock has its winter time. Default: this "
    "computer's.",
)
