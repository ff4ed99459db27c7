"""Reads the capture that a decode command is given: hexadecimal words, a file or standard input."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path

import click

from smart_meter_reader.console.printed import Printed, find_printed
from smart_meter_reader.recordings.text import MAGIC, find_recordings

_SEPARATORS = re.compile(
    r"[\s:,;\[\]{}]+|\\x|\b0x|(?<=[0-9a-f])-(?=[0-9a-f])|(?<=\b[0-9a-f]{2})h\b", re.IGNORECASE
)
# A byte below 10h as programs print it: 0xd.
_ONE_DIGIT = re.compile(r"\b0x([0-9a-f])\b", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([rnt\\0]))")
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\", "0": "\0"}
_HEX_WORD = re.compile(r"[0-9a-f]+", re.IGNORECASE)


def read_capture(words: tuple[str, ...]) -> bytes:
    """The bytes that the arguments stand for.

    Words that are hexadecimal are taken as bytes; ``-`` is standard input; another word is a file. Files and
    standard input hold hexadecimal text, a recording, a log in which a program has printed bytes, or the
    bytes themselves. Raises click.UsageError for what is none of these.
    """
    if words == ("-",):
        if sys.stdin is None:
            raise click.UsageError("standard input is closed: give the capture as HEX or FILE")
        return _held_by(words[0], sys.stdin.buffer.read())
    try:
        return hex_bytes(" ".join(words))
    except ValueError as error:
        content = _file(Path(words[0])) if len(words) == 1 else None
        if content is not None:
            return _held_by(words[0], content)
        raise click.UsageError(f"{error}; and there is no file of that name") from None


def read_capture_or_text(words: tuple[str, ...]) -> bytes:
    """The bytes that the arguments stand for: as ``read_capture`` has it, or else text as it is sent."""
    try:
        return read_capture(words)
    except click.UsageError:
        text = " ".join(words)
        if os.path.lexists(text):  # a folder, a file of somebody else, one that holds half a byte
            raise
        # Whatever looks like an answer is one; a lone word is more likely a file name mistyped.
        if len(words) == 1 and not re.search(r"[\s(\\]|^/[A-Za-z?#]+[^/]*$", text):
            raise
        sent = _unescaped(text)
        # An identification or a request is a line, whose end a shell user need not type.
        return sent + b"\r\n" if sent.startswith(b"/") and not sent.endswith((b"\r", b"\n")) else sent


def _unescaped(text: str) -> bytes:
    plain = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPED[m[2]], text)
    try:
        return plain.encode("latin-1")
    except UnicodeEncodeError:
        return os.fsencode(plain)


def hex_bytes(text: str) -> bytes:
    """The bytes of hexadecimal text, with blanks, colons, commas, hyphens, 0x, \\x or h about them or not.

    Raises ValueError naming the first word that is not hexadecimal.
    """
    words = _words(text)
    for word in words:
        if not _HEX_WORD.fullmatch(word):
            raise ValueError(f"{_shortened(word)} is not hexadecimal")
        if len(word) % 2:
            raise ValueError(f"{_shortened(word)} has an odd number of hexadecimal digits")
    return bytes.fromhex("".join(words))


def hex_or_raw(content: bytes) -> bytes:
    """What a file holds: the bytes that its hexadecimal text stands for, or else the bytes as they are.

    Of recordings (``record``) it is all that passed, in both directions. Raises ValueError for a recording
    that cannot be read, and for hexadecimal text that lacks a digit.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content
    if MAGIC in text:
        return b"".join(burst.payload for recording in find_recordings(text) for burst in recording.bursts)
    try:
        return hex_bytes(text)
    except ValueError:
        words = _words(text)
        # Decimal digits alone can be what a meter has sent; with letters among them it is hexadecimal.
        if all(map(_HEX_WORD.fullmatch, words)) and not all(map(str.isdecimal, words)):
            raise
        return content


def _words(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(_ONE_DIGIT.sub(r"0x0\1", text)) if word]


def _held_by(name: str, content: bytes) -> bytes:
    try:
        held = hex_or_raw(content)
    except ValueError as error:
        raise click.UsageError(f"{name}: {error}") from None
    if held is content and (printed := _printed(content)) is not None:
        click.echo(
            f"{'standard input' if name == '-' else name}: taken for what a program prints: the hexadecimal "
            f"digits at the ends of {printed.lines} of {printed.all_lines} lines",
            err=True,
        )
        return printed.octets
    return held


def _printed(content: bytes) -> Printed | None:
    try:
        return find_printed(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None


def _file(path: Path) -> bytes | None:
    """What is in the file; None when there is none, nor can be."""
    try:
        return path.read_bytes()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return None
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from None


def _shortened(word: str) -> str:
    return repr(word if len(word) <= 40 else word[:37] + "...")
