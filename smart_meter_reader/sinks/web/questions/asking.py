"""Asks the history: a name and a few words in, plain values out. Blocking; for one thread at a time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.connecting import explained_for
from smart_meter_reader.sinks.web.contract_settings import ContractSettings, expected_pairs
from smart_meter_reader.sinks.web.prices.troubles import PriceTroubles
from smart_meter_reader.sinks.web.questions.asked import Inquiry, QuestionError, Unwritten
from smart_meter_reader.sinks.web.questions.download import Download, prepared
from smart_meter_reader.sinks.web.questions.entered import Entered
from smart_meter_reader.sinks.web.questions.table import DOWNLOAD, QUESTIONS, Parameter, QuestionKind


class Questions:
    """What can be asked of one environment's history."""

    def __init__(
        self,
        history_file: Path,
        recent_file: Path | None = None,
        contracts: Mapping[str, ContractSettings] = MappingProxyType({}),
        expected_return: Mapping[str, Decimal] = MappingProxyType({}),
        clock: Callable[[], float] = time.time,
        unwritten: Unwritten = lambda _meter, _wanted: (),
        price_troubles: PriceTroubles | None = None,
    ) -> None:
        """``contracts`` by their names; ``expected_return`` as the settings have it, flow to return in °C.

        ``unwritten``: the single readings that the sink `history` has in memory still.
        """
        self._history_file = history_file
        self._recent_file = recent_file
        troubles = price_troubles or PriceTroubles()
        self._entered = Entered(contracts, expected_pairs(expected_return), price_troubles=troubles)
        self._clock = clock
        self._unwritten = unwritten
        self._history: History | None = None
        self._look: ExitStack | None = None
        self._downloaded: History | None = None
        self._stopped = False

    def ask(self, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The answer: decimals with the meter's digits, times of the house with their offset, and None.

        Raises QuestionError for what cannot be answered as it was put, NoHistoryError while nothing is
        stored, and HistoryError for a file that cannot be read, or when it was interrupted.
        """
        question = QUESTIONS.get(name)
        if question is None:
            raise QuestionError(
                "no_such_question",
                "there is no question {name!r}; there are: {known}",
                name=name,
                known=", ".join(QUESTIONS),
            )
        _require_known(name, question.parameters, query)
        if self._look is not None:
            return self._answer(self._look, question, query)
        with self.one_look() as look:
            return self._answer(look, question, query)

    @contextmanager
    def one_look(self) -> Iterator[ExitStack]:
        """All questions within see the same, and the file is opened for the first of them alone."""
        # For each look anew: the file may have been restored or replaced meanwhile.
        with ExitStack() as look:
            self._look = look
            try:
                yield look
            finally:
                self._look = self._history = None

    def _answer(self, look: ExitStack, question: QuestionKind, query: Mapping[str, str]) -> dict[str, Any]:
        if self._history is None:
            history = look.enter_context(closing(History(self._history_file)))
            look.enter_context(history.snapshot())
            self._history = history
        with explained_for(self._history_file):
            answer = dict(question.answer(self._inquiry(self._history, query)))
        self._history.require_same()
        return answer

    def download(self, query: Mapping[str, str]) -> Download:
        """A file, made on the disk; it may take many seconds, and may run beside ``ask`` in another thread.

        Raises QuestionError and HistoryError, also where there is no room for it.
        """
        _require_known("download", DOWNLOAD.parameters, query)
        self._stopped = False
        with closing(History(self._history_file)) as history:
            self._downloaded = history
            try:
                with explained_for(self._history_file):
                    inquiry = self._inquiry(history, query)
                    made = prepared(inquiry, self._history_file, lambda: self._stopped)
                history.require_same()
                return made
            finally:
                self._downloaded = None

    def interrupt(self) -> None:
        """End the question under way; for another thread."""
        _interrupt(self._history)

    def stop_download(self) -> None:
        """End the download that is being made; for another thread."""
        self._stopped = True
        _interrupt(self._downloaded)

    def _inquiry(self, history: History, query: Mapping[str, str]) -> Inquiry:
        now = int(self._clock())
        return Inquiry(query, history, history.house, self._recent_file, now, self._entered, self._unwritten)


def _interrupt(history: History | None) -> None:
    # It may be closed in this very moment, by the thread that asks.
    if history is not None:
        with suppress(sqlite3.ProgrammingError):
            history.interrupt()


def _require_known(name: str, parameters: Sequence[Parameter], query: Mapping[str, str]) -> None:
    known = [parameter.name for parameter in parameters]
    for key in query:
        if key not in known:
            raise QuestionError(
                "no_such_word",
                "{key}: {name} knows no such word; allowed: {allowed}",
                key=key,
                name=name,
                allowed=", ".join(known) or "–",
            )
