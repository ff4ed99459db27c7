"""A page for a browser that was refused something: the sentence, and the way back."""

from __future__ import annotations

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.sinks.web.pages.language import language
from smart_meter_reader.sinks.web.pages.markup import tag
from smart_meter_reader.sinks.web.pages.refusals import error_sentence
from smart_meter_reader.sinks.web.static_files import static_address


def problem_page(error: ExplainedError, code: str, above: str, asked: str) -> str:
    """A whole document. ``above`` leads to the first page; ``asked``: the last part of the address."""
    words = language(code)
    back = ("download", words("download.again")) if asked == "download" else ("", words("page.now"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", f"{words('refused')} · {words('brand')}"),
        tag("link", rel="icon", href="data:,"),
        tag("link", rel="stylesheet", href=f"{above}{static_address('style.css')}"),
    )
    told = tag("p", error_sentence(words, error))
    link = tag("p", tag("a", back[1], href=f"{above}{back[0]}" or "."))
    card = tag("section", told, link, class_="card notice problem")
    body = tag("body", tag("main", tag("h1", words("refused")), card))
    return f"<!doctype html>\n{tag('html', head, body, lang=words.code)}\n"
