"""Words for a meter that was asked and gave no usable answer: what was heard, what it means, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from smart_meter_reader.exceptions import (
    FrameError,
    MeterSilentError,
    NothingHeardError,
    UnusableAnswersError,
)


@dataclass(slots=True)
class Heard:
    """What came back on a request and its repeats, other than an answer."""

    echo: bool = False
    damage: FrameError | None = None


def explain_silence(heard: Heard, port: str, what: str) -> MeterSilentError | UnusableAnswersError:
    """The error that says why ``what`` was not answered: damaged answers, echo only, or nothing at all."""
    if heard.damage is not None:
        return UnusableAnswersError(
            "damaged_answers",
            f"{port}: every answer to {what} is damaged, at last: {heard.damage.detail}; move the head a "
            "little, lower as a rule, and keep sunlight off it",
        )
    if heard.echo:
        return MeterSilentError(
            "echo_only",
            f"{port}: the head returns what is sent but the meter does not answer {what}: turn the head "
            "until its cable points down, press a key on the meter, or try wake_up",
        )
    return NothingHeardError(
        "no_echo_no_answer",
        f"{port}: nothing comes back on {what}: check that this is the port of the head, place the head on "
        "the meter's eye, press a key on the meter, or try wake_up",
    )
