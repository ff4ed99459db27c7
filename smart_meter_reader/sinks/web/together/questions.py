"""Asks the stores of several environments as if they were one. Blocking; for one thread at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from smart_meter_reader.history.errors import HistoryError, NoHistoryError
from smart_meter_reader.sinks.web.questions import Download, QuestionError, Questions
from smart_meter_reader.sinks.web.settings import WebSettings
from smart_meter_reader.sinks.web.together.stores import EnvironmentStore

# What in a question or an answer is the name of a meter.
_NAMES = ("meter", "production")


class TogetherQuestions:
    """What can be asked of several histories; a meter is called ENV/METER, in questions and answers."""

    def __init__(self, stores: Sequence[EnvironmentStore], settings: WebSettings) -> None:
        self._all = [(store, _questions(store, settings)) for store in stores]

    def ask(self, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        """As ``Questions.ask``. Without a meter that of the first environment that has an answer."""
        if name == "meters":
            return self._meters(query)
        if query.get("meter", "").strip():
            store, questions = self._of_meter(query["meter"].strip())
            named: dict[str, Any] = _named(store, questions.ask(name, _own(store, query)))
            return named
        if name == "events":
            return self._events(query)
        return self._first(lambda store, questions: _named(store, questions.ask(name, _own(store, query))))

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """As ``Questions.one_look``."""
        with ExitStack() as looks:
            for _, questions in self._all:
                looks.enter_context(questions.one_look())
            yield

    def download(self, query: Mapping[str, str]) -> Download:
        """As ``Questions.download``, of one environment: that of ``environment``, else that of the meters."""
        rest = dict(query)
        named = [each.strip() for each in rest.get("meters", "").split(",") if each.strip()]
        wanted = {rest.pop("environment", "").strip(), *(each.partition("/")[0] for each in named)} - {""}
        if len(wanted) != 1:
            known = ", ".join(store.environment for store, _ in self._all)
            raise QuestionError(
                "which_environment",
                "environment: a file is of one environment; say which: {known}",
                known=known,
            )
        store, questions = self._of_meter(f"{wanted.pop()}/")
        if named:  # ENV/ are all of an environment
            rest["meters"] = ",".join(own for each in named if (own := store.own(each)))
        return questions.download(rest)

    def interrupt(self) -> None:
        """End the question under way; for another thread."""
        for _, questions in self._all:
            questions.interrupt()

    def stop_download(self) -> None:
        """End the download that is being made; for another thread."""
        for _, questions in self._all:
            questions.stop_download()

    def _of_meter(self, meter: str) -> tuple[EnvironmentStore, Questions]:
        environment = meter.partition("/")[0]
        for store, questions in self._all:
            if store.environment == environment:
                return store, questions
        known = ", ".join(f"{store.environment}/..." for store, _ in self._all)
        raise QuestionError(
            "no_such_meter",
            "meter: there is no {meter!r} here; meters are called: {known}",
            meter=meter,
            known=known,
        )

    def _meters(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Those of all that can be read; of the others their status tells why they cannot."""
        found: list[dict[str, Any]] = []
        missing: HistoryError | None = None
        for store, questions in self._all:
            try:
                found.append(_named(store, questions.ask("meters", query)))
            except HistoryError as error:
                missing = missing or error
        if not found and missing is not None:
            raise missing
        newest = [each["newest"] for each in found if each["newest"] is not None]
        meters = [meter for each in found for meter in each["meters"]]
        return {**found[0], "newest": max(newest, default=None), "meters": meters}

    def _events(self, query: Mapping[str, str]) -> dict[str, Any]:
        events: list[dict[str, Any]] = []
        left_off = 0
        for store, questions in self._all:
            try:
                told = questions.ask("events", query)
            except NoHistoryError:
                continue
            left_off += told["left_off"]
            # What is told of no meter in particular is told of the environment.
            events += [{**each, "meter": store.named(each["meter"])} for each in told["events"]]
        return {"events": sorted(events, key=lambda each: each["time"]), "left_off": left_off}

    def _first(self, ask: Callable[[EnvironmentStore, Questions], dict[str, Any]]) -> dict[str, Any]:
        refusal: QuestionError | HistoryError | None = None
        for store, questions in self._all:
            try:
                return ask(store, questions)
            except (QuestionError, HistoryError) as error:
                refusal = refusal or error
        assert refusal is not None
        raise refusal


def _questions(store: EnvironmentStore, settings: WebSettings) -> Questions:
    contracts = {
        name: replace(contract, meter=own)
        for name, contract in settings.contracts.items()
        if (own := store.own(contract.meter)) is not None
    }
    return Questions(store.place.file, store.place.recent, contracts, settings.expected_return)


def _own(store: EnvironmentStore, query: Mapping[str, str]) -> dict[str, str]:
    """The question in the words of one environment. A meter of another is one that it does not know."""
    return {key: (store.own(text.strip()) or text) if key in _NAMES else text for key, text in query.items()}


def _named(store: EnvironmentStore, answer: Any) -> Any:
    """The answer, in which meters are called as those of several environments."""
    if isinstance(answer, dict):
        return {
            key: store.named(value)
            if key in _NAMES and isinstance(value, str) and value
            else _named(store, value)
            for key, value in answer.items()
        }
    return [_named(store, each) for each in answer] if isinstance(answer, list) else answer
