"""TLS towards a server: whom to trust, and who we are. ``untrusted`` tells why a certificate is refused."""

from __future__ import annotations

import ssl
from pathlib import Path

from smart_meter_reader.exceptions import NeedsAPersonError

# What is looked at of a file to say what is wrong with it; a key has some kilobytes.
_LONGEST_LOOK = 1024 * 1024


def client_context(
    *,
    ca: Path | None,
    insecure: bool,
    client_cert: Path | None = None,
    client_key: Path | None = None,
    ca_setting: str = "ca",
) -> ssl.SSLContext:
    """Verify a server with the system's CAs, or with those in ``ca`` only; not at all with ``insecure``.

    ``client_cert`` and ``client_key`` (None: it is in the same file) tell the server who we are. All are PEM
    files. Raises NeedsAPersonError that names the setting whose file cannot be used, ``ca_setting`` that of
    ``ca``.
    """
    try:
        context = ssl.create_default_context(cafile=str(ca.expanduser()) if ca else None)
    except OSError as error:  # SSLError is one too
        raise _unfit(ca_setting, ca, _said(error, "certificate")) from error
    # Since Python 3.13 a CA must have all that RFC 5280 demands (VERIFY_X509_STRICT). Those
    # that people make for their brokers (`openssl req -new -x509`) lack a key usage, and every other client
    # takes them. Since 3.13, too, a CA in `ca` need not be the topmost one; so it is for all versions here.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:
        _identify(context, client_cert, client_key)
    return context


def _identify(context: ssl.SSLContext, client_cert: Path, client_key: Path | None) -> None:
    try:
        # A password that is never asked for: a key that needs one fails instead of prompting.
        key = client_key.expanduser() if client_key else None
        context.load_cert_chain(client_cert.expanduser(), key, password=lambda: "")
    except OSError as error:
        # OpenSSL does not say of which file it speaks.
        _look_for_a_certificate(client_cert)
        setting, path = ("client_key", client_key) if client_key else ("client_cert", client_cert)
        raise _unfit(setting, path, _unfit_key(path, error)) from error


def _look_for_a_certificate(client_cert: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(client_cert.expanduser())
    except OSError as error:
        raise _unfit("client_cert", client_cert, _said(error, "certificate")) from error


def _unfit_key(path: Path, error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "its key does not belong to the certificate in `client_cert`"
    try:
        with path.expanduser().open(encoding="ascii", errors="replace") as file:
            content = file.read(_LONGEST_LOOK)
    except OSError as unreadable:
        return _said(unreadable, "private key")
    if "PRIVATE KEY-----" not in content:
        return "it holds no private key in PEM form: set `client_key` to the file that does"
    if "ENCRYPTED" in content:
        return "its key is locked with a password: put one without there, readable for this service only"
    return _said(error, "private key")


def _said(error: OSError, what: str) -> str:
    if isinstance(error, ssl.SSLError):
        # What OpenSSL says ("PEM lib") is no help to anybody.
        return f"it holds no sound {what} in PEM form"
    return error.strerror or str(error) or type(error).__name__


def _unfit(setting: str, path: Path | None, why: str) -> NeedsAPersonError:
    return NeedsAPersonError("certificate_file", f"`{setting}` ({path}) cannot be used: {why}")
