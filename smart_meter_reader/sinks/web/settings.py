"""Settings of the sink `web`: where it listens, whom it answers, and what it asks for first."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Self

from smart_meter_reader.network.loopback import is_this_computer
from smart_meter_reader.settings.schema import DriverSettings, Secret, setting
from smart_meter_reader.sinks.web.access.passwords import WRITTEN_FORM
from smart_meter_reader.sinks.web.contract_settings import ContractSettings, expected_pairs
from smart_meter_reader.sinks.web.prices.settings import PriceBrokerSettings

_HOST_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings(DriverSettings):
    """Nothing here is needed for a page on this computer alone."""

    host: str = setting(
        "the address to listen on: 127.0.0.1 for this computer alone, 0.0.0.0 for everybody in the network",
        default="127.0.0.1",
        pattern=r"[^\s/]+",
        pattern_help="an address or a name of this computer",
        identifies=True,
    )
    port: int = setting("the port to listen on", default=8080, minimum=1, maximum=65535)
    title: str = setting(
        'what the page is headed with; "": the name of the environment', default="", identifies=True
    )
    password: Secret | None = setting(
        "the line that `smart-meter-reader web password` gives; without it there is no login",
        default=None,
        pattern=WRITTEN_FORM,
        pattern_help="what `smart-meter-reader web password` gives, not the password itself",
        identifies=True,
    )
    stay_logged_in: timedelta = setting(
        "how long a browser need not ask for the password again",
        default=timedelta(days=90),
        minimum=timedelta(minutes=5),
        maximum=timedelta(days=400),
    )
    tokens: Mapping[str, Secret] = setting(
        "for programs, each by a name of its own: what they send as `Authorization: Bearer ...`; they may "
        "read and nothing else",
        default={},
        pattern=r"[\x21-\x7e]{20,200}",
        pattern_help="20 to 200 letters, digits and signs that nobody can guess",
        identifies=True,
    )
    names: tuple[str, ...] = setting(
        "by which names browsers reach the page, beside addresses, localhost and NAME.local, such as "
        '["meters.example.org"]',
        default=(),
        pattern=_HOST_NAME,
        pattern_help="a name without scheme and port",
        identifies=True,
    )
    proxies: tuple[str, ...] = setting(
        'addresses of proxies that are believed what they say of a request, such as ["127.0.0.1"]',
        default=(),
        identifies=True,
    )
    home_assistant_ingress: bool = setting(
        "whether Home Assistant's Supervisor shows the page in its own, to people who are logged in there",
        default=False,
    )
    certificate: Path | None = setting(
        "the certificate (PEM, with those between) with which the page is served over HTTPS",
        default=None,
        identifies=True,
    )
    key: Path | None = setting(
        "the private key of the certificate; it may stand in the same file", default=None, identifies=True
    )
    contracts: Mapping[str, ContractSettings] = setting(
        "what is paid, each contract in a table of its own such as [home.sinks.web.contracts.heat]",
        default={},
    )
    production: str = setting(
        "the meter that counts what is produced here, such as that of solar panels; with it the page "
        "shows own use",
        default="",
        identifies=True,
    )
    price_broker: PriceBrokerSettings = setting(
        "the broker of contracts with a `price_topic`; without it that of this computer",
        default=PriceBrokerSettings(),
    )
    expected_return: Mapping[str, Decimal] = setting(
        "what return temperature the works expects at which flow temperature, such as {60 = 39, 70 = 32}",
        default={},
        minimum=Decimal(0),
        maximum=Decimal(200),
    )

    def __post_init__(self) -> None:
        if not (self.password or self.home_assistant_ingress or is_this_computer(self.host)):
            raise ValueError(
                f"on {self.host} others can see when somebody is at home: set `password` to the line that "
                '`smart-meter-reader web password` gives, or `host` to "127.0.0.1"'
            )
        if self.tokens and not self.password:
            raise ValueError("tokens: without `password` everybody may read; set that too, or leave both out")
        if self.key and not self.certificate:
            raise ValueError("key: it is of no use without `certificate`")
        expected_pairs(self.expected_return)
        for each in self.proxies:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(
                    f"proxies: {each!r} is no address and no network such as 192.168.1.0/24"
                ) from None

    def named(self, environment: str) -> Self:
        """The page is headed with the name of the environment, unless the settings say how."""
        return self if self.title else replace(self, title=environment)

    @property
    def listening_ports(self) -> tuple[int, ...]:
        return (self.port,)

    @property
    def sent_openly(self) -> str:
        safe = self.certificate or self.proxies or self.home_assistant_ingress
        if safe or is_this_computer(self.host):
            return self.price_broker.sent_openly if self.price_topics else ""
        return (
            "the password of the page goes through the network as it is, for whoever listens there: set "
            "`certificate`, or put a proxy with HTTPS before it and name that in `proxies`"
        )

    @property
    def price_topics(self) -> tuple[str, ...]:
        """The MQTT topics on which contracts have their prices."""
        topics = (contract.price_topic for contract in self.contracts.values())
        return tuple(dict.fromkeys(topic for topic in topics if topic))

    @property
    def trusted(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Whose word on a request is believed."""
        return tuple(map(ip_network, self.proxies))

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        yield f"The page: {page_url(self)} in a browser of this computer"
        if not is_this_computer(self.host):
            name = os.uname().nodename.removesuffix(".local")
            yield f"  elsewhere by its address in the network, or as {name}.local"


def page_url(settings: WebSettings) -> str:
    """Where a browser on this computer finds the page."""
    scheme = "https" if settings.certificate else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - to compare
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}/"
