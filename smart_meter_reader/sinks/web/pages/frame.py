"""What all pages have: head, navigation, the foot with the languages; and notices instead of a page."""

from __future__ import annotations

import json
from datetime import datetime

from smart_meter_reader.sinks.web.pages.language import LANGUAGES, language
from smart_meter_reader.sinks.web.pages.markup import Markup, joined, tag
from smart_meter_reader.sinks.web.pages.view import View
from smart_meter_reader.sinks.web.static_files import static_address

NAVIGATION = ("now", "history", "heat", "costs", "meters", "download")
# Words that the script needs.
_SCRIPTED = ("live.lost", "chart.keys", "chart.open", "read_now.failed")


def page(view: View, title: str, *content: str | None, charts: bool = True) -> str:
    """A whole document with the heading ``title``."""
    words = view.words
    body = tag(
        "body",
        tag("a", words("skip"), class_="skip", href="#main"),
        _header(view),
        tag("main", tag("h1", title), _no_live(view), *content, id="main", tabindex=-1),
        _footer(view),
        data_zone=str(view.now["zone"]),
        data_words=json.dumps({key: words(key) for key in _SCRIPTED}, ensure_ascii=False),
    )
    document = tag("html", _head(title, words("brand"), charts), body, lang=words.code)
    return f"<!doctype html>\n{document}\n"


def notice(title: str, *content: str, kind: str = "empty") -> Markup:
    """Something to tell instead of numbers: what there is not, and what to do."""
    return tag("section", tag("h2", title), *content, class_=f"card notice {kind}")


def foreign(text: str) -> Markup:
    """A sentence of the service, which speaks English, and begins it in small letters."""
    return tag("span", text[:1].upper() + text[1:], lang="en")


def told_reason(view: View, reason: str, detail: str) -> Markup:
    """Why something is so: in the page's language, with the service's own sentence in small behind."""
    told = view.words.reason(reason or "none")
    if view.words.code == "en" or not told:
        return foreign(detail or told)
    more = tag("small", foreign(detail), class_="own") if detail else None
    return joined(told, " " if more else None, more)


def instant(time: datetime, text: str) -> Markup:
    """A time for people, and for programs."""
    return tag("time", text, datetime=time.isoformat(timespec="seconds"))


def chips(label: str, links: list[tuple[str, str, bool]], *, labelled: bool = False) -> Markup:
    """Links side by side, of which one may be chosen: text, address, chosen. ``labelled``: seen by all."""
    items = [
        tag("li", tag("a", text, href=address, aria_current="true" if chosen else None))
        for text, address, chosen in links
    ]
    told = tag("p", label, aria_hidden="true") if labelled else None
    return tag("nav", told, tag("ul", *items), class_="chips", aria_label=label)


def _head(title: str, brand: str, charts: bool) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", f"{title} · {brand}"),
        # No picture, so that no browser asks for one.
        tag("link", rel="icon", href="data:,"),
        tag("link", rel="stylesheet", href=static_address("style.css")),
        tag("script", src=static_address("uPlot.iife.min.js"), defer=True) if charts else None,
        tag("script", src=static_address("app.js"), defer=True),
    )


def _header(view: View) -> Markup:
    words = view.words
    brand = tag("p", str(view.now["environment"]) or words("brand"), class_="brand")
    if view.page == "login":
        return tag("header", brand)
    items = [
        tag(
            "li",
            tag(
                "a",
                words(f"page.{name}"),
                href=view.link(name),
                aria_current="page" if name == view.page else None,
            ),
        )
        for name in NAVIGATION
    ]
    return tag("header", brand, tag("nav", tag("ul", *items), aria_label=words("pages")))


def _no_live(view: View) -> Markup | None:
    return tag("p", class_="lost", role="status", hidden=True) if view.page == "now" else None


def _footer(view: View) -> Markup:
    words = view.words
    languages = [
        tag(
            "li",
            tag(
                "a",
                language(code)("name"),
                href=view.link(lang=code),
                lang=code,
                hreflang=code,
                aria_current="true" if code == words.code else None,
            ),
        )
        for code in LANGUAGES
    ]
    time = view.time
    told = words.around("foot.time", zone=str(view.now["zone"]), time=instant(time, words.moment(time)))
    leave = tag("form", tag("button", words("logout")), method="post", action="logout")
    return tag(
        "footer",
        tag("p", told),
        tag("nav", tag("ul", *languages), aria_label=words("languages")),
        leave if view.now.get("can_log_out") else None,
    )


def paragraphs(*texts: str) -> Markup:
    """Each text a paragraph."""
    return joined(*(tag("p", text) for text in texts))
