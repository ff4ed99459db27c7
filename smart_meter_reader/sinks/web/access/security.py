"""Whom the page answers: names, origins, proxies; and the headers that keep a browser to it. Pure.

A page that believes whoever reaches it falls to DNS rebinding: a foreign page's name then leads here, and its
script reads what it likes. A name that is nobody's but ours, or no name at all, cannot be turned so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from types import MappingProxyType
from urllib.parse import urlsplit

# Home Assistant's Supervisor, from where its ingress comes (developers.home-assistant.io, "Presenting your
# app").
SUPERVISOR = "172.30.32.2"
_PREFIX = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]{1,100}){1,10}")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {}"
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        # Other hosts are told nothing. With "no-referrer" a browser would not say either that a form is our
        # own: over plain HTTP in the house, where it sends no Sec-Fetch-Site, nobody could log in.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
Networks = Sequence[IPv4Network | IPv6Network]


@dataclass(frozen=True, slots=True)
class Way:
    """The way on which a request came."""

    prefix: str = ""  # what stands before our paths in the browser's address, such as "/meters"
    secure: bool = False  # HTTPS as the browser sees it
    ingress: bool = False  # through Home Assistant, which has asked who it is
    host: str = ""  # what the browser calls us, where a proxy calls us otherwise

    @property
    def cookie_path(self) -> str:
        """Where our cookies count."""
        return f"{self.prefix}/"


def way_of(peer: str, headers: Mapping[str, str], *, secure: bool, ingress: bool, proxies: Networks) -> Way:
    """How a request from ``peer`` came; what only a proxy may say counts from those that are trusted."""
    host = headers.get("X-Forwarded-Host", "")
    if ingress and peer == SUPERVISOR:
        return Way(_prefix(headers.get("X-Ingress-Path", "")), _is_secure(headers), ingress=True, host=host)
    if _is_in(peer, proxies):
        return Way(_prefix(headers.get("X-Forwarded-Prefix", "")), secure or _is_secure(headers), host=host)
    return Way(secure=secure)


def is_our_name(host: str, names: Collection[str]) -> bool:
    """Whether a Host header names this page: by an address, localhost, NAME.local, or one of ``names``."""
    name = _host_name(host)
    if name in ("", None):
        return False
    if name == "localhost" or name.endswith((".localhost", ".local")) or name in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True  # whatever address it is: with one in its address bar a browser goes there and nowhere else


def is_our_origin(hosts: Collection[str], headers: Mapping[str, str]) -> bool:
    """Whether a form was sent by our own page, which a browser calls by one of ``hosts``.

    A program that is no browser sends none of the headers.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("Origin")
    if origin is None:
        return True
    return site == "same-origin" or urlsplit(origin).netloc.lower() in {
        host.lower() for host in hosts if host
    }


def policy(way: Way) -> str:
    """The Content-Security-Policy: nothing but our own files, and frames in Home Assistant alone."""
    return _POLICY.format("'self'" if way.ingress else "'none'")


def _host_name(host: str) -> str:
    """The name in a Host header, without port, brackets and the root's dot; "" for none."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", host)
    return found[1].strip("[]").rstrip(".").lower() if found else ""


def _prefix(text: str) -> str:
    found = text.rstrip("/")
    return found if _PREFIX.fullmatch(found) else ""


def _is_secure(headers: Mapping[str, str]) -> bool:
    return headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower() == "https"


def _is_in(peer: str, networks: Networks) -> bool:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in networks)
