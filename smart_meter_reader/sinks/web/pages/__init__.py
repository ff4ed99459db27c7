"""What people see: HTML made by the server, with all numbers in tables, so that it works with script off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.sinks.web.pages.costs import costs
from smart_meter_reader.sinks.web.pages.devices import devices
from smart_meter_reader.sinks.web.pages.download import download
from smart_meter_reader.sinks.web.pages.heat import heat
from smart_meter_reader.sinks.web.pages.language import language
from smart_meter_reader.sinks.web.pages.login import login
from smart_meter_reader.sinks.web.pages.past import past
from smart_meter_reader.sinks.web.pages.present import present
from smart_meter_reader.sinks.web.pages.view import AskHistory, View

PAGES: Mapping[str, Callable[[View], str]] = MappingProxyType(
    {
        "now": present,
        "history": past,
        "heat": heat,
        "costs": costs,
        "meters": devices,
        "download": download,
        "login": login,
    }
)


def render(page: str, query: Mapping[str, str], ask: AskHistory, now: Mapping[str, Any], code: str) -> str:
    """A page by its name in a language. Blocking, as ``ask`` is. KeyError for a page that there is not.

    ``now`` is the answer of the API's ``now``. A question without an answer becomes a notice.
    """
    try:
        # Who has not logged in is told nothing.
        meters = ask("meters", {})["meters"] if page != "login" else []
    except NoHistoryError:  # nothing is stored: each page says so in its way
        meters = []
    zone = ZoneInfo(str(now["zone"]))
    time: datetime = now["time"]
    told = {**now, "time": time.astimezone(zone)}
    return PAGES[page](View(page, query, ask, told, language(code), meters, zone))
