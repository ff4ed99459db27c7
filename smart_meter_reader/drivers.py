"""Finds a driver (client or sink) by the name that settings use, importing its module only then."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def load_driver(registry: Mapping[str, str], name: str) -> Any:
    """The class registered as ``name``: ``module:Class`` in the registry. KeyError when there is none."""
    module, _, attribute = registry[name].partition(":")
    return getattr(import_module(module), attribute)
