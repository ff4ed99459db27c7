"""The keys of a settings dataclass: what each allows, whether it is required, whether it names somebody."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from smart_meter_reader.settings.values import Limits, allowed_text


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a settings dataclass, as ``parse`` and the reference in docs/settings.md see it."""

    name: str
    annotation: Any
    limits: Limits
    required: bool
    default: Any  # None when required

    @property
    def allowed(self) -> str:
        return allowed_text(self.annotation, self.limits)

    @property
    def is_free_text(self) -> bool:
        """Whether people write what they like: then it must be decided whether it tells who they are."""
        return not self.limits.choices and bool(_leaves(self.annotation) & {str, Path})

    @property
    def identifies(self) -> bool:
        """Whether the value may name a person, a household or a device."""
        decided = self.limits.identifies
        return self.is_free_text if decided is None else decided


def keys_of(settings_type: type[Any]) -> Mapping[str, Key]:
    """The keys of a settings dataclass by name, in the order of declaration."""
    # mypy takes a type of Any for something that has no hash.
    return _keys_of(typing.cast("Hashable", settings_type))


def setting_values(settings: Any) -> dict[str, Any]:
    """The values of a settings dataclass by name, in the order of declaration; also those nobody can set."""
    names = (entry.name for entry in dataclasses.fields(settings))
    return {name: getattr(settings, name) for name in names}  # which names there are, the dataclass says


@cache
def _keys_of(settings_type: Any) -> Mapping[str, Key]:
    annotations = typing.get_type_hints(settings_type)
    return types.MappingProxyType(
        {
            entry.name: _key(entry, annotations[entry.name])
            for entry in dataclasses.fields(settings_type)
            if entry.init
        }
    )


def _key(entry: dataclasses.Field[Any], annotation: Any) -> Key:
    limits: Limits = entry.metadata.get("limits", Limits())
    required = limits.required or entry.default is entry.default_factory is dataclasses.MISSING
    if required and not limits.pattern:
        # "" often says "none" to a key that has a default; to a required one it says nothing.
        limits = dataclasses.replace(limits, pattern=".+", pattern_help="text in quotes, not empty")
    return Key(entry.name, annotation, limits, required, None if required else _default(entry))


def _leaves(annotation: Any) -> set[Any]:
    """The types of single values that an annotation is made of."""
    kind = typing.get_origin(annotation)
    inner = typing.get_args(annotation) if kind is not typing.Literal else ()
    if kind in (dict, Mapping):
        inner = inner[1:]  # names of tables, or of what stands in them
    return set().union(*map(_leaves, inner)) if inner else {annotation}


def _default(entry: dataclasses.Field[Any]) -> Any:
    if entry.default is not dataclasses.MISSING:
        return entry.default
    if entry.default_factory is not dataclasses.MISSING:
        return entry.default_factory()
    return None
