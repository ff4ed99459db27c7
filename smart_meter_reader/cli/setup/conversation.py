"""The steps of the conversation one after the other, each of which can be skipped, and gone back to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smart_meter_reader.cli.setup.draft import SettingsDraft
from smart_meter_reader.cli.setup.talk import AgainError, BackError, SkipError, Talk


@dataclass(frozen=True, slots=True)
class ConversationStep:
    """What it is about, and what it makes of the settings so far."""

    title: str
    take: Callable[[Talk, SettingsDraft], SettingsDraft]


def converse(talk: Talk, steps: Sequence[ConversationStep], draft: SettingsDraft) -> SettingsDraft:
    """Take all steps. `back` begins the step again, or, at its first question, the one before.

    A step that raises AgainError leads back to the first one; what was answered stands in all of them.
    Raises what ``Talk`` raises but for that.
    """
    drafts = [draft]
    asking: list[bool] = []
    while len(asking) < len(steps):
        step, answered = steps[len(asking)], talk.answered
        talk.say()
        talk.say(f"{step.title}")
        try:
            after, asked = step.take(talk, drafts[-1]), talk.answered > answered
        except SkipError:
            after, asked = drafts[-1], True
        except BackError:
            if talk.answered == answered:
                _go_back(talk, drafts, asking)
            continue
        except AgainError:
            drafts, asking = drafts[-1:], []
            continue
        drafts.append(after)
        asking.append(asked)
    return drafts[-1]


def _go_back(talk: Talk, drafts: list[SettingsDraft], asking: list[bool]) -> None:
    """To the last step that asked something."""
    if not any(asking):
        talk.say("This is the first question.")
        return
    while not asking.pop():
        drafts.pop()
    drafts.pop()
