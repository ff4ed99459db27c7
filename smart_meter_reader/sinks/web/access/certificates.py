"""The page's own certificate: read at the start, and again when a renewal has written it anew."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.log import Seldom

_log = logging.getLogger(__name__)

# Where a file lies that is there and not yet whole, the next look finds it so.
_LOOK_SECONDS = 60.0


class ServerCertificate:
    """A certificate, its key, and the context that uses them for every new connection."""

    def __init__(self, sink: str, certificate: Path, key: Path | None) -> None:
        """Raises NeedsAPersonError that names the setting whose file cannot be used."""
        self._sink = sink
        self._certificate = certificate.expanduser()
        self._key = key.expanduser() if key else None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._said = Seldom()
        self._looked = float("-inf")
        self._seen = self._stamp()
        self._load()

    def context(self, now: float) -> ssl.SSLContext:
        """What a connection is made with; looks now and then whether the files are new."""
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            if (stamp := self._stamp()) != self._seen:
                self._renew(stamp, now)
        return self._context

    def _renew(self, stamp: tuple[int, ...], now: float) -> None:
        try:
            self._load()
        except NeedsAPersonError as error:
            # The old one stays; half a file becomes a whole one.
            if (more := self._said.more("certificate", now)) is not None:
                _log.warning("sink %s: %s; the one before is used%s", self._sink, error.detail, more)
            return
        self._seen = stamp
        _log.info("sink %s: the certificate is new and used from now on", self._sink)

    def _load(self) -> None:
        # Tried beside the one in use, which two files that do not go together would leave broken.
        for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self._context):
            try:
                # A password that is never asked for: a key that needs one fails instead of prompting.
                context.load_cert_chain(self._certificate, self._key, password=lambda: "")
            except OSError as error:  # SSLError is one too
                raise NeedsAPersonError("certificate_file", self._why(error)) from error

    def _why(self, error: OSError) -> str:
        if isinstance(error, ssl.SSLError):
            why = "they are no certificate and private key in PEM form that go together, without a password"
        else:
            why = error.strerror or type(error).__name__
        named = f"`certificate` ({self._certificate})" + (f" and `key` ({self._key})" if self._key else "")
        return f"{named} cannot be used: {why}"

    def _stamp(self) -> tuple[int, ...]:
        paths = [self._certificate, *([self._key] if self._key else [])]
        try:
            found = [path.stat() for path in paths]
        except OSError:
            return ()
        return tuple(number for each in found for number in (each.st_mtime_ns, each.st_ino, each.st_size))
