"""Words for a meter that was asked and gave no usable answer: what was heard, what it means, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from smart_meter_reader.codecs.iec62056_21.message import Identification
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
    quiet: int = 0  # attempts in a row, the latest of them, on which nothing came
    identified: Identification | None = None  # of a meter whose data did not follow
    fixed_speed: bool = False  # the port is a TCP server, whose speed nobody here can change


def explain_silence(heard: Heard, port: str, what: str) -> MeterSilentError | UnusableAnswersError:
    """The error that says why ``what`` was not answered: damaged answers, echo only, or nothing at all."""
    if heard.identified is not None:
        return _explain_missing_data(heard, heard.identified, port)
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
            "until its cable points down, press a key on the meter, or try wake_up; some answer only to "
            "their own number, which address sends",
        )
    return NothingHeardError(
        "no_echo_no_answer",
        f"{port}: nothing comes back on {what}: check that this is the port of the head, place the head on "
        "the meter's eye, press a key on the meter, or try wake_up; some answer only to their own number, "
        "which address sends",
    )


def _explain_missing_data(heard: Heard, meter: Identification, port: str) -> UnusableAnswersError:
    """It answers, so that neither the head's place nor sleep is to blame for nothing at all."""
    if heard.fixed_speed and meter.mode == "B":
        return UnusableAnswersError(
            "fixed_speed",
            f"{port}: the meter ({meter.ident}) goes on at {meter.baud} Bd after its identification (mode "
            "B), and socket:// cannot change the speed of the serial server: use rfc2217:// there, or "
            "a head at this computer",
        )
    if heard.damage is not None:
        return UnusableAnswersError(
            "damaged_answers",
            f"{port}: the meter identified itself as {meter.ident}, and every readout behind that is "
            f"damaged, at last: {heard.damage.detail}; move the head a little, lower as a rule, and keep "
            "sunlight off it",
        )
    return UnusableAnswersError(
        "no_data",
        f"{port}: the meter identified itself as {meter.ident} and then sends no data: move the head a "
        f"little, and check that it can do {meter.baud} Bd",
    )
