"""Questions to a person: typed into a line editor on a terminal, answered by plain lines elsewhere."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from smart_meter_reader.console.wrapping import tell

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

BACK, SKIP, UNDO = "back", "skip", "undo"


class BackError(Exception):
    """The person wants the question before."""


class SkipError(Exception):
    """The person wants this step left as it is."""


class UndoError(Exception):
    """The person wants everything as it was before."""


class AgainError(Exception):
    """The person wants to begin again, with the answers so far."""


def accept(_: str) -> str:
    """Nothing is wrong with any answer."""
    return ""


class Talk:
    """One conversation. Each question raises BackError, SkipError or UndoError when that is the answer.

    EOFError when nobody is there to answer, KeyboardInterrupt at Ctrl-C. ``answered`` counts the answers.
    """

    def __init__(self) -> None:
        self.answered = 0
        self._typed = sys.stdin.isatty()
        self._session = _session() if self._typed and sys.stdout.isatty() else None

    def say(self, text: str = "") -> None:
        """A sentence, broken between words on a terminal."""
        sys.stderr.flush()
        tell(text, sys.stdout)
        sys.stdout.flush()

    def show(self, text: str) -> None:
        """Lines that are shown as they are."""
        sys.stderr.flush()
        print(text)
        sys.stdout.flush()

    def ask(self, question: str, default: str = "", wrong: Callable[[str], str] = accept) -> str:
        """A line; an empty one is ``default``. ``wrong`` says why an answer does not do."""
        while True:
            answer = self._line(f"{question} [{default}]: " if default else f"{question}: ").strip()
            if answer.lower() == BACK:
                raise BackError
            if answer.lower() == SKIP:
                raise SkipError
            if answer.lower() == UNDO:
                raise UndoError
            answer = answer or default
            problem = _untypable(answer) or wrong(answer)
            if not problem:
                self.answered += 1
                return answer
            self.say(problem)

    def secret(self, question: str, wrong: Callable[[str], str] = accept) -> str:
        """A line that is not shown; it may be any, and empty."""
        while True:
            answer = self._line(f"{question} (not shown): ", hidden=True).strip()
            problem = _foreign_bytes(answer) or wrong(answer)
            if not problem:
                self.answered += 1
                return answer
            self.say(problem)

    def agree(self, question: str, *, default: bool = True) -> bool:
        """Yes or no."""
        words = {"y": True, "yes": True, "n": False, "no": False, "": default}
        answer = self.ask(
            f"{question} [{'Y/n' if default else 'y/N'}]",
            wrong=lambda text: "" if text.lower() in words else "y or n?",
        )
        return words[answer.lower()]

    def choose(self, question: str, options: Sequence[str], default: int = 0) -> int:
        """The place of one of the options, which are numbered from 1."""
        for number, option in enumerate(options, 1):
            self.say(f"  {number}  {option}")
        numbers = {str(number) for number in range(1, len(options) + 1)}
        answer = self.ask(
            question,
            str(default + 1),
            wrong=lambda text: "" if text in numbers else f"a number from 1 to {len(options)}?",
        )
        return int(answer) - 1

    def _line(self, text: str, *, hidden: bool = False) -> str:
        sys.stderr.flush()
        if self._session is not None:
            return self._session.prompt(text, is_password=hidden)
        if hidden and self._typed:
            return getpass.getpass(text)
        print(text, end="" if self._typed else "\n", flush=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")


def _untypable(text: str) -> str:
    """Why an answer cannot be one, whatever was asked: what a key sent that is no character, say."""
    if text.isprintable():
        return ""
    return _foreign_bytes(text) or "that has a character in it which cannot be shown: type it once more"


def _foreign_bytes(text: str) -> str:
    """Words for bytes that are no UTF-8: no file of settings could hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "that is no UTF-8, as settings are: set the terminal to it, or do without umlauts"
    return ""


def _session() -> PromptSession[str] | None:
    """The line editor; None for a terminal that knows no movements of the cursor."""
    if os.environ.get("TERM", "dumb").lower() in ("dumb", "unknown", ""):
        return None
    from prompt_toolkit import PromptSession
    from prompt_toolkit.data_structures import Size
    from prompt_toolkit.history import DummyHistory
    from prompt_toolkit.output.vt100 import Vt100_Output

    def size() -> Size:
        columns, rows = shutil.get_terminal_size()
        return Size(rows=rows, columns=columns)

    # Terminals that do not say where the cursor is need no warning: nothing here depends on it.
    output = Vt100_Output(sys.stdout, size, term=os.environ["TERM"], enable_cpr=False)
    # No history: passwords are typed here.
    return PromptSession(output=output, history=DummyHistory(), reserve_space_for_menu=0)
