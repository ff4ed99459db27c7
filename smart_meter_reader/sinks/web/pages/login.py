"""The page for the password."""

from __future__ import annotations

from smart_meter_reader.sinks.web.pages.frame import page
from smart_meter_reader.sinks.web.pages.markup import tag
from smart_meter_reader.sinks.web.pages.view import View


def login(view: View) -> str:
    """The page; ``failed`` in the query says that the password was not right, or came too often."""
    words = view.words
    told = tag("p", words("login.failed"), class_="problem", role="alert")
    field = tag(
        "input",
        type_="password",
        name_="password",
        required=True,
        autofocus=True,
        autocomplete="current-password",
    )
    # For what keeps passwords: there is one person, who has no name.
    name = tag("input", type_="text", name_="username", value="home", autocomplete="username", hidden=True)
    form = tag(
        "form",
        told if view.query.get("failed") else None,
        name,
        tag("label", words("login.password"), field),
        tag("p", tag("button", words("page.login"), class_="main")),
        method="post",
        action="login",
        class_="card narrow",
    )
    return page(view, words("page.login"), form, charts=False)
