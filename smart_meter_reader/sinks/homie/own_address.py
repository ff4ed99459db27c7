"""Under which addresses this computer is known in its network."""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path

# Told when there is none: of the loopback interface these are the real ones.
LOOPBACK_IP = "127.0.0.1"
NO_MAC = "00:00:00:00:00:00"

# An address that belongs to nobody (RFC 5737), reached by the default route. UDP: nothing is sent.
_ELSEWHERE = ("192.0.2.254", 9)
_SIOCGIFADDR = 0x8915  # netdevice(7): the IPv4 address of an interface
_IFNAMSIZ = 16
_SYS_CLASS_NET = Path("/sys/class/net")


def local_ip() -> str:
    """The IPv4 address of the interface that leads to other networks; LOOPBACK_IP when none does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return LOOPBACK_IP
        ip, _ = probe.getsockname()
        return str(ip)


def mac_address(ip: str) -> str:
    """The MAC address, as ``A1:B2:C3:D4:E5:F6``, of the interface with this IPv4 address; else NO_MAC."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            names = [name for _, name in socket.if_nameindex()]
        except OSError:
            return NO_MAC
        found = (_mac_of(name) for name in names if _ip_of(name, probe) == ip)
        return next(found, NO_MAC)


def _ip_of(interface: str, probe: socket.socket) -> str:
    request = struct.pack("256s", interface.encode()[: _IFNAMSIZ - 1])
    try:
        answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
    except OSError:
        return ""  # an interface without an address
    return socket.inet_ntoa(answer[20:24])


def _mac_of(interface: str) -> str:
    try:
        text = (_SYS_CLASS_NET / interface / "address").read_text().strip().upper()
    except OSError:
        return NO_MAC
    return text if len(text) == len(NO_MAC) else NO_MAC
