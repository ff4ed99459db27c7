"""Why a server's certificate is not accepted: a reason and a sentence for each case, and what to do.

Source: OpenSSL, x509_vfy.h (X509_V_ERR_...).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import MappingProxyType

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError

_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED, _REVOKED = 9, 10, 18, 23
_OTHER_NAME = frozenset({62, 64})  # host name, IP address
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


def refused(error: ssl.SSLCertVerificationError, server: str, name_setting: str, ca: object) -> SinkError:
    """Why we refuse it. ``name_setting`` holds the server's name, ``ca`` is the CA file that was set."""
    reason, sentence = _explain(error, server, name_setting, ca)
    # A clock that is behind is set as soon as there is a network.
    kind = SinkError if error.verify_code == _NOT_YET_VALID else NeedsAPersonError
    return kind(reason, sentence)


def _explain(
    error: ssl.SSLCertVerificationError, server: str, name_setting: str, ca: object
) -> tuple[str, str]:
    certificate = f"the certificate of {server}"
    if error.verify_code in _SENTENCES:
        reason, sentence = _SENTENCES[error.verify_code]
        return reason, f"{certificate} {sentence}"
    if error.verify_code in _OTHER_NAME:
        sentence = f"is for another name: set `{name_setting}` to a name in it ({error.verify_message})"
        return "wrong_host_name", f"{certificate} {sentence}"
    trusted = f"`ca` ({ca})" if ca else "the system's CAs"
    if error.verify_code == _SELF_SIGNED:
        sentence = f"is signed by itself and not among {trusted}: set `ca` to a copy of it, taken from there"
    elif error.verify_code in _NO_AUTHORITY:
        sentence = f"is not signed by {trusted} ({error.verify_message}): set `ca` to the CA that signed it"
    else:
        sentence = f"cannot be verified with {trusted} ({error.verify_message}): check `ca`, and it"
    return "untrusted", f"{certificate} {sentence}"
