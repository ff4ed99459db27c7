"""The command line of multical402-4-home-assistant, alone or in a crontab: a MULTICAL 402 read over KMP.

Facts: its README, "usage".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from smart_meter_reader.cli.setup.imports.fates import Brought, Theirs
from smart_meter_reader.codecs.kmp.registers import resolve_register

_METER = ("meters", "heat")
_JSON = ("sinks", "mqtt_json")
_PROGRAM = re.compile(r"multical402[\w-]*\.py|multical402-4-home-?assistant")
_WITH_VALUE = ("--mqtt_ip", "--mqtt_user", "--mqtt_pass", "--mqtt_topic", "--mqtt_port", "--device", "-d")
_FLAGS = ("--mqtt", "--test_mqtt", "--test_kamstrup", "--add_sensors_to_ha", "-h", "--help")
_TIME_FIELDS = 5
# What is told of a word that we do not know: a password that was typed against its option looks otherwise.
_OPTION = re.compile(r"--?[A-Za-z][\w-]{0,30}", re.ASCII)
_REDIRECTED = re.compile(r"[12&]?>{1,2}(?:&1)?|(?:\||&&?|;)\Z")
_PASSWORD = re.compile(r"--?\w*p(?:as|w)", re.IGNORECASE)
_UNKNOWN = "a word that belongs to no option"


def is_multical402(text: str) -> bool:
    """Whether a line calls it."""
    return any(_calls(line) for line in _lines(text))


def _lines(text: str) -> list[str]:
    """The lines of a shell: a backslash at the end joins two."""
    return re.sub(r"\\\r?\n", " ", text).splitlines()


def multical402(text: str) -> Brought:
    """What becomes of its options. Raises ValueError for a line whose quotes do not fit."""
    brought = Brought("multical402-4-home-assistant")
    lines = [line for line in _lines(text) if _calls(line)]
    line = max(lines, key=_numbers)
    if len(lines) > 1:
        brought.not_needed(
            f"{len(lines) - 1} further lines that call it", "the one with most registers counts"
        )
    brought.set(_METER, "client", "kamstrup")
    head, _, _ = line.partition(_found(line))
    _interval(head.split(), brought)
    _options(shlex.split(line)[_position(line) :], brought)
    return brought


def _calls(line: str) -> bool:
    return not line.lstrip().startswith("#") and _PROGRAM.search(line) is not None


def _found(line: str) -> str:
    match = _PROGRAM.search(line)
    assert match is not None
    return match[0]


def _position(line: str) -> int:
    """Behind the word that names the program."""
    words = shlex.split(line)
    return 1 + next(number for number, word in enumerate(words) if _PROGRAM.search(word))


def _numbers(line: str) -> int:
    return sum(word.isdecimal() for word in line.partition(_found(line))[2].split())


def _interval(before: Sequence[str], brought: Brought) -> None:
    """From the five fields of cron, where they say something simple."""
    fields = before[:_TIME_FIELDS]
    if len(fields) < _TIME_FIELDS or not all(re.fullmatch(r"[\d*/,-]+", field) for field in fields):
        return
    minute, others, key = fields[0], fields[1:], f"cron: {' '.join(fields)}"
    every = re.fullmatch(r"\*/([0-9]{1,2})", minute)
    if every and int(every[1]) and all(field == "*" for field in others):
        remark = "1h is kinder to the battery; nothing has to keep the meter awake here"
        brought.take(key, _METER, "interval", f"{int(every[1])}min", remark=remark)
    elif re.fullmatch(r"[0-5]?[0-9]", minute) and all(field == "*" for field in others):
        brought.take(key, _METER, "interval", f"at :{int(minute):02}")
    else:
        brought.unfit(key, "the meter is read every hour instead; `interval` says when (docs/settings.md)")


def _options(words: Sequence[str], brought: Brought) -> None:
    options, registers = _parsed(words, brought)
    theirs = Theirs("", options, brought)
    for name in ("-d", "--device"):
        theirs.take_text(name, _METER, "port")
    for name in ("--test_mqtt", "--test_kamstrup", "-h", "--help"):
        theirs.not_needed(name, "`smart-meter-reader doctor` tries both")
    if theirs.take("--mqtt") or "--mqtt_ip" in options:
        brought.fates.append("--mqtt: taken as the sink mqtt_json")
        brought.set(_JSON, "format", "flat")
        theirs.take_text("--mqtt_ip", ("mqtt",), "host")
        topic = theirs.text("--mqtt_topic") or "multical"
        brought.take("--mqtt_topic", _JSON, "base", topic, remark=f"values are on {topic}/heat/state")
    theirs.take_port("--mqtt_port")
    theirs.take_login("--mqtt_user", "--mqtt_pass")
    if theirs.take("--add_sensors_to_ha"):
        brought.add(("sinks", "home_assistant"))
        brought.fates.append("--add_sensors_to_ha: taken as the sink home_assistant, always up to date")
    theirs.leave()
    if registers:
        brought.take("registers", _METER, "registers", registers)


def _parsed(words: Sequence[str], brought: Brought) -> tuple[dict[str, object], list[str]]:
    """Its options by name, and the registers as we call them."""
    options: dict[str, object] = {}
    registers: list[str] = []
    left = iter(words)
    misspelt = False  # the word before is an option of a password that we do not know
    for word in left:
        hidden, misspelt = misspelt, False
        name, equals, value = word.partition("=")
        if name in _WITH_VALUE:
            options[name] = value if equals else next(left, "")
        elif name in _FLAGS:
            options[name] = True
        elif not hidden and word.isascii() and word.isdecimal() and len(word) < 6:
            registers += _register(word, brought)
        elif redirected := _REDIRECTED.match(word):
            brought.not_needed(f"what follows {redirected[0]}", "the service logs to the journal")
            break
        else:
            # It may be a password that lacks its option, or hangs on it by a stray backslash.
            brought.unknown([name if _is_name(name) else _UNKNOWN])
            misspelt = _PASSWORD.match(word) is not None and not equals
    return options, registers


def _is_name(word: str) -> bool:
    return _OPTION.fullmatch(word) is not None and not word.startswith(_WITH_VALUE)


def _register(word: str, brought: Brought) -> Iterator[str]:
    try:
        yield resolve_register(word).quantity
    except ValueError as error:
        brought.unfit(f"register {word}", str(error))
