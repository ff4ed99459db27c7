"""Loads config.py with dynaconf, and takes the tables apart by their source.

dynaconf says which files, environment and variables count, and evaluates its markers (``@format``, ``@int``).
Its merging is not used: it replaces nested tables whole, or joins lists. Instead every file's table for
every environment is taken from its loading history, with its source, to be merged key by key (see
``tables``).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.files.config_file import error_line, import_config, not_found
from smart_meter_reader.settings.files.toml_text import read_toml
from smart_meter_reader.settings.files.trust import examine_owners
from smart_meter_reader.settings.names import holds_secrets, nearest

# As dynaconf names them; it reads the .local ones even when config.py does not name them.
_TOML_FILES = ("settings.toml", "settings.local.toml", ".secrets.toml", ".secrets.local.toml")
_ALWAYS = ("default", "global")  # tables that belong to every environment
_RESERVED = ("meters", "sinks", "mqtt", "nats", "leases", "guard")  # tables that stand inside an environment
_OF_A_COMMAND = ("writer", "page")  # environments for dynaconf, without meters, which nobody means by none
_PROBE = "SMART_METER_READER_VALUE"


def load_tables(directory: Path, environment: str | None) -> dict[str, Any]:
    """What ``source.read_source`` returns. Raises SettingsError."""
    doubts = examine_owners(directory, ("config.py", *_TOML_FILES))
    tables = _parse_files(directory)
    environment = environment or _only(tables)
    if environment is not None:
        os.environ["ENV_FOR_DYNACONF"] = environment
    # dynaconf warns of a file that it may not read; ``_parse_files`` has said so, or has the credential.
    warnings.filterwarnings("ignore", "toml_loader: .*Permission denied", UserWarning)
    config = directory / "config.py"
    try:
        settings = import_config(config)
        current = str(settings.current_env)
        history = list(settings.loaded_by_loaders.items())
    except SettingsError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's program; it can raise anything
        suspects = list(_markers(tables)) if type(error).__module__.startswith("dynaconf") else []
        raise SettingsError(suspects or [error_line(error, config)]) from None
    _require_files(settings, directory)
    environments = _environments(tables, history)
    return {
        "environment": _chosen(current, environments),
        "warnings": [*doubts, *_strays(tables, environments)],
        "tables": list(_file_tables(settings, history)),
        "variables": list(_variables(settings)),
    }


def _parse_files(directory: Path) -> dict[str, dict[str, Any]]:
    """The TOML files by path.

    Parsed here too, since dynaconf's errors lack the file's name, and it skips files it may not read.
    """
    names = {directory / name: name for name in _TOML_FILES}
    credentials = credentials_file()
    if credentials:
        names[credentials] = str(credentials)
    tables: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for path, name in names.items():
        try:
            tables[str(path)] = read_toml(path, name)
        except FileNotFoundError:
            continue
        except SettingsError as error:
            problems += error.problems
        except OSError as error:
            # The service's user may not read it; systemd has, and put it up as the credential.
            if not (credentials and name == ".secrets.toml" and isinstance(error, PermissionError)):
                problems.append(f"{name}: cannot be read: {error.strerror}")
    for name, content in tables.items():
        problems += _outside_environments(Path(name).name, content)
    if problems:
        raise SettingsError(problems)
    return tables


def credentials_file() -> Path | None:
    """The file that systemd's ``LoadCredential=secrets.toml:...`` puts up for this service."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return None
    path = Path(directory, "secrets.toml")
    try:
        path.stat()
    except FileNotFoundError:
        return None
    except OSError:
        pass  # there is one: whoever reads it tells what is wrong
    return path


def _outside_environments(file: str, content: Mapping[str, Any]) -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, Mapping) and key in _RESERVED:
            yield f"{file}: [{key}] belongs to no environment; write its name in front, such as [home.{key}]"
        elif not isinstance(value, Mapping) and not key.startswith("dynaconf_"):
            yield f"{file}: {key} stands in no table; put it below its own, such as [{_near(key)}]"


def _near(key: str) -> str:
    """A table in which a key can stand that stands in none."""
    return "home" if key in ("log_level", "queue_size") else "home.meters.heat"


def _markers(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What to look at when dynaconf could not read a text with a marker: its error does not say which."""

    def texts(value: object, keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from texts(inner, (*keys, str(key)))
        elif isinstance(value, str) and value.startswith("@"):
            yield keys

    for path, content in tables.items():
        for environment, *keys in texts(content, ()):
            yield (
                f"{Path(path).name} [{environment}] {'.'.join(keys)}: begins with @, which dynaconf takes "
                "for an instruction (@int, @json, ...), and it cannot read what follows"
            )


def _require_files(settings: Any, directory: Path) -> None:
    names = settings.get("SETTINGS_FILE_FOR_DYNACONF") or []
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    wanted = [name for name in names if not Path(name).name.startswith(".")]
    if not any((directory / name).is_file() for name in wanted):
        missing = Path(wanted[0]).name if wanted else "settings.toml"
        raise not_found(missing, directory)


def _environments(tables: Mapping[str, Mapping[str, Any]], history: list[tuple[Any, Any]]) -> list[str]:
    """Names of the environments in TOML files, in their order, and what other formats gave dynaconf.

    Files of secrets only add to environments: a name that stands there alone is none.
    """
    names = [name for file, content in tables.items() if not holds_secrets(file) for name in _names(content)]
    names += [
        source.env.lower()
        for source, _ in history
        if Path(source.identifier).is_file() and not holds_secrets(source.identifier)
    ]
    return [name for name in dict.fromkeys(names) if name not in _ALWAYS]


def _strays(tables: Mapping[str, Mapping[str, Any]], environments: list[str]) -> Iterator[str]:
    """Secrets that no environment will ever see."""
    for file, content in tables.items():
        for name in _names(content):
            if name not in (*environments, *_ALWAYS):
                suggestion = nearest(name, environments)
                yield f"{Path(file).name} [{name}]: settings.toml has no such environment{suggestion}"


def _names(content: Mapping[str, Any]) -> list[str]:
    return [name.lower() for name, value in content.items() if isinstance(value, Mapping)]


def _only(tables: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The environment that nobody needs to name, since there is no other."""
    found = _environments(tables, [])
    environments = _meant(found)
    unnamed = not os.environ.get("ENV_FOR_DYNACONF")
    return environments[0] if unnamed and len(environments) == 1 else None


def _meant(environments: list[str]) -> list[str]:
    """Those that a person can mean; a table of a command where there is nothing else."""
    return [name for name in environments if name not in _OF_A_COMMAND] or environments


def _chosen(current: str, environments: list[str]) -> str:
    """The environment that is to run. dynaconf takes an unknown one for an empty one."""
    name = current.lower()
    if name in environments:
        return name
    if not environments:
        raise SettingsError(
            ["settings.toml: no environment yet, such as home; `smart-meter-reader scan --write` adds one"]
        )
    environments = _meant(environments)
    known = ", ".join(environments)
    if not os.environ.get("ENV_FOR_DYNACONF"):
        # dynaconf's own default is "development".
        raise SettingsError(
            [
                f"settings.toml has more than one environment: {known}; name the one that is meant, behind "
                "the command or in ENV_FOR_DYNACONF"
            ]
        )
    suggestion = nearest(name, environments)
    raise SettingsError([f'settings.toml: there is no environment "{current}", only: {known}{suggestion}'])


def _file_tables(settings: Any, history: list[tuple[Any, Any]]) -> Iterator[dict[str, Any]]:
    """Every file's table for default, the environment and global, in the order in which later ones win."""
    for origin, values in history:
        path = Path(origin.identifier)
        if path.is_absolute() and path.is_file():
            yield _file_table(settings, path, origin.env.lower(), values)
    credentials = credentials_file()
    if credentials:
        content = read_toml(credentials)
        lowered = {name.lower(): values for name, values in content.items()}
        for table in ("default", str(settings.current_env).lower(), "global"):
            yield _file_table(settings, credentials, table, lowered.get(table, {}))


def _file_table(settings: Any, path: Path, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    # dynaconf has upper-cased the first level; below it, keys stand as in the file.
    lowered = {str(key).lower(): value for key, value in values.items()}
    return {
        "source": str(path),
        "table": table,
        "values": _evaluated(settings, lowered, f"{path.name} [{table}] "),
    }


def _variables(settings: Any) -> Iterator[dict[str, Any]]:
    """The DYNACONF_ variables, each with the path of keys it names; in dynaconf's history they are merged."""
    prefixes = settings.get("ENVVAR_PREFIX_FOR_DYNACONF")
    names = prefixes.split(",") if isinstance(prefixes, str) else []
    for prefix in dict.fromkeys(["DYNACONF", *(name.strip().upper() for name in names)]):
        for name, text in sorted(os.environ.items()):
            if name.startswith(f"{prefix}_"):
                toml = text.lower() if text in ("True", "False") else text
                value = _marker(settings, toml, f"variable {name}", tomlfy=True)
                yield {
                    "name": name,
                    "path": name.removeprefix(f"{prefix}_").split("__"),
                    # No setting is a date; a password can look like one.
                    "value": text if isinstance(value, date | time) else value,
                    "text": text,
                }


def _evaluated(settings: Any, value: Any, place: str) -> Any:
    """Plain dicts and lists, with dynaconf's markers in texts evaluated."""
    if isinstance(value, Mapping):
        return {
            str(key): _evaluated(settings, inner, f"{place}.{key}" if place[-1] != " " else f"{place}{key}")
            for key, inner in value.items()
            if not str(key).startswith("dynaconf_")
        }
    if isinstance(value, list):
        return [_evaluated(settings, inner, place) for inner in value]
    if isinstance(value, str) and value.startswith("@"):
        return _marker(settings, value, place, tomlfy=False)
    if callable(value):  # a marker that dynaconf found already, to be evaluated when asked for
        return _called(settings, value, place)
    return value


def _marker(settings: Any, text: str, place: str, *, tomlfy: bool) -> Any:
    """What dynaconf makes of a text: ``@format {env[HOME]}/x``, ``@int 5``, or just the text."""

    def ask(_: Any) -> Any:
        settings.set(_PROBE, text, tomlfy=tomlfy)
        return settings.get(_PROBE)

    return _called(settings, ask, place)


def _called(settings: Any, marker: Callable[[Any], Any], place: str) -> Any:
    try:
        return marker(settings)
    except Exception as error:  # noqa: BLE001 - dynaconf raises bare Exceptions, whose text can quote values
        reason = type(error).__name__
        raise SettingsError([f"{place}: dynaconf cannot evaluate this value ({reason})"]) from None
