"""What the files of settings are to become: texts in memory, until a person has seen them and agreed."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from smart_meter_reader.cli.init import starter
from smart_meter_reader.cli.scan.settings_block import HOME, Target, target_in
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.cli.setup.toml_editing import (
    TomlValue,
    comment_out,
    remove_keys,
    remove_table,
    set_keys,
)
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.files import read_small
from smart_meter_reader.service.settings_files import default_config, load_contents
from smart_meter_reader.settings.files.toml_text import decode_text, parse_toml
from smart_meter_reader.settings.files.trust import examine_owners
from smart_meter_reader.settings.loading import LoadedSettings

CONFIG, SETTINGS, LOCAL, SECRETS = "config.py", "settings.toml", "settings.local.toml", ".secrets.toml"
_TEMPLATES = {SETTINGS: "settings.toml.template", SECRETS: "secrets.toml.template"}


@dataclass(frozen=True, slots=True)
class SettingsDraft:
    """The settings of one environment as they would be, and the bytes that are there now (None: no file)."""

    directory: Path
    environment: str
    settings: str
    secrets: str
    before: Mapping[str, bytes | None]
    read: frozenset[str] = field(default_factory=frozenset)
    """The meters of which a reading was taken in this conversation."""

    @classmethod
    def of(cls, directory: Path, wanted: str | None) -> Self:
        """From the files in ``directory``, or what `init` would write there.

        Raises SettingsError, for root also where somebody else can change them: config.py is a program.
        """
        examine_owners(directory, (CONFIG, SETTINGS, LOCAL, SECRETS))
        before = {name: _content(directory / name) for name in (CONFIG, SETTINGS, LOCAL, SECRETS)}
        texts = {}
        for name, template in _TEMPLATES.items():
            content = before[name]
            texts[name] = decode_text(starter(template) if content is None else content, name)
            parse_toml(texts[name], name)
        draft = cls(directory, wanted or HOME, texts[SETTINGS], texts[SECRETS], MappingProxyType(before))
        return replace(draft, environment=target_in(draft._files, wanted).environment)

    @property
    def is_new(self) -> bool:
        return self.before[SETTINGS] is None

    @property
    def target(self) -> Target:
        """The environment as `scan` sees it."""
        return target_in(self._files, self.environment)

    @property
    def _files(self) -> list[dict[str, Any]]:
        local = self.before[LOCAL]
        files = [tomllib.loads(self.settings)]
        if local is not None:
            files.append(parse_toml(decode_text(local, LOCAL), LOCAL))
        return [{name: table for name, table in file.items() if isinstance(table, dict)} for file in files]

    def table(self, *path: str) -> Mapping[str, Any]:
        """A table of settings.toml: of [default], and over it of the environment; empty for none."""
        tables = tomllib.loads(self.settings)
        nodes = (_at(tables, ("default", *path)), _at(tables, (self.environment, *path)))
        return {key: value for node in nodes if isinstance(node, dict) for key, value in node.items()}

    def has_sink(self, kind: str) -> bool:
        """Whether there is a sink of this kind, whatever it is called."""
        return any(
            isinstance(table, dict) and table.get("type", name) == kind
            for name, table in self.table("sinks").items()
        )

    def has_secret(self, *path: str) -> bool:
        """Whether .secrets.toml says this key."""
        tables = tomllib.loads(self.secrets)
        found = (_at(tables, (name, *path)) for name in ("default", self._secret_environment))
        return any(value is not None for value in found)

    def put(self, path: tuple[str, ...], values: Mapping[str, TomlValue]) -> Self:
        """With these keys in a table of settings.toml; what says the same already is left alone."""
        own = _at(tomllib.loads(self.settings), (self.environment, *path))
        seen = self.table(*path)
        new = {key: value for key, value in values.items() if key not in seen or seen[key] != value}
        if not new and (seen or own is not None):
            return self
        text = set_keys(self.settings, (self.environment, *path), new, SETTINGS)
        return replace(self, settings=text)

    def put_secrets(self, path: tuple[str, ...], values: Mapping[str, str]) -> Self:
        text = set_keys(self.secrets, (self._secret_environment, *path), values, SECRETS)
        return replace(self, secrets=text)

    def drop(self, path: tuple[str, ...], keys: Collection[str]) -> Self:
        """Without these keys, wherever they stand."""
        return replace(
            self,
            settings=remove_keys(self.settings, (self.environment, *path), keys, SETTINGS),
            secrets=remove_keys(self.secrets, (self._secret_environment, *path), keys, SECRETS),
        )

    def without(self, path: tuple[str, ...]) -> Self:
        """With a # before each line of a table, and of its secrets; what the files do not have yet is gone.

        A table of secrets alone would make the meter or sink again.
        """
        return replace(
            self,
            settings=self._without(self.settings, SETTINGS, (self.environment, *path)),
            secrets=self._without(self.secrets, SECRETS, (self._secret_environment, *path)),
        )

    def _without(self, text: str, name: str, whole: tuple[str, ...]) -> str:
        content = self.before[name]
        before = tomllib.loads(decode_text(starter(_TEMPLATES[name]) if content is None else content, name))
        change = remove_table if _at(before, whole) is None else comment_out
        return change(text, whole, name)

    def without_sink(self, kind: str) -> Self:
        draft = self
        for name, table in self.table("sinks").items():
            if isinstance(table, dict) and table.get("type", name) == kind:
                draft = draft.without(("sinks", name))
        return draft

    def with_block(self, block: str) -> Self:
        """With a table at the end."""
        gap = "" if not self.settings else "\n" if self.settings.endswith("\n") else "\n\n"
        try:
            tomllib.loads(self.settings + gap + block)
        except tomllib.TOMLDecodeError as error:
            raise SettingsError([f"{SETTINGS}: nothing can be added to what is there: {error}"]) from None
        return replace(self, settings=self.settings + gap + block)

    @property
    def contents(self) -> Mapping[str, bytes]:
        """The files as they would be."""
        made = {SETTINGS: self.settings.encode(), SECRETS: self.secrets.encode()}
        kept = {name: content for name, content in self.before.items() if content is not None}
        return {CONFIG: default_config(), **kept, **made}

    def load(self) -> LoadedSettings:
        """The settings, all of them judged. Raises SettingsError."""
        return load_contents(self.contents, lambda place: load_settings(place, self.environment))

    @property
    def _secret_environment(self) -> str:
        """The environment as .secrets.toml spells it."""
        names = {name.lower(): name for name in tomllib.loads(self.secrets)}
        return names.get(self.environment.lower(), self.environment)


def _at(tables: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at a path of keys; None for nothing."""
    node: Any = tables
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return node


def _content(path: Path) -> bytes | None:
    try:
        return read_small(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError([f"{path.name}: cannot be read: {error.strerror}"]) from None
