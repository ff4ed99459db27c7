"""What becomes of each key of another program's settings: taken, not needed, or unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smart_meter_reader.cli.scan.settings_block import toml_value
from smart_meter_reader.cli.setup.toml_editing import TomlValue
from smart_meter_reader.text import printable

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """One key of our settings, in a table of the environment."""

    table: tuple[str, ...]
    key: str
    value: TomlValue
    secret: bool = False


@dataclass(slots=True)
class Brought:
    """What one file of another program came to; ``fates`` are lines for the person, none with a secret.

    ``tables`` are made even where no key goes into them: sinks that need none.
    """

    program: str
    fates: list[str] = field(default_factory=list)
    changes: list[SettingsChange] = field(default_factory=list)
    tables: list[tuple[str, ...]] = field(default_factory=list)

    def take(
        self, key: str, table: tuple[str, ...], ours: str, value: TomlValue, *, remark: str = ""
    ) -> None:
        """A key of theirs is one of ours."""
        self.changes.append(SettingsChange(table, ours, value))
        written = printable(toml_value(value), _LONGEST)
        self._told(key, f"taken as [{_joined(table)}] {ours} = {written}{f'; {remark}' if remark else ''}")

    def take_secret(self, key: str, table: tuple[str, ...], ours: str, value: str) -> None:
        """A secret of theirs, for .secrets.toml."""
        self.changes.append(SettingsChange(table, ours, value, secret=True))
        self._told(key, f"taken as [{_joined(table)}] {ours}, into .secrets.toml")

    def set(self, table: tuple[str, ...], ours: str, value: TomlValue) -> None:
        """What follows from what the program is, and no key of theirs says."""
        self.changes.append(SettingsChange(table, ours, value))

    def add(self, table: tuple[str, ...]) -> None:
        """A table that may stay empty."""
        if table not in self.tables:
            self.tables.append(table)

    def not_needed(self, key: str, why: str) -> None:
        self._told(key, f"not needed: {why}")

    def unfit(self, key: str, why: str) -> None:
        """A key that we know, with a value that cannot be taken."""
        self._told(key, f"NOT TAKEN: {why}")

    def refuse(self, change: SettingsChange, why: str) -> None:
        """A key that was taken cannot be used; ``why`` tells no secret."""
        self.changes.remove(change)
        taken = f": taken as [{_joined(change.table)}] {change.key}"
        for place, told in enumerate(self.fates):
            key, found, _ = told.partition(taken)
            if found:
                self.fates[place] = f"{key}: NOT TAKEN: {why}"

    def unknown(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._told(key, "unknown: it was left out")

    def _told(self, key: str, what: str) -> None:
        self.fates.append(f"{printable(key, _LONGEST)}: {what}")


def _joined(table: tuple[str, ...]) -> str:
    return ".".join(table)


class Theirs:
    """A table of theirs, of which each key is asked for once: what is left over is unknown."""

    def __init__(self, name: str, table: object, brought: Brought) -> None:
        self._name, self._brought = name, brought
        self._left = {str(key): value for key, value in table.items()} if isinstance(table, Mapping) else {}

    def name_of(self, key: str) -> str:
        """The key with its table, as a person finds it."""
        return f"{self._name}.{key}" if self._name else key

    def take(self, key: str) -> Any:
        """The value of a key; None where there is none."""
        return self._left.pop(key, None)

    def text(self, key: str) -> str:
        """The same as text; "" where there is none, and where it is no text, which is told."""
        value = self.take(key)
        if value is None:
            return ""
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
        self._brought.unfit(self.name_of(key), "it is no text")
        return ""

    def whole(self, key: str, least: int, most: int) -> int | None:
        """The same as a number; None where there is none, and where it is none of these, which is told."""
        value = self.take(key)
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if value is None:
            return None
        if text.isascii() and text.isdecimal() and len(text) < 9 and least <= int(text) <= most:
            return int(text)
        self._brought.unfit(self.name_of(key), f"it is no number from {least} to {most}")
        return None

    def flag(self, key: str) -> bool | None:
        """The same as yes or no; None where there is none, and where it is neither, which is told."""
        value = self.take(key)
        word = str(value).strip().lower() if isinstance(value, str | bool | int) else ""
        if value is None:
            return None
        if word in ("true", "yes", "on", "1", "false", "no", "off", "0"):
            return word in ("true", "yes", "on", "1")
        self._brought.unfit(self.name_of(key), "it is neither true nor false")
        return None

    def not_needed(self, key: str, why: str) -> None:
        """A key that nothing needs here, where it is there."""
        if self.take(key) is not None:
            self._brought.not_needed(self.name_of(key), why)

    def take_text(self, key: str, table: tuple[str, ...], ours: str) -> str:
        """A text of theirs that is one of ours."""
        value = self.text(key)
        if value:
            self._brought.take(self.name_of(key), table, ours, value)
        return value

    def take_flag(self, key: str, table: tuple[str, ...], ours: str) -> bool:
        value = self.flag(key)
        if value is not None:
            self._brought.take(self.name_of(key), table, ours, value)
        return bool(value)

    def take_port(self, key: str) -> None:
        """The TCP port of the broker; the usual one need not be said."""
        value = self.whole(key, 1, 65535)
        if value == 1883:
            self._brought.not_needed(self.name_of(key), "1883 is the usual one")
        elif value is not None:
            self._brought.take(self.name_of(key), ("mqtt",), "port", value)

    def take_login(self, username: str, password: str) -> None:
        """The login at the broker. A password without a name is of no use."""
        name = self.take_text(username, ("mqtt",), "username")
        secret = self.text(password)
        if secret and name:
            self._brought.take_secret(self.name_of(password), ("mqtt",), "password", secret)
        elif secret:
            self._brought.unfit(self.name_of(password), "there is no name that it belongs to")

    def leave(self) -> None:
        """Whatever was not asked for is unknown."""
        self._brought.unknown(self.name_of(key) for key in self._left)
        self._left.clear()
