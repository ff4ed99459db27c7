"""What a page is made from: its query, the language, the present state; and links to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from smart_meter_reader.sinks.web.pages.language import PageLanguage

AskHistory: TypeAlias = Callable[[str, Mapping[str, str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class View:
    """One look at a page. ``now`` as the API tells it, its time by the house's clock; ``page`` is a name.

    ``ask`` raises as ``Questions.ask`` does. ``meters`` is the answer of the question ``meters``.
    """

    page: str
    query: Mapping[str, str]
    ask: AskHistory
    now: Mapping[str, Any]
    words: PageLanguage
    meters: list[dict[str, Any]]
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """By the house's clock."""
        return self.time.date()

    @property
    def time(self) -> datetime:
        """When the page is made, by the house's clock."""
        time: datetime = self.now["time"]
        return time

    @property
    def environments(self) -> list[str]:
        """Those that are shown together from their stores; none where the page is that of one service."""
        return list(self.now.get("environments", ()))

    def local(self, time: datetime) -> datetime:
        """A time by the house's clock."""
        return time.astimezone(self.zone)

    def link(self, page: str | None = None, **changed: str | None) -> str:
        """The address of a page, relative; of this one with what is changed in its query. None leaves out."""
        query = dict(self.query) if page is None else {}
        if "lang" in self.query:
            query["lang"] = self.query["lang"]
        for key, value in changed.items():
            query.pop(key, None)
            if value is not None:
                query[key] = value
        name = page or self.page
        target = "." if name == "now" else name
        return f"{target}?{urlencode(query)}" if query else target
