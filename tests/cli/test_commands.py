"""The command line as a whole: lists that cost nothing, completion, and outputs that end early."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from smart_meter_reader.cli import main
from smart_meter_reader.cli.commands import COMMANDS, cli
from smart_meter_reader.console import COMPLETION_VARIABLE, EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE
from tests.cli.program import PROGRAM, ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert COMMANDS[name].summary == command.get_short_help_str(limit=1000)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == EXIT_OK
    out, err = capsys.readouterr()
    assert out.startswith(f"Usage: smart-meter-reader {name}")
    assert err == ""
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["raed"], "No such command 'raed'. Did you mean 'read'?"),
        (["mqtt", "prevew"], "Did you mean 'preview'?"),
        (["xyzzy"], "No such command 'xyzzy'.\n"),
        (["read", "/dev/null", "--client", "p1"], "did you mean 'dsmr'?"),
        (["record", "/dev/null", "f", "--client", "MULTICAL 403"], "did you mean 'kamstrup'?"),
        (["read", "x", "--client", "Kamstrup"], '[kamstrup] port: found "x"'),
        (["read", "/dev/ttyUSB0"], "`smart-meter-reader scan /dev/ttyUSB0` finds out which"),
    ],
)
def test_a_slip_is_told_with_what_was_meant(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == EXIT_USAGE
    assert words in capsys.readouterr().err


def test_listing_the_commands_imports_none_of_them() -> None:
    code = (
        "import sys; from smart_meter_reader.cli import main; main(['--help']); "
        "print(*(m for m in sys.modules if m.startswith('smart_meter_reader')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert set(done.stderr.split()) == {
        "smart_meter_reader",
        "smart_meter_reader.cli",
        "smart_meter_reader.cli.commands",
        "smart_meter_reader.drivers",
        "smart_meter_reader.console",
        "smart_meter_reader.exceptions",
        "smart_meter_reader.text",
    }


@pytest.mark.parametrize("arguments", [["registers"], ["--help"], ["completion", "bash"]])
def test_a_reader_that_has_seen_enough_is_no_error(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [*PROGRAM, *arguments], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == EXIT_OK
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "registers"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == EXIT_UNAVAILABLE
    assert done.stderr == "the output could not be written: No space left on device\n"


def test_a_closed_output_and_a_narrow_character_set_are_no_errors() -> None:
    command = f"'{sys.executable}' -m smart_meter_reader registers"
    done = subprocess.run(["sh", "-c", f"{command} >&-"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    command = f"'{sys.executable}' -m smart_meter_reader scan /dev/not-a-port"
    done = subprocess.run(["sh", "-c", f"{command} 2>&-"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (EXIT_UNAVAILABLE, "")
    done = subprocess.run(
        [*PROGRAM, "registers", "volume"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    assert "68" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize(
    "arguments",
    [["decode", "p1", "tests/data/recordings/p1_belgium.rec", "--json"], ["run", "dummy", "--once"]],
)
def test_json_keeps_every_character_in_any_character_set(arguments: list[str], encoding: str) -> None:
    done = subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert "m³" in json.dumps(told, ensure_ascii=False)


@pytest.mark.parametrize("number", ["nan", "inf", "-nan"])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["align", "socket://127.0.0.1:9"], "--timeout"),
        (["read", "socket://127.0.0.1:9", "--client", "kamstrup"], "--timeout"),
        (["doctor", "nowhere"], "--timeout"),
        (["diagnose", "nowhere", "--output", "x"], "--timeout"),
        (["record", "socket://127.0.0.1:9", "x"], "--duration"),
        (["scan", "socket://127.0.0.1:9"], "--listen"),
        (["emulate", "kamstrup"], "--rate"),
        (["emulate", "kamstrup"], "--delay"),
        (["emulate", "multical_66c"], "--rate"),
        (["emulate", "sml"], "--every"),
        (["emulate", "dlms"], "--every"),
    ],
    ids=" ".join,
)
def test_what_is_no_number_is_refused(
    command: list[str], option: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, f"{option}={number}"]) == EXIT_USAGE
    assert f"Invalid value for '{option}'" in capsys.readouterr().err


def test_a_directory_that_is_gone_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir '{gone}'; '{sys.executable}' -P -m smart_meter_reader check"
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    done = subprocess.run(
        ["sh", "-c", command], cwd=gone, env=path, capture_output=True, text=True, check=False
    )
    assert done.returncode == EXIT_UNAVAILABLE
    assert done.stderr == "the working directory does not exist any more: change into another one\n"


def test_a_path_that_the_system_refuses_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_: object) -> int:
        Path("x" * 300).read_bytes()
        return EXIT_OK

    monkeypatch.setattr("smart_meter_reader.cli._run", refused)
    assert main(["decode"]) == EXIT_UNAVAILABLE
    assert capsys.readouterr().err == f"{'x' * 300}: File name too long\n"


@pytest.mark.parametrize(
    ("shell", "typed", "offered"),
    [
        ("bash", "smart-meter-reader sc", "plain,scan"),
        ("zsh", "smart-meter-reader sc", f"plain\nscan\n{COMMANDS['scan'].summary}"),
        ("fish", "smart-meter-reader align --be", "plain,--beep"),
        ("bash", "smart-meter-reader doctor ho", "plain,home"),
        ("bash", "smart-meter-reader run ho", "plain,home"),
        ("bash", "smart-meter-reader service install ho", "plain,home"),
        ("bash", "smart-meter-reader completion f", "plain,fish"),
        ("bash", "smart-meter-reader align --client i", "plain,iec62056_21"),
    ],
)
def test_the_shell_gets_what_fits(
    shell: str,
    typed: str,
    offered: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "settings.toml").write_text("[default]\n[home.meters]\n[holiday_home]\n[demo]\n")
    monkeypatch.chdir(tmp_path)
    words = typed.split()
    monkeypatch.setenv(COMPLETION_VARIABLE, f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", typed)
    # fish gives the word itself, the others its number.
    monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
    # The shells call the program without arguments, which must not start the service.
    assert main([]) == EXIT_OK
    out = capsys.readouterr().out
    assert out.strip().split("\nplain")[0].startswith(offered)


@pytest.mark.parametrize("broken", ["", "not toml", "[[home]]"])
def test_settings_that_cannot_be_read_complete_to_nothing(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if broken:
        (tmp_path / "settings.toml").write_text(broken)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(COMPLETION_VARIABLE, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "smart-meter-reader run h")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert main([]) == EXIT_OK
    assert capsys.readouterr().out.strip() == ""


def test_bash_completes_with_the_printed_script(tmp_path: Path) -> None:
    script = subprocess.run([*PROGRAM, "completion", "bash"], capture_output=True, text=True, check=True)
    assert "bash-completion/completions/smart-meter-reader" in script.stderr
    (tmp_path / "settings.toml").write_text("[home.meters]\n")
    program = tmp_path / "smart-meter-reader"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m smart_meter_reader "$@"\n')
    program.chmod(0o755)
    (tmp_path / "script").write_text(script.stdout)
    ask = (
        "source ./script; COMP_WORDS=(smart-meter-reader check h); COMP_CWORD=2; "
        '_smart_meter_reader_completion ./smart-meter-reader; echo "${COMPREPLY[@]}"'
    )
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    done = subprocess.run(
        ["bash", "--norc", "-c", ask], cwd=tmp_path, env=path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("home\n", "")


@pytest.mark.parametrize(("shell", "word"), [("zsh", "#compdef smart-meter-reader"), ("fish", "complete ")])
def test_the_scripts_of_the_other_shells(shell: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == EXIT_OK
    out, err = capsys.readouterr()
    assert word in out
    assert COMPLETION_VARIABLE in out
    assert shell in err or "fpath" in err


def test_a_meter_and_its_environment_in_the_wrong_order_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.toml").write_text("[home.meters]\n[barn.meters]\n")
    monkeypatch.chdir(tmp_path)
    assert main(["mqtt", "clear", "home", "heat"]) == EXIT_USAGE
    assert "the meter comes first: smart-meter-reader mqtt clear heat home" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["install", "uninstall"])
def test_which_environment_is_asked_where_there_are_two(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ENV_FOR_DYNACONF", raising=False)
    (tmp_path / "settings.toml").write_text("[home.meters]\n[barn.meters]\n")
    monkeypatch.chdir(tmp_path)
    command = ["service", name, "--dry-run"]
    assert main(command) == EXIT_USAGE
    assert "which environment (ENV)? settings.toml has: home, barn" in capsys.readouterr().err
    (tmp_path / "settings.toml").unlink()
    assert main(command) == EXIT_USAGE
    assert "there is none in settings.toml here" in capsys.readouterr().err


@pytest.mark.parametrize("named", [True, False])
def test_one_environment_needs_no_name(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.toml").write_text("[barn.meters]\n" + "[attic.meters]\n" * named)
    monkeypatch.delenv("ENV_FOR_DYNACONF", raising=False)
    if named:
        monkeypatch.setenv("ENV_FOR_DYNACONF", "barn")
    monkeypatch.chdir(tmp_path)
    image = tmp_path / "image"
    image.mkdir()
    assert main(["service", "uninstall", "--dry-run", "--root", str(image)]) == EXIT_OK
    assert "smart_meter_reader@barn.service" in capsys.readouterr().out
