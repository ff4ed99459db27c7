"""The files of the page that never change: scripts, styles, and their addresses with a hash in them.

A name with a hash may be kept by a browser for ever; a new version of the file has a new address.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent / "static"
_OF_OTHERS = "uPlot.min.css"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served: the bytes, the same gzipped, and its content type."""

    body: bytes
    gzipped: bytes
    content_type: str


@cache
def static_files() -> Mapping[str, StaticFile]:
    """What is served, by name with hash: ``app.1a2b3c4d.js``. Nothing else below ``static/`` is there."""
    files: dict[str, StaticFile] = {}
    for path in sorted(FOLDER.iterdir()):
        kind = _TYPES.get(path.suffix)
        if kind is not None and path.name != _OF_OTHERS:
            body = _body(path.name)
            files[_hashed(path.name, body)] = StaticFile(body, gzip.compress(body, 9, mtime=0), kind)
    return MappingProxyType(files)


@cache
def static_address(name: str) -> str:
    """Where a page finds the file ``name``, relative to the page: ``static/app.1a2b3c4d.js``."""
    return f"static/{_hashed(name, _body(name))}"


def _body(name: str) -> bytes:
    """What is served under a name: no page is drawn before its style is there, so there is one file of it."""
    body = (FOLDER / name).read_bytes()
    return (FOLDER / _OF_OTHERS).read_bytes() + b"\n" + body if name == "style.css" else body


def _hashed(name: str, body: bytes) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{sha256(body).hexdigest()[:8]}.{ending}"
