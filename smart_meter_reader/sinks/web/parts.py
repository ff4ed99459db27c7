"""What answers questions and makes pages: imported when first asked, so that idle it costs nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.history.places import HistoryPlace
from smart_meter_reader.messages import Reply
from smart_meter_reader.sinks.web.prices.troubles import PriceTroubles
from smart_meter_reader.sinks.web.settings import WebSettings

if TYPE_CHECKING:
    from smart_meter_reader.sinks.web.questions import Download


class Answering(Protocol):
    """What answers questions, of one environment or of several; see ``Questions``."""

    def ask(self, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a question by its name; blocks."""

    def one_look(self) -> AbstractContextManager[object]:
        """All questions within see the same."""

    def download(self, query: Mapping[str, str]) -> Download:
        """A file; blocks."""

    def interrupt(self) -> None:
        """End the question under way."""

    def stop_download(self) -> None:
        """End the download under way."""


def questions(place: HistoryPlace, settings: WebSettings, troubles: PriceTroubles) -> Answering:
    """What answers from the history at ``place``."""
    from smart_meter_reader.sinks.web.questions import Questions

    return Questions(
        place.file,
        place.recent,
        settings.contracts,
        settings.expected_return,
        unwritten=place.unwritten,
        price_troubles=troubles,
    )


def questions_to_nobody() -> Answering:
    """Raises NoHistoryError: the environment keeps no history."""
    raise NothingKeptError


def question_names() -> Collection[str]:
    """What can be asked."""
    from smart_meter_reader.sinks.web.questions.table import QUESTIONS

    return QUESTIONS.keys()


def openapi() -> dict[str, Any]:
    """The interface for programs, as OpenAPI describes it."""
    from smart_meter_reader.sinks.web.questions.openapi import document

    return document()


def rendered(
    page: str,
    query: Mapping[str, str],
    answering: Answering | NobodyAnswers,
    now: Mapping[str, Any],
    language: str,
) -> bytes:
    """A page; blocks as ``ask`` does."""
    from smart_meter_reader.sinks.web.pages import render

    with answering.one_look():
        return render(page, query, answering.ask, now, language).encode()


def reply_in(reply: Reply, language: str, zone: ZoneInfo) -> str:
    """What a person is told who asked for a reading."""
    from smart_meter_reader.sinks.web.pages.refusals import reply_to

    return reply_to(reply, language, zone)


def is_bad_question(error: Exception) -> bool:
    """Whether whoever asked has to ask otherwise."""
    from smart_meter_reader.sinks.web.questions import QuestionError

    return isinstance(error, QuestionError)


class NobodyAnswers:
    """Stands in where no history is kept, and before anybody has logged in."""

    def ask(self, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Raises NothingKeptError."""
        raise NothingKeptError

    def one_look(self) -> AbstractContextManager[object]:
        """There is nothing to see."""
        return nullcontext()


class NothingKeptError(NoHistoryError):
    """The environment keeps no history, so that there is nothing to ask."""

    def __init__(self) -> None:
        super().__init__(
            "no_history", "this environment keeps no history: add the sink `history` to its settings"
        )
