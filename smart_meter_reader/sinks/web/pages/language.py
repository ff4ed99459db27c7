"""The languages of the page: its words, and numbers and dates as people write them there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Formatter

from smart_meter_reader.sinks.web.pages.markup import Markup, joined

LANGUAGES = ("en", "nl", "de", "da", "fr")
_FOLDER = Path(__file__).parent / "languages"
# In a key: a number, a phase, a quadrant, and what makers call by letters.
_CODE = re.compile(r"\d+|[a-z]\d*|[a-z]\d\d|dv|cv|ce|de|xyz|id")
# How thousands and decimals are set apart, as browsers do it (Unicode CLDR).
_SEPARATORS = {"en": (",", "."), "nl": (".", ","), "de": (".", ","), "da": (".", ","), "fr": ("\u202f", ",")}


@dataclass(frozen=True, slots=True)
class PageLanguage:
    """One language: ``words`` by key, with places for values in braces."""

    code: str
    words: Mapping[str, str]

    def __call__(self, key: str, /, **values: str) -> str:
        """The text of a key with its values; one that is not there is a KeyError."""
        return self.words[key].format(**values) if values else self.words[key]

    def around(self, key: str, /, **values: str) -> Markup:
        """The text of a key around elements."""
        parts: list[str | None] = []
        for text, name, _, _ in Formatter().parse(self.words[key]):
            parts += [text, values[name] if name else None]
        return joined(*parts)

    def many(self, key: str, number: int) -> str:
        """The text of ``key.one`` or ``key.other`` with its number."""
        return self(f"{key}.{'one' if number == 1 else 'other'}", number=self.number(Decimal(number)))

    def number(self, value: Decimal | int, decimals: int | None = None) -> str:
        """With the digits that it has, or rounded once to so many decimals: 1.234,50."""
        value = Decimal(value)
        if decimals is not None:
            value = value.quantize(Decimal(1).scaleb(-decimals))
        thousands, point = _SEPARATORS[self.code]
        told = f"{value:,f}".replace(",", "\0").replace(".", point).replace("\0", thousands)
        return told.replace("-", "\u2212") if value else told.removeprefix("-")

    def measured(self, value: object, unit: str = "") -> str:
        """A value as it came, with its unit behind it; "–" for none."""
        if value is None:
            return "–"
        told = self.number(value) if isinstance(value, Decimal | int) else str(value)
        return f"{told}\u00a0{unit}" if unit else told

    def named(self, quantity: str, name: str) -> str:
        """What a quantity is called here: by a word of its own, else by those that its key is made of."""
        own = self.words.get(f"quantity.{quantity}")
        if own is not None or self.code == "en":
            return own or name
        return self.composed(quantity) or name

    def composed(self, quantity: str) -> str:
        """A name from the parts of a key, such as "Blindenergie, Bezug, Tarif 2"; "" where one lacks."""
        parts, told = quantity.split("_"), list[str]()
        while parts:
            for size in range(len(parts), 0, -1):
                if (word := self.words.get(f"term.{'_'.join(parts[:size])}")) is not None:
                    told.append(word)
                    break
            else:
                size = 1
                if not _CODE.fullmatch(parts[0]):
                    return ""
                # A number belongs to the word before it, and so does what the meter's maker calls by letters.
                told.append(f"{told.pop()} {parts[0].upper()}" if told else parts[0].upper())
            parts = parts[size:]
        text = ", ".join(told)
        return text[:1].upper() + text[1:]

    def reason(self, word: str, /, **values: str) -> str:
        """What a stable word of a status, a gap or an event means; "" where it is not known here."""
        text = self.words.get(f"reason.{word}", "")
        return text.format(**values) if values else text

    def day(self, day: date, *, year: bool = True) -> str:
        """3 Nov 2026."""
        told = f"{day.day}{self('date.after_day')} {self(f'month.short.{day.month}')}"
        return f"{told} {day.year}" if year else told

    def long_day(self, day: date) -> str:
        """Tuesday 3 November 2026."""
        weekday, month = self(f"weekday.{day.weekday()}"), self(f"month.{day.month}")
        return f"{weekday} {day.day}{self('date.after_day')} {month} {day.year}"

    def month(self, day: date) -> str:
        """November 2026."""
        return f"{self(f'month.{day.month}')} {day.year}"

    def clock(self, time: datetime, *, seconds: bool = False) -> str:
        """14:05, of the time as it is given."""
        return f"{time:%H:%M:%S}" if seconds else f"{time:%H:%M}"

    def moment(self, time: datetime) -> str:
        """3 Nov 2026 14:05."""
        return f"{self.day(time.date())} {self.clock(time)}"

    def age(self, seconds: float) -> str:
        """How long ago something was, roughly."""
        for name, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
            if seconds >= 2 * size:
                return self.many(f"age.{name}", int(seconds // size))
        return self.many("age.seconds", max(0, int(seconds)))


@cache
def language(code: str) -> PageLanguage:
    """A language by its code, one of LANGUAGES."""
    return PageLanguage(code, json.loads((_FOLDER / f"{code}.json").read_text(encoding="utf-8")))
