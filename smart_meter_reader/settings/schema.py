"""How a driver declares its settings, and how a loaded table becomes them.

A driver (client or sink) declares a frozen, keyword-only dataclass. A field without a default is
required; its annotation says what is allowed; ``setting()`` adds help and limits. ``parse`` reads a plain
table into it and collects every problem instead of stopping at the first.

What the program asks of the settings of any driver, whatever their keys, stands in ``DriverSettings``.

Own code and not a validation library: pydantic would take a quarter of the memory budget (11 MiB with models
like these) and more time than the rest of the start; msgspec stops at the first problem. cattrs collects all
of them and returns types, for 1.6 MiB, but what is said of each (found, allowed, place, what was probably
meant) and the generated reference would stay our own.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

from smart_meter_reader.settings.durations import UnfitValueError
from smart_meter_reader.settings.keys import Key, keys_of
from smart_meter_reader.settings.names import meant, nearest
from smart_meter_reader.settings.values import (
    Limits,
    Secret,
    VariableValue,
    allowed_text,
    is_table,
    read_leaf,
    shown,
)

__all__ = ["DriverSettings", "Key", "Limits", "Origin", "Place", "Secret", "keys_of", "parse", "setting"]

_Settings = TypeVar("_Settings")
_REFUSED: Any = object()  # stands for a value that was refused; its problem has been noted


def setting(help: str, *, default: Any = ..., **limits: Any) -> Any:  # noqa: A002 - the natural word
    """A dataclass field with help for `init`, docs and error messages."""
    metadata = {"limits": Limits(help=help, **limits)}
    if default is ...:
        return field(metadata=metadata)
    if isinstance(default, Mapping):
        # dataclasses take no unhashable default; a read-only view is safe to share.
        return field(default_factory=lambda: types.MappingProxyType(default), metadata=metadata)
    return field(default=default, metadata=metadata)


class DriverSettings:
    """What the settings of every driver can be asked; their dataclasses inherit it."""

    __slots__ = ()

    # The environment's table of this name ("mqtt") holds defaults for the keys; "": there is none.
    shared_table: ClassVar[str] = ""
    # What ends the names of the meters that a client publishes beside its own (METER-gas).
    sub_meters: ClassVar[frozenset[str]] = frozenset()

    @property
    def sent_openly(self) -> str:
        """A sentence on what secret of these goes unencrypted to another computer; "" when none does."""
        return ""

    @property
    def unfit_for_service(self) -> str:
        """A sentence on what of these is of no use where no person watches; "" when all is well."""
        return ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What `check` tells of what these settings cost or bring."""
        return ()

    @property
    def takes_past(self) -> bool:
        """Of a sink: whether it takes what meters had in their own memory."""
        return False

    @property
    def reads_back(self) -> tuple[str, ...]:
        """Of a meter: what `check` tells of reading its own memory, where a sink ``takes_past``."""
        return ()

    @property
    def needs_past(self) -> bool:
        """Of a meter: whether little comes of it where no sink ``takes_past``."""
        return False

    @property
    def listening_ports(self) -> tuple[int, ...]:
        """The TCP ports on which others reach what these settings are of."""
        return ()

    @property
    def place_on_port(self) -> Hashable:
        """What tells this meter from others that share its port, as on a bus; None: the port is its own."""
        return None

    @property
    def trees(self) -> Mapping[str, Hashable]:
        """By key: what a sink alone may write to; no other sink of the environment may have the same."""
        return {}

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        """Of a sink: lines for a person who looks for the readings of these meters.

        ``printed`` is where standard output is to be seen.
        """
        yield from ()

    def named(self, environment: str) -> Self:
        """These settings in this environment, for what shall differ from one to the next by itself."""
        return self


def shared_table_of(settings_type: type[Any]) -> str:
    """The shared table that holds defaults for it; "" for none, and for tables inside of others."""
    return settings_type.shared_table if issubclass(settings_type, DriverSettings) else ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a key was found: ``source`` is a file or an environment variable, ``table`` the environment.

    ``path`` is the path of keys there; it differs from the path asked for when a shared table had the key.
    """

    source: str
    table: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.source} [{self.table}] {'.'.join(self.path)}".rstrip()


@dataclass(frozen=True, slots=True)
class Place:
    """A path of keys in the merged table, and where each path was found."""

    origins: Mapping[tuple[str, ...], Origin]
    path: tuple[str, ...] = ()

    def __truediv__(self, key: str) -> Place:
        return Place(self.origins, (*self.path, key))

    def __str__(self) -> str:
        """File, environment and path; a key that stands nowhere gets the file of the table it belongs to."""
        for length in range(len(self.path), -1, -1):
            origin = self.origins.get(self.path[:length])
            if origin is not None:
                return str(dataclasses.replace(origin, path=(*origin.path, *self.path[length:])))
        return ".".join(self.path)


def parse(
    settings_type: type[_Settings], table: Mapping[str, Any], place: Place, *, also: Sequence[str] = ()
) -> tuple[_Settings | None, list[str]]:
    """Read ``table`` into ``settings_type``: (the settings, []) or (None, every problem, one line each).

    ``also`` are keys of the table that somebody else reads.
    A problem names file, environment and key path, what was found, what is allowed, and what is near.
    The value of a ``Secret`` or of an unknown key is never part of it.
    """
    problems: list[str] = []
    keys = keys_of(settings_type)
    explained = set(_note_unknown([*also, *keys], table, place, problems))
    values = {
        name: _read(key.annotation, table[name], key.limits, place / name, problems)
        for name, key in keys.items()
        if name in table
    }
    shared = shared_table_of(settings_type)
    elsewhere = f"; it can also stand in the table [{shared}] of the environment" if shared else ""
    problems += [
        f"{place / name}: missing; needed: {_description(key)}{elsewhere}"
        for name, key in keys.items()
        if key.required and name not in table and name not in explained
    ]
    if problems:
        return None, problems
    try:
        return settings_type(**values), []
    except ValueError as error:  # what __post_init__ says about keys that do not go together
        return None, [_of_its_key(str(error), table, place)]


def _of_its_key(sentence: str, table: Mapping[str, Any], place: Place) -> str:
    """A sentence of __post_init__ with its place: the key's own where it begins with one ("key: ...")."""
    name, colon, rest = sentence.partition(": ")
    return f"{place / name}: {rest}" if colon and name in table else f"{place}: {sentence}"


def _description(key: Key) -> str:
    return ": ".join(dict.fromkeys(text for text in (key.limits.help, key.allowed) if text))


def _note_unknown(
    known: Sequence[str], table: Mapping[str, Any], place: Place, problems: list[str]
) -> Iterator[str]:
    """Note keys that nobody knows, never their values; yield the known keys that were probably meant."""
    for name in table:
        if name not in known:
            free = [other for other in known if other not in table]
            allowed = ", ".join(known) or "none"
            problems.append(f"{place / name}: unknown key; allowed: {allowed}{nearest(name, known)}")
            yield meant(name, free)


def _read(annotation: Any, value: Any, limits: Limits, place: Place, problems: list[str]) -> Any:
    """The value as ``annotation`` wants it, or ``_REFUSED`` with the reason in ``problems``."""
    container = typing.get_origin(annotation)
    if is_table(annotation):
        return _read_table(annotation, value, place, problems)
    if container in (dict, Mapping):
        return _read_named(typing.get_args(annotation)[1], value, limits, place, problems)
    if container is tuple:
        return _read_list(typing.get_args(annotation)[0], value, limits, place, problems)
    if container in (types.UnionType, typing.Union):
        return _read_union(annotation, value, limits, place, problems)
    try:
        return read_leaf(annotation, value, limits)
    except UnfitValueError as error:
        near = f"; did you mean {error.near}?" if error.near and annotation is not Secret else ""
        problems.append(f"{place}: found {shown(annotation, value)}; allowed: {error.allowed}{near}")
        return _REFUSED


def _read_union(annotation: Any, value: Any, limits: Limits, place: Place, problems: list[str]) -> Any:
    """The first alternative that takes the value; a single ``X | None`` is reported as X."""
    alternatives = [kind for kind in typing.get_args(annotation) if kind is not types.NoneType]
    if len(alternatives) == 1:
        return _read(alternatives[0], value, limits, place, problems)
    refusals: list[str] = []
    for kind in alternatives:
        result = _read(kind, value, limits, place, refusals)
        if result is not _REFUSED:
            return result
    problems.append(f"{place}: found {shown(annotation, value)}; allowed: {allowed_text(annotation, limits)}")
    return _REFUSED


def _read_table(settings_type: type[Any], value: Any, place: Place, problems: list[str]) -> Any:
    if not isinstance(value, Mapping):
        problems.append(f"{place}: found a value; allowed: a table with {', '.join(keys_of(settings_type))}")
        return _REFUSED
    settings, found = parse(settings_type, value, place)
    problems += found
    return settings if not found else _REFUSED


def _read_named(kind: Any, value: Any, limits: Limits, place: Place, problems: list[str]) -> Any:
    if not isinstance(value, Mapping):
        problems.append(
            f"{place}: found a value; allowed: a table of names, each with {allowed_text(kind, limits)}"
        )
        return _REFUSED
    entries = {name: _read(kind, entry, limits, place / name, problems) for name, entry in value.items()}
    return types.MappingProxyType(entries)


def _as_list(kind: Any, value: Any, limits: Limits, place: Place) -> str:
    """The list that a single value was probably meant to be, where its entries would do."""
    entries = [entry.strip() for entry in value.split(",")] if isinstance(value, str) else [value]
    refusals: list[str] = []
    for entry in entries:
        _read(kind, entry, limits, place, refusals)
    if kind is Secret or refusals:
        return ""
    return f"; did you mean [{', '.join(shown(kind, entry, 0) for entry in entries)}]?"


def _read_list(kind: Any, value: Any, limits: Limits, place: Place, problems: list[str]) -> Any:
    if isinstance(value, VariableValue):
        value = value.value
    if not isinstance(value, list | tuple):
        found = shown(kind, value)
        allowed = allowed_text(tuple[kind, ...], limits)
        problems.append(f"{place}: found {found}; allowed: {allowed}{_as_list(kind, value, limits, place)}")
        return _REFUSED
    return tuple(
        _read(kind, entry, limits, place / str(number), problems)
        for number, entry in enumerate(value, start=1)
    )
