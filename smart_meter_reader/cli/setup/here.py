"""What stays on this computer: what is printed, the history, and the page in the browser."""

from __future__ import annotations

from smart_meter_reader.cli.setup.draft import SettingsDraft
from smart_meter_reader.cli.setup.talk import Talk
from smart_meter_reader.cli.setup.toml_editing import TomlValue
from smart_meter_reader.cli.web.password import unfit
from smart_meter_reader.network.loopback import is_this_computer
from smart_meter_reader.sinks.web.access.passwords import written
from smart_meter_reader.text import is_digits

_EVERYBODY, _PORT = "0.0.0.0", 8080  # noqa: S104 - what the person chooses, and only with a password


def choose_printing(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The step: tables for people, lines for programs and files, or nothing."""
    sinks = draft.table("sinks")
    name = next(
        (name for name in sinks if draft.table("sinks", name).get("type", name) == "stdout"), "stdout"
    )
    there = draft.has_sink("stdout")
    table = draft.table("sinks", name).get("format") == "table"
    options = [
        "as tables, for a person at a terminal (not for a service: the journal tears tables)",
        "as one JSON object a line, for a file or a program behind a pipe",
        "not at all",
    ]
    # What `init` has put there is for the first steps; with a sink of their own people look elsewhere.
    leave = not there or (draft.is_new and len(sinks) > len(("stdout", "history")))
    chosen = talk.choose("How", options, 2 if leave else 0 if table else 1)
    if chosen == 2:
        return draft.without_sink("stdout")
    return draft.put(("sinks", name), {"format": ("table", "json")[chosen]})


def choose_history(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The step: what is counted, kept for ever."""
    there = draft.has_sink("history")
    wanted = talk.agree(
        "Keep what the meters count, for ever, for the page and `history show`?", default=there
    )
    if wanted == there:
        return draft
    return draft.put(("sinks", "history"), {}) if wanted else draft.without_sink("history")


def choose_page(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The step: the page in the browser, for this computer alone or, with a password, for the network."""
    there, path = draft.has_sink("web"), ("sinks", "web")
    table = draft.table(*path)
    alone = is_this_computer(str(table.get("host", "127.0.0.1")))
    options = [
        "for this computer alone",
        "for everybody in the network who knows its password",
        "no page",
    ]
    chosen = talk.choose("For whom", options, 2 if not there else 0 if alone else 1)
    if chosen == 2:
        return draft.without_sink("web")

    def wrong(text: str) -> str:
        good = is_digits(text, 5) and 0 < int(text) < 65536
        return "" if good else "a port is a number from 1 to 65535"

    port = int(talk.ask("At which port", str(table.get("port", _PORT)), wrong))
    values: dict[str, TomlValue] = {"port": port} if port != table.get("port", _PORT) else {}
    if chosen == 0:
        return draft.put(path, values if alone else {**values, "host": "127.0.0.1"})
    draft = draft.put(path, {**values, "host": _EVERYBODY} if alone else values)
    password = _password(talk, known=draft.has_secret(*path, "password"))
    # What stands there opens the page, and tells nobody the password.
    return draft.put_secrets(path, {"password": written(password)}) if password else draft


def _password(talk: Talk, *, known: bool) -> str:
    """Typed twice; "" for the one that is set."""
    question = "Password for the page, empty for the one that is set" if known else "Password for the page"
    while True:
        first = talk.secret(question, lambda text: "" if known and not text else unfit(text))
        if not first or talk.secret("Once more") == first:
            return first
        talk.say("The two differ.")
