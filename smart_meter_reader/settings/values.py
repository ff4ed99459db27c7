"""Single values of settings: from what TOML or an environment variable gives to the declared type."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any

from smart_meter_reader.settings import durations, schedule
from smart_meter_reader.settings.durations import UnfitValueError, format_duration, parse_duration
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.text import bounded_number


class Secret:
    """Text that never shows: repr, str and format give ``<hidden>``. ``reveal()`` is the only way in."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "<hidden>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Limits:
    """What ``setting()`` says about a field beyond its type."""

    help: str = ""
    minimum: Any = None
    maximum: Any = None
    pattern: str = ""  # a regular expression the whole text must match
    pattern_help: str = ""  # what the pattern means, in words
    choices: tuple[str, ...] = ()
    meant: Callable[[str], str] | None = (
        None  # what an unfit text was meant to be, as it is typed; "" if unknown
    )
    aliases: Callable[[str], str] | None = None  # the choice that another name means, "" for none
    known_aliases: Collection[str] = ()  # such names, to be suggested for what is near one of them
    required: bool = False  # the settings must say it, though code may rely on the default
    # Whether the value names a person, a household or a device: `diagnose` then shows another one, or none.
    # Free text on which nobody has decided is taken for such.
    identifies: bool | None = None


@dataclass(frozen=True, slots=True)
class VariableValue:
    """The value of an environment variable: as dynaconf understood it, and the text as it was written.

    A key of 32 digits is a number to dynaconf and text to whoever wants a ``Secret``.
    """

    value: Any
    text: str


def read_leaf(annotation: Any, value: Any, limits: Limits) -> Any:
    """``value`` as the declared type. Raises UnfitValueError with what is allowed and what is near."""
    if annotation in (str, Secret, Path):
        return _text(annotation, value, limits)
    choices = _choices(annotation)
    if isinstance(value, VariableValue):
        # wake_up=0x55 is a number to TOML, and the text is a choice.
        value = value.text if value.text in choices else value.value
    if choices:
        return _choice(annotation, choices, value)
    result = _READERS[annotation](value, limits)
    if result is None:
        raise UnfitValueError(allowed_text(annotation, limits))
    size = result.period if isinstance(result, Schedule) else result
    if (limits.minimum is not None and size < limits.minimum) or (
        limits.maximum is not None and size > limits.maximum
    ):
        raise UnfitValueError(allowed_text(annotation, limits))
    return result


def shown(annotation: Any, value: Any, limit: int = 60) -> str:
    """What was found, for a message; nothing of a secret, nor of a password inside a URL.

    Texts are cut to about ``limit`` characters; 0 leaves them whole.
    """
    if isinstance(value, VariableValue):
        value = value.value
    if annotation is Secret or Secret in typing.get_args(annotation):
        return "<hidden>"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "a list"
    if not isinstance(value, str):
        return str(value)
    value = _without_login(value)
    return f'"{value[: limit - 3]}..."' if 0 < limit < len(value) else f'"{value}"'


def _without_login(text: str) -> str:
    """A text without the login of a URL, or one that stands where no URL belongs."""
    login, at, place = text.rpartition("@")
    if ":" not in login:
        return text
    scheme = re.match(r"\w*:?//", login)
    return f"{scheme[0] if scheme else ''}<hidden>{at}{place}"


def is_table(annotation: Any) -> bool:
    """Whether the type is a settings dataclass: a dataclass that is not itself read from one value."""
    return is_dataclass(annotation) and annotation not in _WORDS


def allowed_text(annotation: Any, limits: Limits) -> str:
    """What a setting can be, in words; it is the same in error messages and in the reference."""
    if is_table(annotation):
        return "a table"
    if annotation is str and limits.choices:
        return _listed(limits.choices)
    choices = _choices(annotation)
    if choices:
        return _listed(choices)
    container, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if container is tuple:
        return f"a list; each entry: {allowed_text(inner[0], limits)}"
    if container in (types.UnionType, typing.Union):
        return " or ".join(allowed_text(kind, limits) for kind in inner if kind is not types.NoneType)
    if container is not None:
        return f"a table of names, each with {allowed_text(inner[1], limits)}"
    if limits.pattern_help and annotation in (str, Secret, Path):
        return limits.pattern_help
    words = _WORDS[annotation]
    separator = "," if '"' in words else ""  # after examples
    return f"{words}{separator}{_range_text(limits)}".removesuffix(",")


def _text(annotation: Any, value: Any, limits: Limits) -> Any:
    text = value.text if isinstance(value, VariableValue) else value
    if not isinstance(text, str):
        number = isinstance(text, int) and not isinstance(text, bool)
        fitting = number and re.fullmatch(limits.pattern or ".*", str(text))
        # What a secret would be in quotes shows nobody.
        also = " (a number as well)" if number and annotation is Secret else ""
        raise UnfitValueError(f"{allowed_text(annotation, limits)}{also}", f'"{text}"' if fitting else "")
    if annotation is not Secret and text != text.strip() and text.strip():
        # Nothing that is set begins or ends with a blank; a password may, and is warned of.
        raise UnfitValueError("the same without a blank at its ends", f'"{text.strip()}"')
    if limits.aliases is not None and text not in limits.choices:
        text = limits.aliases(text) or text
    if limits.choices and text not in limits.choices:
        raise UnfitValueError(_listed(limits.choices), _near(text, (*limits.known_aliases, *limits.choices)))
    if not re.fullmatch(limits.pattern or ".*", text, re.DOTALL):
        raise UnfitValueError(allowed_text(annotation, limits), limits.meant(text) if limits.meant else "")
    return annotation(text)


def _flag(value: Any, limits: Limits) -> bool | None:
    if isinstance(value, str):
        raise UnfitValueError(_WORDS[bool], _SAID_FOR_FLAGS.get(value.lower(), ""))
    return value if isinstance(value, bool) else None


def _integer(value: Any, limits: Limits) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,20}", value):
        raise UnfitValueError(allowed_text(int, limits), f"{int(value)} without quotes")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: Any, limits: Limits) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    # The digits as written: repr gives the shortest text of a float, and TOML's floats are doubles.
    return bounded_number(Decimal(repr(value)) if isinstance(value, float) else value)


def _duration(value: Any, limits: Limits) -> timedelta:
    return parse_duration(_with_unit(value, durations.ALLOWED))


def _schedule(value: Any, limits: Limits) -> Schedule:
    return Schedule.parse(_with_unit(value, schedule.ALLOWED))


def _with_unit(value: Any, allowed: str) -> str:
    """The text of a duration or schedule; a bare number becomes text without a unit, and is refused."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise UnfitValueError(allowed)


def _choices(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(member.value for member in annotation)
    return ()


def _choice(annotation: Any, choices: tuple[Any, ...], value: Any) -> Any:
    for choice in choices:
        if choice == value and type(choice) is type(value):
            return choice if typing.get_origin(annotation) is typing.Literal else annotation(choice)
    near = _near(value, [choice for choice in choices if isinstance(choice, str)])
    if str(value) in map(str, choices):
        near = _quoted(next(choice for choice in choices if str(choice) == str(value)))
    raise UnfitValueError(_listed(choices), near)


def _near(value: Any, choices: typing.Sequence[str]) -> str:
    folded = {choice.lower(): choice for choice in choices}
    near = get_close_matches(str(value).lower(), folded, n=1)
    return f'"{folded[near[0]]}"' if near else ""


def _listed(choices: typing.Sequence[Any]) -> str:
    if len(choices) > _MANY:
        return f"one of {len(choices)} names, such as {', '.join(_quoted(choice) for choice in choices[:3])}"
    return ", ".join(_quoted(choice) for choice in choices)


def _quoted(choice: Any) -> str:
    return f'"{choice}"' if isinstance(choice, str) else str(choice)


def _range_text(limits: Limits) -> str:
    lowest, highest = (
        format_duration(limit) if isinstance(limit, timedelta) else limit
        for limit in (limits.minimum, limits.maximum)
    )
    if lowest is not None and highest is not None:
        return f" from {lowest} to {highest}"
    if lowest is not None:
        return f" of {lowest} or more"
    if highest is not None:
        return f" of {highest} at most"
    return ""


_MANY = 20  # choices; more are not listed

_SAID_FOR_FLAGS: Mapping[str, str] = {
    **dict.fromkeys(("true", "yes", "on", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "0"), "false"),
}

_READERS: Mapping[Any, Callable[[Any, Limits], Any]] = {
    bool: _flag,
    int: _integer,
    Decimal: _decimal,
    timedelta: _duration,
    Schedule: _schedule,
}

_WORDS: Mapping[Any, str] = {
    str: "text in quotes",
    Secret: "text in quotes",
    Path: "the path of a file in quotes",
    bool: "true or false",
    int: "a whole number",
    Decimal: "a number",
    timedelta: durations.ALLOWED,
    Schedule: schedule.ALLOWED,
}
