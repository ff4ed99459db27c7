"""Settings that say which machine this is: whose meters it reads, at which site, and by what name."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.fleet.subjects import NAME, NAME_HELP
from smart_meter_reader.settings.schema import setting

_LONGEST_EDGE: Final = 64


def site_setting(what: str) -> Any:
    """The site; ``what`` says what it means for whoever asks for it."""
    return setting(what, pattern=NAME, pattern_help=NAME_HELP, identifies=True)


@dataclass(frozen=True, kw_only=True)  # without slots, as its base
class EdgeSettings(NatsSettings):
    """The servers, and who we are among those that they know."""

    tenant: str = setting(
        "whose meters these are: the account of the servers' configuration",
        pattern=NAME,
        pattern_help=NAME_HELP,
        identifies=True,
    )
    site: str = site_setting("where the meters are")
    edge: str = setting(
        'name of this machine among those of the site; "": host name and environment',
        default="",
        pattern=f"|{NAME}",
        pattern_help=NAME_HELP,
        identifies=True,
    )

    def named(self, environment: str) -> Self:
        """Each environment is a machine of its own, unless the settings say how it is called."""
        edge = re.sub(r"[^A-Za-z0-9_-]", "-", f"{socket.gethostname()}-{environment}")[:_LONGEST_EDGE]
        return replace(self, edge=self.edge or edge)
