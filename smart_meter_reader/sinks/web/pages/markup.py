"""HTML from texts: what is not markup already is escaped, so that text from a meter stays text. Pure."""

from __future__ import annotations

from html import escape
from typing import TypeAlias

# Elements that have no end.
_VOID = frozenset({"br", "img", "input", "link", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = str | None
Attribute: TypeAlias = str | int | float | bool | None


def tag(name: str, *children: Child, **attributes: Attribute) -> Markup:
    """One element. ``class_`` is class, ``data_x`` is data-x; False and None leave the attribute out."""
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(*children)}</{name}>")


def joined(*children: Child, by: str = "") -> Markup:
    """Texts and elements one after the other; None is left out."""
    return Markup(by.join(as_markup(child) for child in children if child is not None))


def as_markup(text: str) -> Markup:
    """A text as HTML: escaped, unless it is HTML."""
    return text if isinstance(text, Markup) else Markup(escape(text, quote=False))


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
