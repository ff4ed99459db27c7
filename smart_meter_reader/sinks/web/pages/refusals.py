"""Why something cannot be shown, in the language of the page: sentences by their kind, with their facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from smart_meter_reader.exceptions import ExplainedError, WordedError
from smart_meter_reader.messages import Reply
from smart_meter_reader.sinks.web.pages.language import PageLanguage, language
from smart_meter_reader.sinks.web.pages.markup import Markup, joined, tag


def error_sentence(words: PageLanguage, error: ExplainedError) -> Markup:
    """The sentence of an error. What only the system can tell stands behind it as it tells it."""
    if isinstance(error, WordedError):
        return _told(words, error.kind, error.detail, error.facts)
    return _told(words, error.reason, error.detail, {})


def problem(words: PageLanguage, told: Mapping[str, Any]) -> Markup:
    """One of the problems of an answer of costs."""
    if words.code == "en":
        return _english(str(told["text"]))
    contract, topic = str(told["contract"]), str(told["topic"])
    left_out = words.number(int(told["left_out"]))
    return joined(
        words("costs.contract", contract=contract),
        words("costs.topic", topic=topic, number=left_out) if topic else None,
        _told(words, str(told["kind"]), str(told["text"]), told["facts"]),
        by=" ",
    )


def reply_to(reply: Reply, code: str, zone: ZoneInfo) -> str:
    """What becomes of a reading that somebody asked for; times by the house's clock."""
    words = language(code)
    if reply.taken:
        return words("read_now.asked")
    told = words.reason(reply.reason) or reply.detail or words("read_now.failed")
    if reply.possible_at is None:
        return told
    time = words.clock(reply.possible_at.astimezone(zone), seconds=True)
    return f"{told} {words('read_now.possible', time=time)}"


def _told(words: PageLanguage, kind: str, english: str, facts: Mapping[str, str | int]) -> Markup:
    if words.code == "en":
        return _english(english)
    if f"refused.{kind}" in words.words:
        return joined(words(f"refused.{kind}", **{key: _fact(words, key, facts[key]) for key in facts}))
    more = tag("small", _english(english), class_="own")
    return joined(words.reason(kind) or words("refused.otherwise"), " ", more)


def _fact(words: PageLanguage, key: str, fact: str | int) -> str:
    if isinstance(fact, int):
        return words.number(fact)
    return words.words.get(f"medium.{fact}", fact) if key == "medium" else fact


def _english(text: str) -> Markup:
    """The sentence of the service, which begins in small letters and has no end."""
    told = f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"
    return tag("span", told, lang="en")
