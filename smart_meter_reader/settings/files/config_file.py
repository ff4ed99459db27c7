"""Runs the user's config.py with dynaconf, and says in one line what went wrong in it."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
import tomllib
import traceback
import types
import typing
from pathlib import Path
from typing import Any, BinaryIO

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.files.toml_text import decode_text

# Where the Debian package and `service install` have the settings of services.
_OF_SERVICES = Path("/etc/smart_meter_reader")


def not_found(name: str, directory: Path) -> SettingsError:
    """What to do where a file of settings is missing."""
    advice = elsewhere(name, directory) or "`smart-meter-reader init` writes one"
    return SettingsError([f"{name}: not found in {directory}; {advice}"])


def elsewhere(name: str, directory: Path) -> str:
    """Where the service has its file of this name, for whoever looks for it in ``directory``; or ""."""
    if directory.absolute() == _OF_SERVICES or not (_OF_SERVICES / name).is_file():
        return ""
    return f"that of the service is in {_OF_SERVICES}: cd {_OF_SERVICES}"


def import_config(path: Path) -> Any:
    """The object ``settings`` of the config.py at ``path``, and no other module of that name.

    Raises SettingsError when there is none, and whatever config.py raises.
    """
    if not path.is_file():
        raise not_found(path.name, path.parent)
    spec = importlib.util.spec_from_file_location("config", path)
    assert spec is not None
    assert spec.loader is not None
    _import_dynaconf()
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    settings: Any = vars(module).get("settings")
    if not hasattr(settings, "loaded_by_loaders"):  # dynaconf has no name for all that it makes such of
        raise SettingsError(["config.py: defines no Dynaconf object named `settings`"])
    if not settings.get("ENVIRONMENTS_FOR_DYNACONF"):
        raise SettingsError(["config.py: Dynaconf(...) needs environments=True"])
    return settings


def _import_dynaconf() -> None:
    """Import dynaconf, and let it take files with the mark (BOM) that some editors put in front of UTF-8."""
    _import_lightly()
    loader = importlib.import_module("dynaconf.loaders.toml_loader")
    vars(loader)["tomllib"] = types.SimpleNamespace(**{**vars(loader.tomllib), "load": _load_toml})


def _load_toml(file: BinaryIO) -> dict[str, Any]:
    return tomllib.loads(decode_text(file.read(), file.name))


def _import_lightly() -> None:
    """Import dynaconf without ``importlib.metadata``, which brings email, zipfile and csv: 3 MiB resident.

    It wants it for two things only: its part for Flask, and its own version in reports for its developers.
    """
    name = "importlib.metadata"
    if name in sys.modules:
        return
    stand_in = types.ModuleType(name)
    vars(stand_in).update(EntryPoint=object, PackageNotFoundError=ImportError, version=str)
    sys.modules[name] = stand_in
    try:
        importlib.import_module("dynaconf")
    except Exception:  # noqa: BLE001, S110 - config.py imports it too, and what fails is told there
        pass
    finally:
        del sys.modules[name]


def forget_dynaconf() -> None:
    """Let go of dynaconf, so that what is imported from now on takes its place: 3.4 MiB of the process.

    It is needed once, at the start, and brings parsers of YAML and TOML and a command line of its own.
    Whoever wants it again imports it anew; what config.py has kept of it (a thread, say) goes on working.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == "dynaconf"]:
        del sys.modules[name]
    # typing remembers what Union[...] was last asked for. A single class of dynaconf in there holds all of it
    # through its functions' globals. Python's own search for leaks empties these caches in the same way.
    for clear in getattr(typing, "_cleanups", ()):  # not promised by any Python
        clear()
    gc.collect()


def error_line(error: BaseException, config: Path) -> str:
    """One line about what config.py raised, without messages that can quote a value: it may be a secret."""
    name = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"config.py, line {error.lineno}: {name}: {error.msg}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(config)
    ]
    place = f"config.py, line {lines[-1]}" if lines else "config.py"
    quotes = isinstance(error, ValueError) or type(error).__module__.startswith("dynaconf")
    text = "" if quotes else " ".join(str(error).split())[:200]
    return f"{place}: {name}" + (f": {text}" if text else "")
