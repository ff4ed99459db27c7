"""What tells the NATS servers who we are, as the client library wants it; a seed is never in an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.fleet.settings import NatsSettings

_LONGEST_SEED: Final = 1024


def login_of(settings: NatsSettings) -> dict[str, Any]:
    """What tells the servers who we are. Raises NeedsAPersonError that names the setting."""
    if settings.credentials is not None:
        _require_file("credentials", settings.credentials)
        return {"user_credentials": str(settings.credentials.expanduser())}
    if settings.nkey_file is not None:
        seed = _require_file("nkey_file", settings.nkey_file).strip()
        return {"nkeys_seed_str": _sound(seed, f"`nkey_file` ({settings.nkey_file})")}
    if settings.nkey is not None:
        return {"nkeys_seed_str": _sound(settings.nkey.reveal().strip(), "`nkey`")}
    return {}


def _require_file(setting: str, path: Path) -> str:
    try:
        with path.expanduser().open(encoding="ascii", errors="replace") as file:
            return file.read(64 * _LONGEST_SEED)
    except OSError as error:
        raise NeedsAPersonError(
            "key_file", f"`{setting}` ({path}) cannot be read: {error.strerror or type(error).__name__}"
        ) from error


def _sound(seed: str, where: str) -> str:
    """The seed, if it is one of a user. The text of an error of the library could quote it."""
    import nkeys

    try:
        pair = nkeys.from_seed(bytearray(seed.encode()))
        public = pair.public_key
        pair.wipe()
    except Exception:  # noqa: BLE001 - it raises whatever base32, struct and nacl do
        public = b""
    if not public.startswith(b"U"):
        raise NeedsAPersonError(
            "nkey_unfit",
            f"{where} is no seed of a user's nkey: such a seed has 58 characters and begins with SU",
        )
    return seed
