"""Lets Ctrl-C end a question that takes long: SQLite does not come back to Python until it has the answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

# So many steps of SQLite's machine lie between two looks: some hundredths of a second.
_STEPS = 200_000


@contextmanager
def interruptible_questions(connection: sqlite3.Connection) -> Iterator[None]:
    """Raise KeyboardInterrupt out of the questions asked within; of the main thread, that is."""

    def look() -> bool:
        return False  # here Python runs its own handler of the signal, and what it raises ends the question

    connection.set_progress_handler(look, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        # sqlite3 keeps no exception of such a handler but that it has ended.
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from error
        raise
    finally:
        connection.set_progress_handler(None, 0)
