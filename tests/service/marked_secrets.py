"""Marked secrets, and how to find them again: in any output, in any of the forms they could take."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "Opensesame-pw-7731-Quince"
TOKEN = "eyJtoken.mark-4482-Medlar.Xy_zZ"
KEY = "A1B2C3D4E5F60718293A4B5C6D7E8F90"
AUTHENTICATION_KEY = "0F1E2D3C4B5A69788796A5B4C3D2E1FF"
SECRETS = (PASSWORD, TOKEN, KEY, AUTHENTICATION_KEY)
# A piece of a secret is as bad as half of it.
_PIECE = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a secret came out."""

    secret: str
    form: str
    where: str

    def __str__(self) -> str:
        return f"{self.secret[:4]}... as {self.form} in {self.where}"


def find(output: str, where: str) -> list[Finding]:
    """The secrets that stand in ``output``, whatever became of them on the way."""
    folded = _folded(output)
    return [
        Finding(secret, form, where)
        for secret in SECRETS
        for form, text in _forms(secret)
        if _folded(text) in folded
    ]


def find_in_folder(folder: Path, *, leave_out: frozenset[str]) -> list[Finding]:
    """The secrets in the files below ``folder`` (no names in ``leave_out``), and in their names."""
    findings: list[Finding] = []
    for path in folder.rglob("*"):
        findings += find(str(path.relative_to(folder)), f"the name {path}")
        if path.is_file() and path.name not in leave_out:
            findings += find(path.read_bytes().decode("latin-1"), str(path))
    return findings


def _forms(secret: str) -> Iterator[tuple[str, str]]:
    yield "text", secret
    yield "a piece", secret[-_PIECE:]
    yield "reversed", secret[::-1]
    yield from _of_bytes("its text", secret.encode())
    if secret in (KEY, AUTHENTICATION_KEY):
        key = bytes.fromhex(secret)
        yield "its bytes", key.decode("latin-1")
        yield "a list of its bytes", ", ".join(map(str, key))
        yield from _of_bytes("its bytes", key)


def _of_bytes(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    yield f"{name} in hex", content.hex()
    # A repr shows printable bytes as they are; a run of escapes gives it away.
    yield f"{name} as repr", repr(content)[2:-1]
    for offset in range(3):
        # Base64 looks different by where it begins; the first and last digits depend on the neighbours.
        text = base64.b64encode(b"\0" * offset + content).decode().rstrip("=")
        yield f"{name} in base64, {offset}", text[4:-2]


def _folded(text: str) -> str:
    """Without what hexadecimal is spaced with, and in one case."""
    return text.lower().translate({ord(char): None for char in " :\n\t"})
