"""Why a server's certificate is not accepted: a reason and a sentence for each case, and what to do.

Source: OpenSSL, x509_vfy.h (X509_V_ERR_...).
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.text import LONGEST_NAME, printable

_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED, _REVOKED = 9, 10, 18, 23
_OTHER_NAME = frozenset({62, 64})  # host name, IP address
_NAME_KINDS = frozenset({"DNS", "IP Address"})
_MOST_NAMES = 4  # in a sentence
_NO_AUTHORITY = frozenset({2, 19, 20, 21})  # the issuer is not known, or not among those that are trusted

_SENTENCES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        _NOT_YET_VALID: ("certificate_not_yet_valid", "is not valid yet: check the clock of this computer"),
        _EXPIRED: (
            "certificate_expired",
            "has expired: it has to be renewed there; if it has been, check the clock of this computer",
        ),
        _REVOKED: ("certificate_revoked", "has been revoked by its CA: it has to be replaced there"),
        24: ("certificate_unfit", "is signed by one that is no CA: it has to be replaced there"),
        26: ("certificate_unfit", "is not meant for a server: it has to be replaced there"),
        66: ("certificate_weak", "has too short a key for this system: it has to be replaced there"),
        67: ("certificate_weak", "comes from a CA with too short a key for this system: replace it there"),
        68: (
            "certificate_weak",
            "is signed with a method that this system refuses as weak: replace it there",
        ),
    }
)


class Names(NamedTuple):
    """Whom a certificate is for: its subject alternative names, and its common name."""

    alternative: tuple[str, ...]
    common: str


def look_again(
    error: ssl.SSLCertVerificationError, context: ssl.SSLContext, host: str, port: int, seconds: float
) -> tuple[ssl.SSLCertVerificationError, Names | None]:
    """Whom the certificate is for, where a handshake failed for the name in it; blocks.

    Python shows nobody a certificate that it refuses. So there is a second handshake, in which all counts but
    the name; what that one finds wrong is the error, since OpenSSL looks at the name before the dates.
    Nothing is sent over it.
    """
    if error.verify_code not in _OTHER_NAME:
        return error, None
    context.check_hostname = False
    try:
        with (
            socket.create_connection((host, port), seconds) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            return error, _names(secure)
    except ssl.SSLCertVerificationError as other:
        return other, None
    except (OSError, ValueError):
        return error, None


def _names(secure: ssl.SSLSocket) -> Names:
    certificate: Any = secure.getpeercert() or {}
    # (("DNS", "broker.lan"), ...) and ((("commonName", "broker.lan"),), ...).
    alternative = [pair for pair in certificate.get("subjectAltName", ()) if pair[0] in _NAME_KINDS]
    subject = [pair for part in certificate.get("subject", ()) for pair in part]
    common = (_bounded(name) for key, name in subject if key == "commonName")
    return Names(tuple(_bounded(name) for _, name in alternative), next(common, ""))


def _bounded(name: object) -> str:
    return printable(str(name), LONGEST_NAME)


def certificate_error(
    error: ssl.SSLCertVerificationError,
    server: str,
    name_setting: str,
    ca: object,
    names: Names | None = None,
    ca_setting: str = "ca",
) -> SinkError:
    """Why we refuse it. ``name_setting`` holds the server's name, ``ca`` is the CA file that was set.

    ``names``: whom it is for, if ``look_again`` could tell; ``ca_setting``: how the key of ``ca`` is called.
    """
    if error.verify_code in _OTHER_NAME and names is not None:
        reason, sentence = _other_name(names, name_setting)
        return NeedsAPersonError(reason, f"the certificate of {server} {sentence}")
    reason, sentence = _explain(error, server, name_setting, ca, f"`{ca_setting}`")
    # A clock that is behind is set as soon as there is a network.
    kind = SinkError if error.verify_code == _NOT_YET_VALID else NeedsAPersonError
    return kind(reason, sentence)


def _other_name(names: Names, name_setting: str) -> tuple[str, str]:
    if names.alternative:
        several = ", ".join(names.alternative[:_MOST_NAMES])
        more = ", and others" if len(names.alternative) > _MOST_NAMES else ""
        return "wrong_host_name", f"is for {several}{more}: set `{name_setting}` to a name in it"
    anew = f"made anew there, with `{name_setting}` as subject alternative name (SAN)"
    if not names.common:
        return "certificate_without_san", f"names no host: it has to be {anew}"
    # Python takes a common name where there is nothing else, but for an address.
    return (
        "certificate_without_san",
        f"has its name ({names.common}) as common name (CN) only, which counts for a name, for no address: "
        f"set `{name_setting}` to that name, or have it {anew}",
    )


def _explain(
    error: ssl.SSLCertVerificationError, server: str, name_setting: str, ca: object, key: str
) -> tuple[str, str]:
    certificate = f"the certificate of {server}"
    if error.verify_code in _SENTENCES:
        reason, sentence = _SENTENCES[error.verify_code]
        return reason, f"{certificate} {sentence}"
    if error.verify_code in _OTHER_NAME:
        # The second look failed, so that these two stay one.
        sentence = (
            f"is for another name: set `{name_setting}` to a name in it ({error.verify_message}); if it has "
            "an address as common name (CN) only, it has to be made anew with a subject alternative name"
        )
        return "wrong_host_name", f"{certificate} {sentence}"
    trusted = f"{key} ({ca})" if ca else "the system's CAs"
    if error.verify_code == _SELF_SIGNED:
        sentence = f"is signed by itself and not among {trusted}: set {key} to a copy of it, taken from there"
    elif error.verify_code in _NO_AUTHORITY:
        sentence = f"is not signed by {trusted} ({error.verify_message}): set {key} to the CA that signed it"
    else:
        sentence = f"cannot be verified with {trusted} ({error.verify_message}): check {key}, and it"
    return "untrusted", f"{certificate} {sentence}"
