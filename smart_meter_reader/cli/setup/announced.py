"""Brokers and Home Assistants that announce themselves in the local network (mDNS), as Avahi tells them."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from smart_meter_reader.text import is_digits, printable

MQTT, HOME_ASSISTANT = "_mqtt._tcp", "_home-assistant._tcp"
# Its name would do on most computers; where nobody wrote /etc/hosts it does not.
THIS_COMPUTER = "127.0.0.1"
_SECONDS = 5.0
_USUAL_PORT = 1883
# avahi-browse --parsable: "=", interface, protocol, name, type, domain, host, address, port, TXT records.
_FIELDS = 9


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who announces what, where."""

    service: str
    name: str
    host: str
    port: int


def announced() -> list[Neighbour]:
    """What announces itself now, over IPv4; none where avahi-browse is not installed. Takes some seconds."""
    program = shutil.which("avahi-browse")
    if program is None:
        return []
    asked = [
        subprocess.Popen(  # noqa: S603 - fixed words
            [program, "--parsable", "--resolve", "--terminate", service],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        for service in (MQTT, HOME_ASSISTANT)
    ]
    found: list[Neighbour] = []
    for process in asked:
        try:
            told, _ = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            told, _ = process.communicate()
        found += parse_announced(told.decode("utf-8", errors="replace"))
    return list(dict.fromkeys(found))


def parse_announced(text: str) -> Iterator[Neighbour]:
    """What avahi-browse printed. Anybody can announce anything: what is no address is left out."""
    for line in text.splitlines():
        fields = line.split(";")
        if len(fields) < _FIELDS or fields[0] != "=" or fields[2] != "IPv4":
            continue
        name, service, address, port = fields[3], fields[4], fields[7], fields[8]
        if service in (MQTT, HOME_ASSISTANT) and _is_address(address) and is_digits(port, 5):
            yield Neighbour(service, printable(name, 60), address, int(port))


def answers_here() -> bool:
    """Whether something on this computer listens where brokers do."""
    try:
        socket.create_connection((THIS_COMPUTER, _USUAL_PORT), timeout=1).close()
    except OSError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True
