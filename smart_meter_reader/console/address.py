"""The option `--address` of commands that ask a meter before it is in the settings."""

from __future__ import annotations

import re

import click

# IEC 62056-21 §6.3.1; a destination address of KMP is a number and so fits as well.
_ADDRESS = re.compile(r"[0-9A-Za-z ]{0,32}")


def _checked(context: click.Context, option: click.Parameter, given: str) -> str:
    if not _ADDRESS.fullmatch(given):
        raise click.BadParameter("a meter's address has up to 32 letters, digits and blanks")
    return given


address_option = click.option(
    "--address",
    default="",
    callback=_checked,
    help="Ask the meter with this address only: IEC 62056-21, as a rule its number; KMP, 0 to 255; "
    "M-Bus, 0 to 250 or a secondary address, F for any digit.",
)
