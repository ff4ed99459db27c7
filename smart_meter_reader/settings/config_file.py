"""Runs the user's config.py, and says in one line what went wrong in it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
import types
from pathlib import Path
from typing import Any

from smart_meter_reader.exceptions import SettingsError


def import_config(path: Path) -> Any:
    """The object ``settings`` of the config.py at ``path``, and no other module of that name.

    Raises SettingsError when there is none, and whatever config.py raises.
    """
    if not path.is_file():
        raise SettingsError([f"config.py: not found in {path.parent}; `smart-meter-reader init` writes one"])
    spec = importlib.util.spec_from_file_location("config", path)
    assert spec is not None
    assert spec.loader is not None
    _import_dynaconf()
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    settings: Any = getattr(module, "settings", None)
    if not hasattr(settings, "loaded_by_loaders"):
        raise SettingsError(["config.py: defines no Dynaconf object named `settings`"])
    if not settings.get("ENVIRONMENTS_FOR_DYNACONF"):
        raise SettingsError(["config.py: Dynaconf(...) needs environments=True"])
    return settings


def _import_dynaconf() -> None:
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


def summary(error: BaseException, config: Path) -> str:
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
