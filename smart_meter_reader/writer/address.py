"""The address of the writer's database: where it leads, and how far it has the connection protected. Pure.

Source: PostgreSQL 15, "Connection URIs" and "SSL Support" (sslmode).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from smart_meter_reader.network.loopback import is_this_computer

_VERIFYING: Final = frozenset({"verify-ca", "verify-full"})


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """``hosts`` are those that are no directory of a socket; ``sslmode`` is "" where the address has none."""

    hosts: tuple[str, ...]
    sslmode: str

    @property
    def away(self) -> tuple[str, ...]:
        """The hosts that are other computers."""
        return tuple(host for host in self.hosts if not is_this_computer(host))

    @property
    def verifies(self) -> bool:
        """Whether the address itself demands a certificate that is signed by a CA we trust."""
        return self.sslmode in _VERIFYING

    @property
    def encrypts(self) -> bool:
        """Whether it demands TLS at all."""
        return self.verifies or self.sslmode == "require"


def read_address(address: str) -> DatabaseAddress:
    """Take an address apart. Raises ValueError for one that is none."""
    parts = urlsplit(address)
    options = parse_qs(parts.query)
    named = parts.netloc.rpartition("@")[2].split(",") + ",".join(options.get("host", [])).split(",")
    hosts = (_without_port(each) for each in named)
    return DatabaseAddress(
        tuple(each for each in hosts if each and not each.startswith(("/", "%2F", "%2f"))),
        options.get("sslmode", [""])[-1],
    )


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and ":" not in name else host
