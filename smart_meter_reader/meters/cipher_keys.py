"""The options by which commands take the keys of an encrypted meter, without ever showing one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from smart_meter_reader.codecs.ciphering.keys import Policy, parse_key
from smart_meter_reader.codecs.ciphering.opener import CipherOpener

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Opener = TypeVar("_Opener", bound=CipherOpener)

KEY_VARIABLE = "SMART_METER_READER_KEY"
AUTHENTICATION_KEY_VARIABLE = "SMART_METER_READER_AUTHENTICATION_KEY"


def key_options(command: _Command) -> _Command:
    """``--key``, ``--authentication-key`` and ``--key-file``: arguments key, authentication_key, key_file."""
    for option in (
        click.option(
            "--key-file",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="A file with the encryption key on its first line and the authentication key on its second; "
            "with it, the variables are left alone.",
        ),
        click.option(
            "--authentication-key",
            metavar="HEX",
            help=f"The authentication key (GAK). Or in ${AUTHENTICATION_KEY_VARIABLE}.",
        ),
        click.option(
            "--key",
            metavar="HEX",
            help=f"The encryption key (GUEK). Everyone on this computer can see the arguments of a command; "
            f"${KEY_VARIABLE} or --key-file keep it to yourself.",
        ),
    ):
        command = option(command)
    return command


def read_keys(
    key: str | None, authentication_key: str | None, key_file: Path | None
) -> tuple[bytes | None, bytes | None]:
    """Both keys as bytes, None where not given. Raises click.UsageError, which says nothing of a key.

    An option goes before the file, and with a file the variables are left alone: one that was set for
    another meter, and forgotten, must not take the place of what was asked for.
    """
    if key_file is not None:
        found = _keys_in(key_file)
    else:
        variables = (KEY_VARIABLE, AUTHENTICATION_KEY_VARIABLE)
        found = [(f"${variable}", os.environ.get(variable, "")) for variable in variables]
    if key is not None:
        found[0] = ("--key", key)
    if authentication_key is not None:
        found[1] = ("--authentication-key", authentication_key)
    encryption, authentication = (_key(place, text) for place, text in found)
    return encryption, authentication


def read_opener(
    kind: Callable[[bytes, bytes | None, Policy], _Opener],
    key: str | None,
    authentication_key: str | None,
    key_file: Path | None,
    policy: Policy,
) -> _Opener | None:
    """What opens the encrypted frames of a family, of this kind; None without a key."""
    encryption, authentication = read_keys(key, authentication_key, key_file)
    if encryption is None:
        if authentication is not None:
            raise click.UsageError("--authentication-key is of no use without --key")
        return None
    return kind(encryption, authentication, policy)


def _key(place: str, text: str) -> bytes | None:
    if not text.strip():
        return None
    try:
        return parse_key(text)
    except ValueError as error:
        raise click.UsageError(f"{place}: {error}") from None


def _keys_in(path: Path) -> list[tuple[str, str]]:
    """The place and the text of both keys; the second can be missing, and is empty then."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        raise click.UsageError(f"--key-file {path} cannot be read as text") from None
    place = f"--key-file {path}, line"
    found = [(f"{place} {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise click.UsageError(f"--key-file {path} is empty: write the key into its first line")
    return [*found, ("", "")][:2]
