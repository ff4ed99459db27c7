"""Settings for meters that a scan found: an environment of its own, as text to paste or to append."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.files import read_small_text
from smart_meter_reader.meters.found import Found, printable

# Every file that can have tables of an environment.
_FILES = ("settings.toml", "settings.local.toml", ".secrets.toml", ".secrets.local.toml")


def settings_block(environment: str, found: Sequence[Found]) -> str:
    """An environment with a meter for each find, and a sink that prints the readings."""
    blocks = [_meter(environment, name, meter) for name, meter in zip(_names(found), found, strict=True)]
    return "\n".join([*blocks, f'[{environment}.sinks.stdout]\nformat = "table"\n'])


def free_environment(directory: Path, wanted: str) -> str:
    """``wanted``, or with a number behind it where settings have an environment of that name already.

    Raises SettingsError when a file of settings cannot be read: it could not be added to either.
    """
    taken = {name.lower() for file in _FILES for name in _tables(directory / file)}
    name, number = wanted, 1
    while name.lower() in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def append(path: Path, block: str) -> None:
    """Append a block to a file of settings that exists. Raises SettingsError; the file is then as it was."""
    try:
        before = read_small_text(path)
        gap = "" if not before else "\n\n" if before.endswith("\n") else "\n\n\n"
        tomllib.loads(before + gap + block)
        _append_all(path, (gap + block).encode())
    except FileNotFoundError:
        raise SettingsError(
            [f"{path.name} does not exist here: `smart-meter-reader init` writes one"]
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            [f"{path.name}: nothing was added, since it is not valid TOML: {error}"]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path.name}: cannot be added to: {error}"]) from None


def _append_all(path: Path, added: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            while added:
                added = added[file.write(added) :]
            os.fsync(file.fileno())
        except OSError:  # a full disk: half a table would make the whole file unreadable
            file.truncate(size)
            raise


def _tables(path: Path) -> Iterator[str]:
    try:
        yield from tomllib.loads(read_small_text(path))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise SettingsError([f"{path.name}: cannot be read: {error}"]) from None


def _names(found: Sequence[Found]) -> Iterator[str]:
    """A name for each meter by what it measures: heat, electricity, heat-2."""
    used: dict[str, int] = {}
    for meter in found:
        number = used[meter.kind] = used.get(meter.kind, 0) + 1
        yield meter.kind if number == 1 else f"{meter.kind}-{number}"


def _meter(environment: str, name: str, meter: Found) -> str:
    keys: dict[str, str | int] = {"client": meter.client, "port": meter.port, **meter.keys}
    lines = [f"# {meter.description}", f"[{environment}.meters.{name}]"]
    lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
    lines += [f"# {printable(note)}" for note in meter.notes]
    return "\n".join(lines) + "\n"


def _toml(value: str | int) -> str:
    # TOML's basic strings take JSON's escapes, and want one for DEL too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
