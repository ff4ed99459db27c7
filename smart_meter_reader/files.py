"""Small files that others may have put there: whose they are, read without hanging, written whole."""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Far more than any settings, keys or memory need; what is larger is not ours.
LARGEST = 4 * 1024 * 1024


def read_small(path: Path, most: int = LARGEST) -> bytes:
    """The content of a regular file, or of a link to one.

    Raises OSError for everything that opening raises; for a pipe, device, socket or directory, which could
    keep the reader waiting for ever; and for a file of more than ``most`` bytes. ``strerror`` says which.
    """
    # Not to wait for the writer of a pipe, and not to let a terminal become ours.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(descriptor).st_mode, path)
        chunks, left = [], most + 1
        while left and (chunk := os.read(descriptor, left)):
            chunks.append(chunk)
            left -= len(chunk)
    finally:
        os.close(descriptor)
    if not left:
        raise OSError(errno.EFBIG, f"larger than {most // 1024} KiB", str(path))
    return b"".join(chunks)


def read_small_text(path: Path, most: int = LARGEST) -> str:
    """The same as text in UTF-8. Raises UnicodeDecodeError too."""
    # As reading in text mode does.
    return read_small(path, most).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def _require_regular(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kind = "named pipe" if stat.S_ISFIFO(mode) else "device"  # a socket cannot be opened at all
        raise OSError(errno.EINVAL, f"it is a {kind} and no file", str(path))


def write_whole(path: Path, text: str) -> None:
    """Write so that after a power cut there is the old file or the new one, never half of one.

    For the owner alone: serial numbers are nobody else's business. Raises OSError and UnicodeEncodeError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(text.encode())


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, piece by piece, that takes the place of ``path`` only when all of it is on the disk.

    For the owner alone. Whatever is raised meanwhile leaves the old file, or none. Raises OSError.
    """
    # A name of its own: a run from cron may write beside the service.
    beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    number = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:  # a cancellation too: no half-written file stays
        beside.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def user_name(number: int) -> str:
    """What the user of this number is called, or the number."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
