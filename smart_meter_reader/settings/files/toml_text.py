"""Settings files as people save them: each slip is told with its line, and with what to type.

What stands behind a key that may be a secret is never quoted, and of files of secrets no value at all.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.files import read_small
from smart_meter_reader.settings.files.toml_context import failed_line, left_open, reason_in_context
from smart_meter_reader.settings.files.toml_slips import Slip, is_toml, slip_in
from smart_meter_reader.settings.names import holds_secrets

_MOST_SLIPS = 10
_LONGEST_QUOTE = 200  # names below /dev/serial/by-id are long
_LONGEST_LINE = 2000  # what is longer was not typed
_SECRET = re.compile(
    r"pas+[sw]|pwd|key|token|secret|kennwort|geheim|code|auth|guek|gak|://[^/\s]*@|[0-9a-f]{16}", re.I
)
_KEY = re.compile(r"\s*(?P<key>[A-Za-z_][\w. -]*?)\s*(?P<between>:=|==|=>|=|:)")
_DOUBLE = re.compile(r"\s*\[\[\s*([A-Za-z_][\w.-]*)\s*\]\]\s*(?:#.*)?")
_HEADER = re.compile(r"\s*\[[\w.\s/-]*\]*\s*")


def read_toml(path: Path, name: str = "") -> dict[str, Any]:
    """The content of a settings file, called ``name`` in messages (default: the file's own).

    Raises OSError, FileNotFoundError among them, and SettingsError with a line for each slip.
    """
    name = name or path.name
    return parse_toml(decode_text(read_small(path), name), name)


def decode_text(content: bytes, name: str) -> str:
    """The text of a file, with or without the mark that some editors put in front. Raises SettingsError."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if wide or b"\0" in content[:200]:
        raise SettingsError(
            [f'{name}: it is saved as UTF-16 (some editors call that "Unicode"); save it as UTF-8']
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            [f"{name}, line {line}: not UTF-8 text, with a letter such as ä or é there; save it as UTF-8"]
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")  # as reading in text mode does


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """What a text in TOML says. Raises SettingsError with a line for each slip, ten at most."""
    try:
        content = tomllib.loads(text)
        repr(content)  # raises ValueError for a hexadecimal number that has thousands of digits
    except RecursionError:
        raise SettingsError([f"{name}: brackets in brackets, nested too deeply"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_slips(text, name, error)) from None
    except ValueError as error:
        raise SettingsError([f"{name}: not valid TOML: {error}"]) from None
    if double := list(_one_bracket_too_many(text, name)):
        raise SettingsError(double)
    return content


def _one_bracket_too_many(text: str, name: str) -> Iterator[str]:
    """TOML's lists of tables, of which there are none among the settings."""
    for number, line in enumerate(text.split("\n"), 1):
        if found := _DOUBLE.fullmatch(line):
            yield (
                f"{name}, line {number}: the name of a table stands in one [ and one ]: found "
                f"[[{found[1]}]]; write: [{found[1]}]"
            )


def _slips(text: str, name: str, error: tomllib.TOMLDecodeError) -> list[str]:
    """A line for each slip: what can be put right is, to see what else there is."""
    lines = text.split("\n")
    told: list[str] = []
    found: tomllib.TOMLDecodeError | None = error
    while found is not None and len(told) < _MOST_SLIPS:
        index, sentence, mended = _told(lines, name, found)
        told.append(f"{name}, line {index + 1}: {sentence}")
        # Behind a line whose value we do not show there may be more of that value.
        if not mended or _is_hidden(lines[index], name):
            break
        lines[index] = mended
        found = _error_in(lines)
    return told


def _error_in(lines: list[str]) -> tomllib.TOMLDecodeError | None:
    try:
        tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        return error
    except (ValueError, RecursionError):
        pass  # told when the slips are mended
    return None


def _told(lines: list[str], name: str, error: tomllib.TOMLDecodeError) -> tuple[int, str, str]:
    """The index of a line, the sentence about it, and the line as it was probably meant."""
    index = failed_line(error, lines)
    mended = Slip()
    if len(lines[index]) > _LONGEST_LINE:
        return index, f"not valid TOML, in a line of {len(lines[index])} characters", ""
    if is_toml(lines[index]):
        reason = reason_in_context(lines, index, error)
    else:
        mended = slip_in(lines[index])
        reason = "; ".join(mended.reasons)
    if (begun := left_open(lines, index)) is not None:
        index, reason = begun
        mended = Slip()
    shown, write = _shown(lines[index], name), _shown(mended.line, name)
    found = f": found {shown}" if shown else ""
    return index, f"{reason}{found}" + (f"; write: {write}" if write else ""), mended.line


def _is_hidden(line: str, name: str) -> bool:
    return holds_secrets(name) or _SECRET.search(line) is not None


def _shown(line: str, name: str) -> str:
    """The line as it may be quoted; "" when nothing of it may."""
    line = " ".join(line.split())
    if len(line) > _LONGEST_QUOTE:
        line = f"{line[:_LONGEST_QUOTE]} ..."
    if _HEADER.fullmatch(line):
        return line
    key = _KEY.match(line)
    if not _is_hidden(line, name):
        return line
    if key is None:
        return ""
    if not line[key.end() :].strip():
        return line
    value = line[key.end() :].strip()
    hidden = '"..."' if value.startswith('"') and value.endswith('"') else "..."
    return f"{key['key']}: {hidden}" if key["between"] == ":" else f"{key['key']} {key['between']} {hidden}"
