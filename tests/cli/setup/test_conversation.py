"""From the port to the first reading, by a person at a terminal; each step skipped, repeated and undone."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from smart_meter_reader.console import EXIT_INTERRUPTED, EXIT_OK, EXIT_SETTINGS, EXIT_USAGE
from smart_meter_reader.sinks.web.access.passwords import written as written_password
from tests.cli.program import HURRIED, QUICKLY, ROOT, emulated, run
from tests.peers.dialogue import CTRL_C, CTRL_D, Dialogue
from tests.peers.lines import silent_terminal
from tests.peers.mosquitto import PASSWORD, USER, MakeBroker, Mosquitto, Watcher, login_lines
from tests.peers.ports import free_port

KEY, AUTHENTICATION_KEY = "00112233445566778899AABBCCDDEEFF", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
SETTINGS = """\
# What I wrote myself.
[home.meters.pretend]
client = "dummy"  # not a real one
interval = "2s"

# Where it goes.
[home.sinks.stdout]
format = "json"
"""
# Every step of a conversation about settings that are there: its question, and an answer.
STEPS = (
    ("1/12 Meters", "And now", ""),
    ("2/12 Home Assistant", "How", ""),
    ("3/12 openHAB", "Homie 4 over MQTT?", ""),
    ("4/12 JSON", "and others?", ""),
    ("6/12 History", "`history show`?", "y"),
    ("7/12 The page", "For whom", ""),
    ("8/12 Readings on the screen", "How", ""),
    ("9/12 What is going to be written", "Write this?", "y"),
    ("11/12 The service", "to every sink?", "n"),
)
WRITES = 7


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def written(home: Path) -> Path:
    (home / "config.py").write_text((ROOT / "config.py").read_text())
    (home / "settings.toml").write_text(SETTINGS)
    return home


def setup(home: Path, *arguments: str, terminal: str = "xterm", program: Sequence[str] = QUICKLY) -> Dialogue:
    variables = {"HOME": str(home.parent), "XDG_STATE_HOME": str(home.parent / "state")}
    return Dialogue("setup", *arguments, cwd=home, environment=variables, terminal=terminal, program=program)


def say(talk: Dialogue, steps: Sequence[tuple[str, str, str]]) -> None:
    for heading, question, answer in steps:
        talk.expect(heading)
        talk.answer(question, answer)


def files(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.iterdir()}


def tables(home: Path, name: str = "settings.toml") -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((home / name).read_text())["home"]
    return found


def test_a_heat_meter_from_scan_to_the_first_reading(broker: Mosquitto, home: Path) -> None:
    page, watcher = free_port(), Watcher(broker.port)
    with emulated("kamstrup", "--baud", "0", "--model", "403", "--delay", "0") as port, setup(home) as talk:
        talk.answer("Which port", port)
        talk.answer("Its name here", "Heat!")
        talk.expect("a name is made of a-z, 0-9 and -")
        talk.answer("Its name here", "cellar")
        shown = talk.expect("Does your display say this?")
        assert "Heat energy" in shown
        assert "Return temperature" in shown
        talk.type("y")
        say(
            talk,
            [
                ("2/12 Home Assistant", "How", "1"),
                ("3/12 openHAB", "Homie 4", "y"),
                ("4/12 JSON", "and others?", "y"),
                ("5/12 The MQTT broker", "Address of the broker", f"localhost:{broker.port}"),
            ],
        )
        talk.answer("speak TLS?")
        talk.answer("Your user name there")
        assert talk.expect("6/12 History").count("ok: published and read back") == 4
        talk.answer("`history show`?")
        say(talk, [("7/12 The page", "For whom", "1")])
        talk.answer("At which port", str(page))
        say(talk, [("8/12 Readings on the screen", "How", "")])
        assert not files(home)
        talk.answer("Write this?", "y")
        assert "WRONG" not in talk.expect("11/12 The service")
        talk.answer("to every sink?", "y")
        talk.expect("The first reading is there.")
        where = talk.expect("12/12 Where to look") + talk.expect("looks for trouble")
        assert f"http://127.0.0.1:{page}/" in where
        assert "smart-meter-reader/cellar/state" in where
        assert talk.end() == EXIT_OK
    heard = watcher.wait_for(
        lambda messages: any(each.topic == "smart-meter-reader/cellar/state" for each in messages)
    )
    watcher.close()
    assert any(each.topic.startswith("homie/cellar/") for each in heard)
    assert any(each.topic.startswith("homeassistant/device/") for each in heard)
    assert set(files(home)) == {"config.py", "settings.toml", "settings.examples.toml", ".secrets.toml"}
    settings = (home / "settings.toml").read_text()
    assert "# Keeps what the meters counted, for ever" in settings
    assert '# [home.sinks.stdout]\n# format = "table"\n' in settings
    assert run("check", cwd=home).returncode == EXIT_OK


def test_an_encrypted_p1_meter_whose_keys_are_never_shown(home: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEY}\n{AUTHENTICATION_KEY}\n")
    options = ("--encrypt", "--key-file", str(tmp_path / "keys"), "--baud", "0", "--dialect", "austria")
    with emulated("p1", *options) as port, setup(home) as talk:
        talk.answer("Which port", port)
        talk.answer("Its name here")
        talk.answer("Encryption key (GUEK)", "00112233")
        talk.answer("Authentication key (GAK)")
        talk.expect("32 hexadecimal digits")
        talk.answer("Type them again?", "y")
        talk.answer("Encryption key (GUEK)", KEY[::-1])
        talk.answer("Authentication key (GAK)", AUTHENTICATION_KEY)
        talk.expect("no reading")
        talk.answer("What now", "4")
        talk.answer("Encryption key (GUEK)", KEY)
        talk.answer("Authentication key (GAK)", AUTHENTICATION_KEY)
        assert "energy" in talk.expect("Does your display say this?")
        talk.type("y")
        for heading, question in (
            ("2/12 Home Assistant", "How"),
            ("3/12 openHAB", "Homie 4"),
            ("4/12 JSON", "and others?"),
            ("6/12 History", "`history show`?"),
            ("7/12 The page", "For whom"),
        ):
            say(talk, [(heading, question, "")])
        say(talk, [("8/12 Readings", "How", "2")])
        talk.answer("Write this?")
        talk.expect("What doctor says")
        talk.answer("to every sink?", "y")
        talk.expect("The first reading is there.")
        assert talk.end() == EXIT_OK
        for key in (KEY, KEY[::-1], AUTHENTICATION_KEY):
            assert key not in talk.text
    assert tables(home, ".secrets.toml") == {
        "meters": {"electricity": {"key": KEY, "authentication_key": AUTHENTICATION_KEY}}
    }
    assert stat.S_IMODE((home / ".secrets.toml").stat().st_mode) == 0o600
    assert KEY not in (home / "settings.toml").read_text()


def test_where_no_meter_answers_it_helps_with_the_head_and_looks_again(home: Path) -> None:
    with silent_terminal() as port, setup(home, program=HURRIED) as talk:
        talk.answer("Which port", "7")
        talk.expect("there is no port of that number")
        talk.answer("Which port", "nonsense")
        talk.expect("or such as /dev/ttyUSB0?")
        talk.answer("Which port", port)
        talk.answer("No meter was found", "2")
        talk.answer("Which kind of meter is it", "2")
        talk.expect("nothing comes back")
        talk.type(CTRL_C)  # ends only that
        talk.expect("0 of")
        talk.answer("No meter was found", "4")
        say(talk, [("2/12 Home Assistant", "How", "2")])
        talk.answer("Its address", "homeassistant")
        talk.expect("as in the browser")
        talk.answer("Its address", f"http://127.0.0.1:{free_port()}")
        talk.answer("Token", "an-own-token")
        talk.expect("It is tried as soon as there is a meter.")
        say(talk, [("3/12 openHAB", "Homie 4", "undo")])
        assert talk.end() == EXIT_OK
        assert "an-own-token" not in talk.text
    assert not files(home)


def test_without_a_meter_nothing_is_written_and_all_answers_stay(home: Path, tmp_path: Path) -> None:
    """No adapter yet: the other questions can be seen, and then it begins again with what was answered."""
    with setup(home) as talk:
        talk.answer("Which port", "")  # plugged in by now? it looks again
        talk.expect("No serial port was found here.")
        talk.answer("Which port", "all")
        talk.expect("Enter, or such as /dev/ttyUSB0?")
        talk.answer("Which port", str(tmp_path / "nothing"))
        talk.answer("No meter was found", "4")
        talk.expect("2/12 Home Assistant")
        talk.answer("How")
        talk.answer("Homie 4", "y")
        talk.answer("and others?")
        talk.answer("Address of the broker", "127.0.0.1")
        talk.answer("speak TLS?")
        talk.answer("Your user name there")
        talk.expect("It is tried as soon as there is a meter.")
        for question in ("`history show`?", "For whom", "How"):
            talk.answer(question)
        talk.expect("There is no meter yet, and without one there is nothing to write.")
        talk.answer("And now", "1")
        talk.expect("1/12 Meters")
        talk.answer("Which port", "skip")
        talk.answer("How")
        talk.expect("Homie 4 over MQTT? [Y/n]")
        talk.type("undo")
        talk.expect("Nothing was written.")
        assert talk.end() == EXIT_OK
    assert files(home) == {}


def test_what_doctor_finds_leads_back_to_the_first_step(written: Path) -> None:
    (written / "settings.toml").write_text(SETTINGS + '[home.sinks.homie]\nhost = "127.0.0.1"\nport = 1\n')
    with setup(written) as talk:
        say(talk, STEPS[:2])
        talk.expect("3/12 openHAB")
        talk.answer("Homie 4")
        say(talk, STEPS[3:8])
        talk.expect("10/12 What doctor says")
        talk.answer("And now", "2")
        talk.expect("1/12 Meters")
        talk.answer("And now")
        talk.answer("How")
        talk.answer("Homie 4", "n")
        for question in ("and others?", "`history show`?", "For whom", "How"):
            talk.answer(question)
        talk.answer("Write this?", "y")
        talk.answer("to every sink?", "n")
        talk.expect("While `smart-meter-reader run` runs:")
        assert talk.end() == EXIT_OK
    assert "homie" not in tables(written)["sinks"]  # type: ignore[operator]


def test_a_second_time_changes_only_what_the_person_changes(written: Path) -> None:
    with setup(written) as talk:
        say(talk, STEPS)
        assert talk.end() == EXIT_OK
    changed = (written / "settings.toml").read_text()
    assert changed == f"{SETTINGS}\n[home.sinks.history]\n"
    with setup(written) as talk:
        say(talk, [(heading, question, "") for heading, question, _ in STEPS[:WRITES]])
        talk.expect("Nothing changes: the files say all this already.")
        talk.answer("to every sink?", "skip")
        talk.expect("Where to look")
        assert talk.end() == EXIT_OK
    assert (written / "settings.toml").read_text() == changed


def test_another_directory_is_named(written: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with setup(tmp_path / "elsewhere", "--directory", str(written)) as talk:
        say(talk, STEPS)
        assert talk.end() == EXIT_OK
        assert f"typed in {written}" in " ".join(talk.text.split())
    assert "[home.sinks.history]" in (written / "settings.toml").read_text()
    assert not files(tmp_path / "elsewhere")


@pytest.mark.parametrize("others", [True, False], ids=["beside others", "alone"])
def test_what_is_left_out_leaves_its_secrets_too(others: bool, written: Path) -> None:
    meter = '\n[home.meters.electricity]\nclient = "dsmr"\nport = "/dev/pretend"\n'
    (written / "settings.toml").write_text(f'{SETTINGS}{meter}\n[home.sinks.web]\nhost = "0.0.0.0"\n')
    kept = '[home.mqtt]\npassword = "of another"\n' if others else ""
    page = f'[home.sinks.web]\npassword = "{written_password("seven brown foxes")}"\n'
    (written / ".secrets.toml").write_text(f'{kept}\n{page}\n[home.meters.electricity]\nkey = "{KEY}"\n')
    (written / ".secrets.toml").chmod(0o600)
    with setup(written) as talk:
        talk.answer("And now", "4")
        talk.answer("Which", "1")
        talk.answer("And now", "1")
        say(talk, STEPS[1:5])
        talk.answer("For whom", "3")
        talk.answer("How")
        shown = talk.expect("Write this?")
        assert "without [home.meters.electricity] key" in shown
        assert "without [home.sinks.web] password" in shown
        talk.type("y")
        talk.answer("to every sink?", "n")
        assert talk.end() == EXIT_OK
    assert tomllib.loads((written / ".secrets.toml").read_text()) == tomllib.loads(kept)
    checked = run("check", cwd=written).stdout
    assert "web" not in checked
    assert "electricity" not in checked


@pytest.mark.parametrize("last", range(len(STEPS)), ids=[heading for heading, *_ in STEPS])
@pytest.mark.parametrize("word", [CTRL_C, "undo"], ids=["ctrl-c", "undo"])
def test_whoever_leaves_finds_the_files_as_they_were(word: str, last: int, written: Path) -> None:
    before = files(written)
    with setup(written) as talk:
        say(talk, STEPS[:last])
        heading, question, _ = STEPS[last]
        say(talk, [(heading, question, word)])
        assert talk.end() == (EXIT_OK if word == "undo" else EXIT_INTERRUPTED)
        assert "Traceback" not in talk.text
    if last <= WRITES or word == "undo":
        assert files(written) == before
    else:
        assert "what was written stays" in " ".join(talk.text.split())
        assert files(written) != before


def test_each_step_can_be_gone_back_to(written: Path) -> None:
    with setup(written) as talk:
        say(talk, [(STEPS[0][0], STEPS[0][1], "back")])
        talk.expect("This is the first question.")
        for before, step in pairwise(STEPS[: WRITES + 1]):
            say(talk, [before, (step[0], step[1], "back"), before])
        say(talk, STEPS[-2:])
        talk.expect("Where to look")
        assert talk.end() == EXIT_OK
    assert (written / "settings.toml").read_text() == f"{SETTINGS}\n[home.sinks.history]\n"


def test_each_step_can_be_skipped(written: Path) -> None:
    before = files(written)
    with setup(written) as talk:
        say(talk, [(heading, question, "skip") for heading, question, _ in STEPS[:WRITES]])
        talk.expect("Nothing changes")
        talk.answer("to every sink?", "skip")
        talk.expect("Where to look")
        assert talk.end() == EXIT_OK
    assert files(written) == before


def test_a_wrong_password_is_told_at_once_and_typed_again(
    make_broker: MakeBroker, written: Path, tmp_path: Path
) -> None:
    broker = make_broker(*login_lines(tmp_path), anonymous=False)
    with setup(written) as talk:
        say(talk, [STEPS[0], STEPS[1], STEPS[2], ("4/12 JSON", "and others?", "y")])
        talk.answer("Address of the broker", f"127.0.0.1:{broker.port}")
        talk.answer("TLS?")
        talk.answer("Your user name there", USER)
        talk.answer("Password there", "battery staple")
        assert "password" in talk.expect("go on without MQTT")
        talk.answer("And now", "1")
        talk.answer("Address of the broker")
        talk.answer("TLS?")
        talk.answer("Your user name there")
        talk.answer("Password there", PASSWORD)
        talk.expect("ok: published and read back")
        say(talk, [*STEPS[4:7], STEPS[WRITES], STEPS[-1]])
        assert talk.end() == EXIT_OK
        assert "battery staple" not in talk.text
        assert PASSWORD not in talk.text
    assert tables(written, ".secrets.toml") == {"mqtt": {"password": PASSWORD}}
    assert "password" not in (written / "settings.toml").read_text()


def test_a_broker_that_is_not_there_can_be_done_without(written: Path) -> None:
    with setup(written) as talk:
        say(talk, [STEPS[0], ("2/12 Home Assistant", "How", "1"), STEPS[2], STEPS[3]])
        talk.answer("Address of the broker", "mqtt://here")
        talk.expect("a name or address")
        talk.answer("Address of the broker", f"127.0.0.1:{free_port()}")
        talk.answer("TLS?")
        talk.answer("Your user name there")
        talk.answer("And now", "3")
        say(talk, [("6/12 History", "`history show`?", "n"), *STEPS[5:7]])
        talk.expect("Nothing changes")
        talk.answer("to every sink?", CTRL_D)
        assert talk.end() == EXIT_USAGE
    assert (written / "settings.toml").read_text() == SETTINGS


def test_a_terminal_without_a_cursor_gets_plain_lines(
    make_broker: MakeBroker, written: Path, tmp_path: Path
) -> None:
    broker = make_broker(*login_lines(tmp_path), anonymous=False)
    with setup(written, terminal="dumb") as talk:
        say(talk, [*STEPS[:3], ("4/12 JSON", "and others?", "y")])
        talk.answer("Address of the broker", f"127.0.0.1:{broker.port}")
        talk.answer("TLS?")
        talk.answer("Your user name there", USER)
        talk.answer("Password there", PASSWORD)
        talk.expect("ok: published and read back")
        talk.expect("6/12")
        talk.answer("`history show`?", CTRL_C)
        assert talk.end() == EXIT_INTERRUPTED
        assert PASSWORD not in talk.text
        assert "\x1b" not in talk.raw


def test_without_a_terminal_every_question_takes_a_line(written: Path) -> None:
    answers = [answer for _, _, answer in STEPS]
    done = run("setup", cwd=written, feed="\n".join([*answers, ""]).encode())
    assert done.returncode == EXIT_OK
    assert all(question in " ".join(done.stdout.split()) for _, question, _ in STEPS)
    assert (written / "settings.toml").read_text() == f"{SETTINGS}\n[home.sinks.history]\n"


@pytest.mark.parametrize("odd", [b"m\xfcller", b"m\x1b[Aller", b"m\x00"])
def test_an_answer_that_no_settings_can_hold_is_asked_for_again(odd: bytes, written: Path) -> None:
    """Umlauts of a terminal that is not set to UTF-8, and keys that are no characters."""
    answers = ["", "", "", "y", "127.0.0.1:1", "n", "?", "miller", "secret", "2", "", "", "", "y"]
    feed = "\n".join([*answers, ""]).encode().replace(b"?", odd)
    done = run("setup", cwd=written, feed=feed, environment={"LC_ALL": "C.UTF-8"})
    assert ("no UTF-8" if b"\xfc" in odd else "cannot be shown") in " ".join(done.stdout.split())
    assert 'username = "miller"' in (written / "settings.toml").read_text()


def test_a_password_that_no_settings_can_hold_is_asked_for_again(written: Path) -> None:
    answers = ["", "", "", "y", "127.0.0.1:1", "n", "miller", "?", "secret", "2", "", "", "", "y"]
    feed = "\n".join([*answers, ""]).encode().replace(b"?", b"gr\xfcn")
    run("setup", cwd=written, feed=feed, environment={"LC_ALL": "C.UTF-8"})
    assert tables(written, ".secrets.toml") == {"mqtt": {"password": "secret"}}


@pytest.mark.parametrize("port", ["0000012345678", f"00001{'0' * 5000}", "65536", "0"])
def test_a_port_that_is_none_is_asked_for_again(port: str, written: Path) -> None:
    answers = ["", "", "", "", "", "1", port, "8099", "", "y"]
    done = run("setup", cwd=written, feed="\n".join([*answers, ""]).encode())
    assert "a port is a number from 1 to 65535" in done.stdout
    assert tables(written)["sinks"]["web"] == {"port": 8099}  # type: ignore[index]


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("socket://host", "such as /dev/ttyUSB0?"),
        ("http://host:1", 'did you mean "socket://host:1"?'),
        ("/dev/x\0", "cannot be shown"),
    ],
)
def test_what_no_port_can_be_is_asked_for_again(port: str, said: str, home: Path) -> None:
    done = run("setup", cwd=home, feed=f"{port}\n".encode())
    assert said in done.stdout
    assert done.stderr.endswith("the answers ended before the questions did; nothing was written\n")


def test_without_answers_nothing_is_written(written: Path) -> None:
    before = files(written)
    done = run("setup", cwd=written, feed=b"\n\n")
    assert done.returncode == EXIT_USAGE
    assert done.stderr.endswith("the answers ended before the questions did; nothing was written\n")
    assert files(written) == before


def test_settings_that_cannot_be_read_are_told(written: Path) -> None:
    (written / "settings.toml").write_text("[home\n")
    done = run("setup", cwd=written)
    assert done.returncode == EXIT_SETTINGS
    assert "settings.toml" in done.stderr


def test_of_several_environments_one_is_named(written: Path) -> None:
    (written / "settings.toml").write_text(SETTINGS + SETTINGS.replace("home", "shed"))
    done = run("setup", cwd=written)
    assert done.returncode == EXIT_USAGE
    assert "home, shed" in done.stderr
    done = run("setup", "shed", cwd=written, feed=b"skip\n" * 20)
    assert done.stdout.startswith("Settings of the environment shed in")


def test_what_somebody_else_changes_meanwhile_is_not_overwritten(written: Path) -> None:
    with setup(written) as talk:
        say(talk, STEPS[:WRITES])
        talk.expect("Write this?")
        (written / "settings.toml").write_text(SETTINGS.replace("2s", "3s"))
        talk.type("y")
        assert talk.end() == EXIT_SETTINGS
        assert "somebody has changed it meanwhile" in " ".join(talk.text.split())
    assert (written / "settings.toml").read_text() == SETTINGS.replace("2s", "3s")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_does_not_run_the_config_of_others(written: Path) -> None:
    (written / "config.py").write_text("import pathlib\npathlib.Path('/tmp/ran').touch()\n")
    os.chown(written / "config.py", 12345, 12345)
    done = run("setup", cwd=written, feed=b"\n")
    assert done.returncode == EXIT_SETTINGS
    assert "root would do what it says" in done.stderr


@pytest.fixture
def avahi(tmp_path: Path) -> str:
    """A stand-in for avahi-browse, in the words of its --parsable."""
    told = tmp_path / "bin" / "avahi-browse"
    told.parent.mkdir()
    told.write_text(
        "#!/bin/sh\n"
        'test "$4" = _mqtt._tcp && echo "=;lo;IPv4;cellar;_mqtt._tcp;local;c.local;127.0.0.9;2883;"\n'
    )
    told.chmod(0o755)
    return f"{told.parent}:{os.environ['PATH']}"


def test_a_broker_that_announces_itself_is_proposed(written: Path, avahi: str) -> None:
    with Dialogue("setup", cwd=written, environment={"PATH": avahi}) as talk:
        say(talk, [*STEPS[:3], ("4/12 JSON", "and others?", "y")])
        talk.expect("a broker at 127.0.0.9:2883")
        talk.answer("Address of the broker [127.0.0.9:2883]", CTRL_C)
        assert talk.end() == EXIT_INTERRUPTED
