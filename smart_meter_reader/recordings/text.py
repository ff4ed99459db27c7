"""Recordings as text that a person can read and edit: what passed a line, when and in which direction.

The format is described in docs/recordings.md. A recording may stand anywhere in a text (a report of
``diagnose``, say): it begins at its first line and ends at ``end of recording`` or with the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NoReturn, TypeAlias

from smart_meter_reader.text import LONGEST_TEXT

MAGIC = "smart-meter-reader recording 1"
END = "end of recording"

Direction: TypeAlias = Literal[">", "<"]

TO_METER: Direction = ">"
FROM_METER: Direction = "<"

_HEADERS = ("client", "line", "recorded", "software")
_HEADER = re.compile(r"(?P<key>[a-z]+): *(?P<text>.*?) *")
_SETTING = re.compile(r"setting (?P<key>[a-z0-9_]+) *= *(?P<value>.+?) *")
_EVENT = re.compile(r"(?P<at>[0-9]{1,9}(?:\.[0-9]{1,3})?)? *(?P<mark>[<>=])(?P<rest>.*)")
_SPACE = re.compile(r"[ \t]*")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)")
_ESCAPED = {"r": 13, "n": 10, "t": 9, '"': 34, "\\": 92}
_WRITTEN = {byte: f"\\{letter}" for letter, byte in _ESCAPED.items()}

_HEX_PER_LINE = 24
_TEXT_PER_LINE = 96
_LONGEST_COMMENT = 100
_COMMENT_COLUMN = 12 + 3 * _HEX_PER_LINE


class RecordingError(ValueError):
    """A recording that cannot be read; says which line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Burst:
    """Bytes that passed without a pause. ``at`` is in milliseconds since the recording began."""

    at: int
    direction: Direction
    payload: bytes


@dataclass(frozen=True, slots=True)
class LineChange:
    """The reader changed speed or format of the line, to ``line`` (``2400 Bd 7E1``)."""

    at: int
    line: str


RecordedEvent: TypeAlias = Burst | LineChange


@dataclass(frozen=True, slots=True)
class Recording:
    """``client`` is the driver that reads such a meter; ``settings`` are its own as TOML values, never keys.

    ``recorded`` (when) and ``software`` (what recorded it) are for people.
    """

    events: tuple[RecordedEvent, ...] = ()
    client: str = ""
    line: str = ""
    recorded: str = ""
    software: str = ""
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def bursts(self) -> tuple[Burst, ...]:
        """The bytes without changes of the line."""
        return tuple(event for event in self.events if isinstance(event, Burst))


def comment_of(text: str) -> str:
    """A text as a comment behind bytes: no longer than a line that is still read."""
    return text if len(text) <= _LONGEST_COMMENT else text[: _LONGEST_COMMENT - 3] + "..."


def find_recordings(text: str) -> list[Recording]:
    """All recordings in a text. Raises RecordingError, also when there is none."""
    numbered = list(enumerate(text.split("\n"), start=1))
    begins = [place for place, (_, line) in enumerate(numbered) if line.strip().lstrip("\ufeff") == MAGIC]
    if not begins:
        raise RecordingError(f'no recording in it: one begins with the line "{MAGIC}"')
    return [
        _parse(numbered[begin + 1 : end])
        for begin, end in zip(begins, [*begins[1:], len(numbered)], strict=True)
    ]


def parse_recording(text: str) -> Recording:
    """The first recording in a text. Raises RecordingError."""
    return find_recordings(text)[0]


def format_recording(recording: Recording, comment: Callable[[Burst], str] = lambda burst: "") -> str:
    """The recording as text, which ``parse_recording`` reads back as it was.

    ``comment`` says for people what a burst is; "" says nothing.
    """
    return "\n".join([MAGIC, *_header_lines(recording), "", *_event_lines(recording, comment), END, ""])


def _header_lines(recording: Recording) -> Iterator[str]:
    texts = (recording.client, recording.line, recording.recorded, recording.software)
    for key, text in zip(_HEADERS, texts, strict=True):
        if text:
            yield f"{key}: {text}"
    for key, value in recording.settings.items():
        yield f"setting {key} = {value}"


def _event_lines(recording: Recording, comment: Callable[[Burst], str]) -> Iterator[str]:
    for event in recording.events:
        stamp = f"{event.at // 1000:>6}.{event.at % 1000:03}"
        if isinstance(event, LineChange):
            yield f"{stamp} = {event.line}"
            continue
        for number, payload in enumerate(_payload_lines(event.payload)):
            remark = comment(event) if number == 0 else ""
            written = f"{stamp if number == 0 else '':>10} {event.direction} {payload}"
            yield f"{written:<{_COMMENT_COLUMN}}  # {remark}" if remark else written


def _payload_lines(payload: bytes) -> Iterator[str]:
    """Text where most of it is text, with a line for each line; hexadecimal bytes otherwise."""
    printable = sum(32 <= byte < 127 or byte in b"\r\n" for byte in payload)
    if printable * 8 < len(payload) * 7:
        for begin in range(0, len(payload), _HEX_PER_LINE):
            yield payload[begin : begin + _HEX_PER_LINE].hex(" ").upper()
        return
    for line in payload.splitlines(keepends=True) or [b""]:
        for begin in range(0, max(1, len(line)), _TEXT_PER_LINE):
            yield f'"{"".join(map(_written, line[begin : begin + _TEXT_PER_LINE]))}"'


def _written(byte: int) -> str:
    if byte in _WRITTEN:
        return _WRITTEN[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\x{byte:02X}"


def _parse(lines: Iterable[tuple[int, str]]) -> Recording:
    headers: dict[str, str] = {}
    settings: dict[str, str] = {}
    events: list[_Draft] = []
    for number, line in lines:
        text = line.strip()
        if text == END:
            break
        if not text or text.startswith("#"):
            continue
        plain = text.replace("\t", " ")  # between quotes it is a byte like any other
        if not plain.isprintable():
            _refuse(number, f"{_shortened(text)} has a character that is not printable")
        if event := _EVENT.fullmatch(text):
            _take_event(number, event, events)
        elif len(text) > LONGEST_TEXT:
            _refuse(number, f"{_shortened(text)} is longer than the {LONGEST_TEXT} characters of any setting")
        elif setting := _SETTING.fullmatch(plain):
            settings[setting["key"]] = setting["value"]
        elif (header := _HEADER.fullmatch(plain)) and header["key"] in _HEADERS:
            headers[header["key"]] = header["text"]
        else:
            _refuse(
                number,
                f"{_shortened(text)} is neither a header ({', '.join(_HEADERS)}, setting) nor bytes, which "
                "stand behind a time in seconds and > (to the meter) or < (from the meter)",
            )
    return Recording(
        events=tuple(draft.event() for draft in events), settings=MappingProxyType(settings), **headers
    )


@dataclass(slots=True)
class _Draft:
    """An event that may go on in the next line; ``line`` is that of a change of the line."""

    at: int
    mark: str
    line: str = ""
    payload: bytearray = field(default_factory=bytearray)

    def event(self) -> RecordedEvent:
        if self.mark == "=":
            return LineChange(self.at, self.line)
        return Burst(self.at, TO_METER if self.mark == TO_METER else FROM_METER, bytes(self.payload))


def _take_event(number: int, match: re.Match[str], events: list[_Draft]) -> None:
    mark, rest = match["mark"], match["rest"]
    if match["at"] is None:
        if mark == "=" or not events or events[-1].mark != mark:
            _refuse(
                number, f"a line without a time goes on with the one above, which has no bytes marked {mark}"
            )
        events[-1].payload += _payload(number, rest)
        return
    whole, _, part = match["at"].partition(".")
    at = int(whole) * 1000 + int(part.ljust(3, "0"))
    if events and at < events[-1].at:
        _refuse(number, f"its time is before that of the line above: {match['at']} s")
    if mark == "=":
        events.append(_Draft(at, mark, line=rest.partition("#")[0].replace("\t", " ").strip()))
    else:
        events.append(_Draft(at, mark, payload=_payload(number, rest)))


def _payload(number: int, rest: str) -> bytearray:
    payload = bytearray()
    place = 0
    while True:
        place = _end(_SPACE.match(rest, place))
        if place == len(rest) or rest[place] == "#":
            return payload
        if text := _TEXT.match(rest, place):
            payload += _unescaped(number, text[1])
            place = text.end()
        elif (digits := _HEX.match(rest, place)) and len(digits[0]) % 2 == 0:
            payload += bytes.fromhex(digits[0])
            place = digits.end()
        else:
            _refuse(
                number,
                f"{_shortened(rest[place:])} is neither pairs of hexadecimal digits nor text in quotes",
            )


def _end(match: re.Match[str] | None) -> int:
    assert match is not None  # the expression matches nothing too
    return match.end()


def _unescaped(number: int, text: str) -> bytes:
    def byte_of(escape: re.Match[str]) -> str:
        name = escape[1]
        if name in _ESCAPED:
            return chr(_ESCAPED[name])
        if len(name) == 3:
            return chr(int(name[1:], 16))
        _refuse(number, f'\\{name} is unknown: there are \\r \\n \\t \\" \\\\ and \\x41 for any byte')

    if not text.isascii():
        _refuse(number, f"{_shortened(text)} has a character that is no byte: write its bytes as \\xC3")
    return _ESCAPE.sub(byte_of, text).encode("latin-1")


def _refuse(number: int, problem: str) -> NoReturn:
    raise RecordingError(f"line {number}: {problem}")


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
