"""What systemd says of a service, and what the doctor makes of it."""

from __future__ import annotations

from typing import Literal

import pytest

from smart_meter_reader.cli.doctor.service_checks import check_service
from smart_meter_reader.console.checks import Level
from smart_meter_reader.service.first_reading import first_reading
from smart_meter_reader.service.notify import Pulse, is_waiting, status_sentence
from smart_meter_reader.service.state import ServiceState, parse_state

UNIT = "smart_meter_reader@home.service"


@pytest.mark.parametrize(
    ("told", "runs", "level", "said"),
    [
        ("active\nSubState=running\nMainPID=7\nStatusText=heat online", True, Level.OK, "runs: heat online"),
        ("active\nSubState=running\nMainPID=7\nStatusText=", True, Level.OK, f"{UNIT} runs"),
        ("inactive\nSubState=dead\nMainPID=0", False, Level.OK, "does not run"),
        ("failed\nExecMainStatus=78", False, Level.WARNING, "its settings cannot be used (exit code 78)"),
        (
            "activating\nSubState=auto-restart\nExecMainStatus=1",
            True,
            Level.WARNING,
            "it ended (exit code 1)",
        ),
    ],
)
def test_a_service(told: str, runs: bool, level: Level, said: str) -> None:
    state = parse_state(UNIT, f"ActiveState={told}\n")
    assert state is not None
    assert state.runs == runs
    (check,) = check_service("home", state)
    assert check.level is level
    assert said in check.text
    assert ("service logs home" in check.text) == (level is Level.WARNING)


def test_where_systemd_does_not_run_there_is_nothing_to_say() -> None:
    assert parse_state(UNIT, "") is None
    assert list(check_service("home", None)) == []


@pytest.mark.parametrize(
    ("states", "waits"),
    [
        (["starting"], True),
        (["online", "starting"], True),
        (["online", "offline"], False),
        (["online"], False),
        (["alert"], False),
    ],
)
def test_a_service_is_waited_for_until_each_meter_was_read_or_failed(
    states: list[Literal["starting", "online", "offline", "alert"]], waits: bool
) -> None:
    pulses = [Pulse(f"meter{number}", state, "", 10, 0, 0) for number, state in enumerate(states)]
    assert is_waiting(status_sentence(pulses)) == waits


@pytest.mark.parametrize(
    ("told", "runs", "said"),
    [
        (
            [
                ("activating", ""),
                ("active", "waiting for the first reading of heat"),
                ("active", "heat online"),
            ],
            True,
            "heat online",
        ),
        ([("active", "heat is offline (no_answer)")], True, "heat is offline (no_answer)"),
        (
            [("activating", ""), ("failed", "")],
            False,
            "it does not run: its settings cannot be used (exit code 78)",
        ),
    ],
)
def test_how_a_start_went(told: list[tuple[str, str]], runs: bool, said: str) -> None:
    left = iter([ServiceState(UNIT, active, 7, text, "78") for active, text in told])
    started = first_reading("home", lambda _: next(left), 5.0)
    assert (started.runs, started.said) == (runs, said)


def test_a_meter_that_takes_its_time_is_waited_for_no_longer_than_so() -> None:
    state = ServiceState(UNIT, "active", 7, "waiting for the first reading of heat")
    started = first_reading("home", lambda _: state, 0.6)
    assert started.runs
    assert "nothing yet" in started.said


def test_a_service_that_was_stopped_meanwhile_does_not_run() -> None:
    left = iter(["active"])
    started = first_reading("home", lambda _: ServiceState(UNIT, next(left, "inactive")), 0.6)
    assert not started.runs
    assert "it does not run" in started.said
