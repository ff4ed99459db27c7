"""Starts a program in a fork of ``imported``, and is that program for whoever started it.

    python -I -S start_imported.py MODULE [ARGUMENTS...]

The program has its files, directory, variables and umask, gets its signals, and it ends as the program does.
When it is killed the program is too, a moment later. What no fork can be it becomes: `python -m MODULE`.
Its name in /proc is the number of the fork (``imported.number_of``).
A terminal that nobody has yet is the program's own: Ctrl-C and the end of the terminal come to it.
"""

from __future__ import annotations

# No more than this: it is imported each time. socket, json and typing take longer than all the rest.
import _signal  # type: ignore[import-not-found]  # which `signal` adds names to
import _socket
import marshal
import os
import sys

ADDRESS = "SMART_METER_READER_TESTS_IMPORTED"
PASSED_ON = (
    _signal.SIGTERM,
    _signal.SIGINT,
    _signal.SIGHUP,
    _signal.SIGUSR1,
    _signal.SIGUSR2,
    _signal.SIGQUIT,
)


def main() -> None:
    """Ask for a fork, wait for its end, and end the same way."""
    _signal.pthread_sigmask(_signal.SIG_BLOCK, PASSED_ON)
    connection = _asked()
    if connection is None:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, PASSED_ON)
        os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606 - becomes it

    def pass_on(number: int, _frame: object) -> None:
        try:
            connection.send(bytes((number,)))
        except OSError:
            pass  # it has ended: how is read next

    for number in PASSED_ON:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, pass_on)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, PASSED_ON)
    os.closerange(0, 3)  # so that who reads from the program, or writes to it, sees when it closes them
    code = int(connection.recv(16) or 1)
    if code < 0:
        if -code != _signal.SIGKILL:  # which nobody can handle
            _signal.signal(-code, _signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _asked() -> _socket.socket | None:
    """The connection to a fork that has begun; None where there can be none."""
    umask = os.umask(0)
    os.umask(umask)
    ignored = [int(number) for number in PASSED_ON if _signal.getsignal(number) == _signal.SIG_IGN]
    try:
        for file in range(3):
            os.fstat(file)  # none of them is closed
        directory = os.getcwd()  # noqa: PTH109 - pathlib takes as long as all the rest
        asked = marshal.dumps((sys.argv[1:], directory, dict(os.environ), umask, ignored))
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        connection.connect("\0" + os.environ.get(ADDRESS, "").partition(" ")[0])
        files = b"".join(file.to_bytes(4, sys.byteorder) for file in range(3))
        connection.sendmsg([asked], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
        answer, _, number = connection.recv(32).partition(b" ")
        if answer != b"begun":
            return None
        name = os.open("/proc/self/comm", os.O_WRONLY)
        os.write(name, number)
        os.close(name)
        return connection
    except OSError:
        return None


if __name__ == "__main__":
    main()
