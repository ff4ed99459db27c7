"""Gives its own files to a fork of ``collected``, and lives as long as that does.

    python -I -S start.py ADDRESS -u -c CODE

pytest-xdist starts one for each process that runs tests. Where nothing is collected for it, it becomes
`python -u -c CODE`, as it would have been.
"""

from __future__ import annotations

# No more than this: whatever else is imported ten processes import, before the first test.
import _signal  # type: ignore[import-not-found]  # which `signal` adds names to
import _socket
import os
import sys


def main() -> None:
    """Ask for a fork and wait for its end; who kills this one has it killed."""
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # Ctrl-C is for the fork
    connection = _asked()
    if connection is None:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, *sys.argv[2:]])  # noqa: S606 - becomes it
    os.closerange(0, 3)  # so that each side sees when the other one closes them
    try:
        connection.recv(1)
    except OSError:
        pass
    os._exit(0)


def _asked() -> _socket.socket | None:
    """The connection to a fork that has begun; None where there can be none."""
    try:
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        connection.connect("\0" + sys.argv[1])
        files = b"".join(file.to_bytes(4, sys.byteorder) for file in range(3))
        connection.sendmsg([b"fork"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
        return connection if connection.recv(8) == b"begun" else None
    except OSError:
        return None


if __name__ == "__main__":
    main()
