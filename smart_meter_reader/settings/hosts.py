"""The host or URL of a server as a setting, and which host was meant by what is none."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
# What has digits and points only is an IPv4 address, whole; what has several colons is one of IPv6.
HOST_PATTERN: Final = (
    rf"{_OCTET}(?:\.{_OCTET}){{3}}"
    r"|(?![0-9.]+\Z)[^\s/@:;,\[\]]+"
    r"|(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]+(?:%\w+)?"
)
HOST_HELP: Final = (
    "a name or address alone, without mqtt:// before it and without a login; its port has a key of its own"
)

URL_PATTERN: Final = r"https?://(\[[0-9A-Fa-f:.]+\]|[^/\s@?#:\[\]]+)(:[0-9]{1,5})?(/[^\s?#]*)?"
URL_HELP: Final = "http://HOST:PORT or https://HOST:PORT"

# SCHEME://LOGIN@HOST:PORT/PATH, each part but HOST left out at will.
_WRITTEN: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:/{0,2})?(?:[^/]*@)?(?P<host>\[[^\]]*\]|[^/:]*)(?::(?P<port>[0-9]{1,5}))?(?:/.*)?"
)


def require_url(key: str, url: str, allowed: str = URL_HELP) -> None:
    """Raise ValueError where port or address cannot be: of a URL, or of HOST:PORT alone; "" is none."""
    try:
        _ = urlsplit(url if "://" in url else f"//{url}").port
    except ValueError:
        raise ValueError(
            f'{key}: found "{url}"; allowed: {allowed}, with a port up to 65535, and an address of IPv6 '
            "between [ and ]"
        ) from None


def host_meant(text: str) -> str:
    """The host in a text that is none, quoted, with the port where the text has one; "" where there is none.

    Nothing of a login is in it.
    """
    written = _WRITTEN.fullmatch(text.strip().rstrip(",;"))
    if written is None:
        return ""
    host = written["host"].strip("[]")
    if not re.fullmatch(HOST_PATTERN, host):
        return ""
    return f'"{host}" with port = {int(written["port"])}' if written["port"] else f'"{host}"'
