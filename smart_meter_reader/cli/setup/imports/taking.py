"""Reads the settings of another program, says what became of each key, and puts it into the draft."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smart_meter_reader.cli.setup.draft import SECRETS, SettingsDraft
from smart_meter_reader.cli.setup.imports.fates import Brought, SettingsChange
from smart_meter_reader.cli.setup.imports.hass_mc66c import hass_mc66c, is_hass_mc66c
from smart_meter_reader.cli.setup.imports.kamstrup_402_mqtt import is_kamstrup_402_mqtt, kamstrup_402_mqtt
from smart_meter_reader.cli.setup.imports.mueli import is_mueli, mueli
from smart_meter_reader.cli.setup.imports.multical402 import is_multical402, multical402
from smart_meter_reader.cli.setup.talk import Talk
from smart_meter_reader.cli.setup.toml_editing import TomlValue
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.files import read_small_text

_MOST = 256 * 1024
_KNOWN = (
    "it is none of: config.yaml of kamstrup-402-mqtt or hass-mc66c, a command line or crontab with "
    "multical402-4-home-assistant, settings.toml of the older Smart Meter Reader"
)


def take_in(talk: Talk, draft: SettingsDraft, file: Path) -> SettingsDraft:
    """The draft with what the file says. Raises SettingsError; nothing is written."""
    brought = brought_by(file)
    refuse_unfit(draft, brought)
    talk.say(f"{file.name} has the settings of {brought.program}:")
    for fate in brought.fates:
        talk.say(f"  {fate}")
    talk.say("Nothing is written yet.")
    return applied(draft, brought)


def brought_by(file: Path) -> Brought:
    """What the file came to. Raises SettingsError when it cannot be read or is of no program that we know."""
    text = _text(file)
    if is_multical402(text):
        try:
            return multical402(text)
        except ValueError:
            raise SettingsError([f"{file.name}: a quote in the command line has no other end"]) from None
    if file.suffix == ".toml":
        tables = _toml(text, file.name)
        if is_mueli(tables):
            beside = file.with_name(SECRETS)
            return mueli(tables, _toml(_text(beside), SECRETS) if beside.is_file() else {})
    else:
        tables = _yaml(text, file.name)
        if is_kamstrup_402_mqtt(tables):
            return kamstrup_402_mqtt(tables)
        if is_hass_mc66c(tables):
            return hass_mc66c(tables)
    raise SettingsError([f"{file.name}: {_KNOWN}"])


def refuse_unfit(draft: SettingsDraft, brought: Brought) -> None:
    """Leave out what our settings cannot be: no question of the conversation may be about it."""
    while unfit := _unfit(draft, brought):
        for change, why in unfit:
            brought.refuse(change, why)


def _unfit(draft: SettingsDraft, brought: Brought) -> list[tuple[SettingsChange, str]]:
    """What is refused of what was taken, and why; a check behind others comes only once those are content."""
    try:
        applied(draft, brought).load()
    except SettingsError as error:
        found = []
        for change in brought.changes:
            table = ".".join(change.table)
            for named in (f" {table}.{change.key}: ", f" {table}: {change.key}: "):
                found += [(change, text.partition(named)[2]) for text in error.problems if named in text][:1]
        return found
    return []


def applied(draft: SettingsDraft, brought: Brought) -> SettingsDraft:
    """The draft with all changes, table by table. Of a meter without a port, there is nothing to read."""
    for secret in (False, True):
        tables: dict[tuple[str, ...], dict[str, TomlValue]] = {}
        for change in brought.changes:
            if change.secret is secret:
                tables.setdefault(change.table, {})[change.key] = change.value
        for table, values in tables.items():
            if secret:
                draft = draft.put_secrets(table, {key: str(value) for key, value in values.items()})
            else:
                draft = draft.put(table, values)
    for table in brought.tables:
        draft = draft.put(table, {})
    return draft


def _text(file: Path) -> str:
    try:
        return read_small_text(file, _MOST)
    except OSError as error:
        raise SettingsError([f"{file.name}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            [f"{file.name}: byte {error.start + 1} is no text in UTF-8: save it as such, please"]
        ) from None


def _toml(text: str, name: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Its text quotes no value, but says where.
        raise SettingsError([f"{name}: it is no TOML: {error}"]) from None
    except (RecursionError, ValueError):
        raise SettingsError([f"{name}: it is no TOML that settings are written in"]) from None


def _yaml(text: str, name: str) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        # Its own words may quote a line with a password.
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SettingsError([f"{name}{line}: it is no YAML; are blanks and colons as they were?"]) from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        raise SettingsError([f"{name}: it is no YAML that settings are written in"]) from None
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}
