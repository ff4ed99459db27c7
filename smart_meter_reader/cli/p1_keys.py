"""The options by which commands take the keys of an encrypted P1 port, without ever showing one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from smart_meter_reader.codecs.p1.cipher import Opener, Policy, parse_key

_Command = TypeVar("_Command", bound=Callable[..., Any])

KEY_VARIABLE = "SMART_METER_READER_KEY"
AUTHENTICATION_KEY_VARIABLE = "SMART_METER_READER_AUTHENTICATION_KEY"


def key_options(command: _Command) -> _Command:
    """``--key``, ``--authentication-key`` and ``--key-file``: arguments key, authentication_key, key_file."""
    for option in (
        click.option(
            "--key-file",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="A file with the encryption key on its first line and the authentication key on its second.",
        ),
        click.option(
            "--authentication-key",
            metavar="HEX",
            envvar=AUTHENTICATION_KEY_VARIABLE,
            help=f"The authentication key (GAK). Or in ${AUTHENTICATION_KEY_VARIABLE}.",
        ),
        click.option(
            "--key",
            metavar="HEX",
            envvar=KEY_VARIABLE,
            help=f"The encryption key (GUEK). Everyone on this computer can see the arguments of a command; "
            f"${KEY_VARIABLE} or --key-file keep it to yourself.",
        ),
    ):
        command = option(command)
    return command


def read_keys(
    key: str | None, authentication_key: str | None, key_file: Path | None
) -> tuple[bytes | None, bytes | None]:
    """Both keys as bytes, None where not given. Raises click.UsageError, which says nothing of a key."""
    if key_file is not None:
        lines = [line for line in _text_of(key_file).splitlines() if line.strip()]
        key = key or (lines[0] if lines else None)
        authentication_key = authentication_key or (lines[1] if len(lines) > 1 else None)
    return _key("--key", key), _key("--authentication-key", authentication_key)


def read_opener(
    key: str | None, authentication_key: str | None, key_file: Path | None, policy: Policy
) -> Opener | None:
    """What opens encrypted frames; None without a key."""
    encryption, authentication = read_keys(key, authentication_key, key_file)
    if encryption is None:
        if authentication is not None:
            raise click.UsageError("--authentication-key is of no use without --key")
        return None
    return Opener(encryption, authentication, policy)


def _key(option: str, text: str | None) -> bytes | None:
    if text is None or not text.strip():
        return None
    try:
        return parse_key(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise click.UsageError(f"--key-file {path} cannot be read as text") from None
