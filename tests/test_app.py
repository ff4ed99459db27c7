"""The whole service as a process: start, signals, ordered stop, `--once`, closed pipes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = """
[default]
log_level = "INFO"

[fast.meters.one]
client = "dummy"
interval = "10ms"
[fast.meters.two]
client = "dummy"
interval = "10ms"
seed = 2
[fast.sinks.stdout]

[flood]
queue_size = 10
[flood.meters.one]
client = "dummy"
interval = "1ms"
[flood.sinks.stdout]

[counted.meters.one]
client = "dummy"
interval = "1ms"
count = 200
[counted.sinks.stdout]

[absent.meters.one]
client = "dummy"
interval = "1h"
[absent.meters.two]
client = "kamstrup"
port = "/nowhere/at/all"
[absent.sinks.stdout]
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "config.py", tmp_path)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
def started(directory: Path) -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(
    directory: Path, environment: str, *arguments: str, state: Path | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "smart_meter_reader", *arguments],
        cwd=directory,
        env={
            **os.environ,
            "ENV_FOR_DYNACONF": environment,
            **({"STATE_DIRECTORY": str(state)} if state else {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def rest_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process that was read line by line still writes, until it ends; it is killed after 60 s.

    ``communicate`` goes past what was read ahead of the lines, and would begin in the middle of one.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    end = threading.Timer(60, process.kill)
    end.start()
    output, errors = process.stdout.read(), process.stderr.read()
    process.wait()
    end.cancel()
    return output, errors


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    """Read what the process logs until the text comes."""
    assert process.stderr is not None
    assert any(text in line for line in process.stderr)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_in_order(
    directory: Path, started: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    process = start(directory, "fast")
    started.append(process)
    lines = first_lines(process, 20)
    process.send_signal(number)
    rest, errors = rest_of(process)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    messages = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert {message["meter"] for message in messages} == {"one", "two"}
    # What was read was delivered whole: the counter of the last health is no more than what arrived.
    assert all(message["type"] in {"info", "status", "reading"} for message in messages)


def test_nohup_is_heeded(directory: Path, started: list[subprocess.Popen[str]]) -> None:
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "smart_meter_reader"],
        cwd=directory,
        env={**os.environ, "ENV_FOR_DYNACONF": "fast"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started.append(process)
    first_lines(process, 1)
    process.send_signal(signal.SIGHUP)
    lines = first_lines(process, 100)
    assert all(lines), "it reads on"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_second_signal_ends_at_once(directory: Path, started: list[subprocess.Popen[str]]) -> None:
    process = start(directory, "flood")
    started.append(process)
    wait_for_line(process, "does not keep up")
    # Nobody reads on: the pipe is full, and the ordered stop has to wait for the sink.
    process.send_signal(signal.SIGTERM)
    wait_for_line(process, "stopping")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 128 + signal.SIGTERM


def test_a_reader_that_hangs_does_not_hold_the_stop(
    directory: Path, started: list[subprocess.Popen[str]]
) -> None:
    process = start(directory, "flood")
    started.append(process)
    # The queue is full only when the pipe has been for a while.
    wait_for_line(process, "does not keep up")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_all_that_was_read_is_delivered_in_order(directory: Path) -> None:
    process = start(directory, "counted")
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    readings = [json.loads(line) for line in output.splitlines() if '"reading"' in line]
    assert len(readings) == 200
    totals = [reading["measurements"]["heat_energy"]["value"] for reading in readings]
    assert totals == sorted(totals)


def test_once_takes_one_reading_of_each_and_tells_of_the_missing(directory: Path) -> None:
    process = start(directory, "absent", "run", "--once")
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 69, errors
    messages = [json.loads(line) for line in output.splitlines()]
    readings = [message for message in messages if message["type"] == "reading"]
    assert [reading["meter"] for reading in readings] == ["one"]
    offline = [m for m in messages if m["type"] == "status" and m["state"] == "offline"]
    assert [(m["meter"], m["reason"]) for m in offline] == [("two", "port_missing")]
    assert "Traceback" not in errors


def test_a_closed_pipe_ends_the_service(directory: Path, started: list[subprocess.Popen[str]]) -> None:
    process = start(directory, "fast")
    started.append(process)
    first_lines(process, 2)
    assert process.stdout is not None
    process.stdout.close()
    process.wait(timeout=30)
    assert process.returncode == 0
    assert process.stderr is not None
    errors = process.stderr.read()
    assert "has gone" in errors
    assert "Traceback" not in errors
    assert "Exception" not in errors


def test_unusable_settings_exit_with_78(directory: Path) -> None:
    process = start(directory, "kamstrup")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 78
    assert "kamstrup" in errors
    assert "Traceback" not in errors


def signalling(directory: Path, number: signal.Signals) -> None:
    """A config.py that sends a signal as early as can be: while the settings are still being loaded."""
    text = (directory / "config.py").read_text()
    (directory / "config.py").write_text(f"import os\nos.kill(os.getpid(), {number.value})\n{text}")


def test_a_reading_asked_for_too_early_ends_nothing(
    directory: Path, started: list[subprocess.Popen[str]]
) -> None:
    signalling(directory, signal.SIGUSR1)
    process = start(directory, "fast")
    started.append(process)
    assert all(json.loads(line)["type"] for line in first_lines(process, 10))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stop_asked_for_during_the_start_is_obeyed(
    number: signal.Signals, directory: Path, started: list[subprocess.Popen[str]]
) -> None:
    signalling(directory, number)
    process = start(directory, "fast")
    started.append(process)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "huge"])
def test_a_state_file_that_is_none_hinders_no_start(
    kind: str, directory: Path, started: list[subprocess.Popen[str]]
) -> None:
    place(kind, directory / "fast.json")
    process = start(directory, "fast", state=directory)
    started.append(process)
    assert all(json.loads(line)["type"] for line in first_lines(process, 10))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "fast.json" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("name", ["settings.toml", ".secrets.toml"])
@pytest.mark.parametrize("kind", ["fifo", "directory", "huge"])
def test_a_settings_file_that_is_none_is_told(
    kind: str, name: str, directory: Path, started: list[subprocess.Popen[str]]
) -> None:
    (directory / name).unlink(missing_ok=True)
    place(kind, directory / name)
    process = start(directory, "fast")
    started.append(process)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 78
    assert f"{name}: cannot be read: " in errors
    assert "Traceback" not in errors


def place(kind: str, path: Path) -> None:
    """Something in a file's place that keeps whoever simply reads it for ever, or fills his memory."""
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            with path.open("wb") as file:
                file.truncate(1 << 40)  # takes no room on the disk
