"""The page Download: what is stored as a file, of any period, for people and programs; and a copy."""

from __future__ import annotations

from datetime import timedelta

from smart_meter_reader.sinks.web.pages.frame import page
from smart_meter_reader.sinks.web.pages.markup import Markup, tag
from smart_meter_reader.sinks.web.pages.past import nothing_stored
from smart_meter_reader.sinks.web.pages.view import View
from smart_meter_reader.sinks.web.questions.download import MOST_LINES, MOST_ROWS

_KINDS = ("xlsx", "csv-people", "csv", "json")
_STEPS = ("day", "month", "year", "week", "hour", "quarter")
_ADDRESS = "api/v1/download"


def download(view: View) -> str:
    """The page."""
    words = view.words
    title = words("page.download")
    if not view.meters:
        return page(view, title, nothing_stored(view), charts=False)
    backup = tag(
        "section", tag("h2", words("backup")), tag("p", words("backup.what")), *_copies(view), class_="card"
    )
    return page(view, title, _form(view), backup, charts=False)


def _copies(view: View) -> list[Markup]:
    address, words = f"{_ADDRESS}?kind=backup", view.words
    if not view.environments:
        return [tag("p", tag("a", words("backup.get"), href=address, download=True))]
    return [
        tag(
            "p",
            tag("a", f"{words('backup.get')}: {each}", href=f"{address}&environment={each}", download=True),
        )
        for each in view.environments
    ]


def _form(view: View) -> Markup:
    words = view.words
    # A file is of one environment.
    meters = [
        tag("option", f"{each}: {words('download.all')}", value=f"{each}/") for each in view.environments
    ] or [tag("option", words("download.all"), value="")]
    meters += [tag("option", each["meter"], value=each["meter"]) for each in view.meters]
    first, last = view.today.replace(month=1, day=1), view.today + timedelta(days=1)
    fields = [
        _select(words("meter"), "meters", meters),
        _date(words("download.from"), "from", first.isoformat()),
        _date(words("download.to"), "to", last.isoformat()),
        _select(
            words("download.period"),
            "step",
            [tag("option", words(f"period.{each}"), value=each) for each in _STEPS],
        ),
        _select(
            words("download.kind"),
            "kind",
            [tag("option", words(f"kind.{each}"), value=each) for each in _KINDS],
        ),
    ]
    return tag(
        "form",
        tag("fieldset", *fields),
        tag("p", words("download.columns"), class_="age"),
        tag(
            "p",
            words("download.most", rows=words.number(MOST_ROWS), lines=words.number(MOST_LINES)),
            class_="age",
        ),
        tag("button", words("download.get"), class_="main"),
        method="get",
        action=_ADDRESS,
        class_="card",
    )


def _select(title: str, name: str, options: list[Markup]) -> Markup:
    return tag("label", title, tag("select", *options, name_=name))


def _date(title: str, name: str, value: str) -> Markup:
    return tag("label", title, tag("input", type_="date", name_=name, value=value))
