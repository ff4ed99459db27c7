"""Ports of the loopback interface."""

from __future__ import annotations

import socket


def free_port() -> int:
    """One that nobody listens on; the system chooses, so that tests beside this one get others."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
