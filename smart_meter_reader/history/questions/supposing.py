"""The history as it would be with another note, or without one that is there: to look before it is said.

A table of the same name in SQLite's own temporary database goes before the one in the file
(https://sqlite.org/lang_naming.html), for this connection alone, which cannot write the file.
"""

from __future__ import annotations

from pathlib import Path

from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.connecting import explained_for


class SupposedHistory(History):
    """A history whose notes may be changed without a trace. Raises HistoryError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with explained_for(path):
            self._connection.execute("CREATE TEMP TABLE note AS SELECT * FROM main.note")

    def suppose_note(self, meter: str, quantity: str, kind: str, since: int, until: int) -> None:
        """As if this were noted. ``kind`` is replaced or wrong."""
        with explained_for(self.path):
            self._connection.execute(
                "INSERT INTO temp.note (made, meter, quantity, kind, since, until, text) "
                "SELECT 0, id, ?, ?, ?, ?, '' FROM meter WHERE name = ?",
                (quantity, kind, since, until, meter),
            )

    def suppose_taken_back(self, number: int) -> None:
        """As if a note were taken back."""
        with explained_for(self.path):
            self._connection.execute("UPDATE temp.note SET taken_back = 0 WHERE id = ?", (number,))
