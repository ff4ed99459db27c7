"""A program in a fork of what has all imported is to its starter what `python -m` would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.peers.dialogue import CTRL_C, Dialogue
from tests.peers.imported import NEW, ROOT, STARTED, number_of
from tests.peers.start_imported import ADDRESS

# A module that tells what it was given, and ends as it is told to.
TOLD = """
import json, os, signal, sys, time
umask = os.umask(0)
print(json.dumps([sys.argv[1:], os.getcwd(), os.environ["TOLD"], umask, sys.stdin.read(), sys.path[0],
    os.isatty(1), sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors, time.tzname[0], __name__]))
print("also here", file=sys.stderr)
"""


def begun(program: tuple[str, ...], code: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    (folder / "told.py").write_text(code)
    return subprocess.Popen(
        [*program, "told", "one", "two words"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(params=[NEW, STARTED], ids=["new", "imported"])
def program(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if request.param is STARTED and ADDRESS not in os.environ:
        pytest.skip("coverage.py measures: each program is a new interpreter")
    found: tuple[str, ...] = request.param
    return found


def test_it_has_what_its_starter_gives_it(program: tuple[str, ...], tmp_path: Path) -> None:
    process = begun(program, TOLD, tmp_path, TOLD="ä", TZ="Asia/Kolkata")
    output, errors = process.communicate("typed", timeout=60)
    assert (process.returncode, errors) == (0, "also here\n")
    umask = os.umask(0o22)
    os.umask(umask)
    told = json.loads(output)
    assert told[:6] == [["one", "two words"], str(tmp_path), "ä", umask, "typed", str(tmp_path)]
    assert told[6:] == [False, "utf-8", told[8], "backslashreplace", "IST", "__main__"]


@pytest.mark.parametrize(
    ("last", "code", "said"),
    [
        ("pass", 0, ""),
        ("sys.exit(78)", 78, ""),
        ("sys.exit('sorry')", 1, "sorry\n"),
        ("raise ValueError('oh')", 1, "ValueError: oh\n"),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt\n"),
    ],
)
def test_it_ends_as_the_program_does(
    last: str, code: int, said: str, program: tuple[str, ...], tmp_path: Path
) -> None:
    process = begun(program, f"import os, signal, sys\n{last}", tmp_path)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (code, "")
    assert errors.endswith(said)
    assert bool(errors) == bool(said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_come_to_it(number: signal.Signals, program: tuple[str, ...], tmp_path: Path) -> None:
    code = f"""
import os, signal, sys
signal.signal({number}, lambda *_: os.write(1, b"heard\\n") and sys.exit(7))
print("waits", flush=True)
while True:
    signal.pause()
"""
    process = begun(program, code, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (7, "heard\n", "")


def test_it_is_known_by_its_number_and_can_be_killed_by_it(program: tuple[str, ...], tmp_path: Path) -> None:
    process = begun(program, "import os\nprint(os.getpid(), flush=True)\ninput()", tmp_path)
    number = number_of(process.pid)
    assert process.stdout is not None
    assert process.stdout.readline() == f"{number}\n"
    os.kill(number, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def test_it_dies_with_who_stands_for_it(program: tuple[str, ...], tmp_path: Path) -> None:
    process = begun(program, "print('waits', flush=True)\ninput()", tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    process.kill()
    assert process.stdout.read() == ""  # it has let go of it
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def test_ctrl_c_at_its_terminal_comes_to_it(program: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text(
        "import sys, time\n"
        "try:\n"
        "    print('asks', flush=True)\n"
        "    while True: time.sleep(0.1)\n"
        "except KeyboardInterrupt: sys.exit(5)\n"
    )
    with Dialogue(cwd=tmp_path, program=(*program, "told")) as talk:
        talk.expect("asks")
        talk.type(CTRL_C)
        assert talk.end() == 5


def test_another_language_takes_a_new_interpreter(program: tuple[str, ...], tmp_path: Path) -> None:
    process = begun(program, "import sys\nprint(sys.stdout.encoding)", tmp_path, PYTHONIOENCODING="latin-1")
    assert process.communicate(timeout=60)[0] == "iso8859-1\n"
