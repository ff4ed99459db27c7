"""Settings of the client `dsmr`, and what they mean for the line, the keys and the times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from smart_meter_reader.codecs.ciphering.keys import Policy, parse_key
from smart_meter_reader.codecs.p1.devices import MEDIA
from smart_meter_reader.codecs.p1.dialect import DIALECTS
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.mbus import InUse
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.p1.lines import FAST_LINE, SLOW_LINE
from smart_meter_reader.settings.schema import Secret, setting
from smart_meter_reader.transport import PORT_HELP, PORT_PATTERN, LineSettings, port_meant

_KEY_HELP = "32 hexadecimal digits in quotes; belongs into .secrets.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class DsmrSettings(ClientSettings):
    """Settings of the client `dsmr`: electricity meters with a P1 port, plain or encrypted."""

    sub_meters: ClassVar[frozenset[str]] = MEDIA | {
        f"{medium}-{channel}" for medium in MEDIA for channel in range(1, 5)
    }

    port: str = setting(
        PORT_HELP, pattern=PORT_PATTERN, pattern_help=PORT_HELP, meant=port_meant, identifies=False
    )
    interval: timedelta = setting(
        "how often a reading is published, the newest telegram each time; the line is always read; "
        '"0s" publishes every telegram',
        default=timedelta(0),
        minimum=timedelta(0),
    )
    key: Secret | None = setting(f"encryption key (GUEK): {_KEY_HELP}", default=None)
    authentication_key: Secret | None = setting(
        f"authentication key (GAK): {_KEY_HELP}; Luxembourg's is known", default=None
    )
    authentication: Policy = setting(
        "what a telegram with a wrong authentication tag is: refused, published as failed if its checksum "
        "is right, or not looked at",
        default="require",
    )
    channels: tuple[int, ...] = setting(
        "the M-Bus channels whose devices are published, such as [1]; by default all",
        default=(),
        minimum=0,
        maximum=255,
    )
    channel_names: bool = setting(
        "names what is behind the meter by medium and channel (METER-gas-1), so that two gas meters both "
        "have a name; by default one device per medium is published (METER-gas)",
        default=False,
    )
    dialect: str = setting(
        "takes this national dialect instead of recognising it", default="", choices=("", *DIALECTS)
    )
    baud: int | Literal["auto"] = setting(
        "speed of the line; auto tries 115200 8N1 and 9600 7E1", default="auto", minimum=300, maximum=921_600
    )
    format: Literal["8N1", "7E1", "8E1"] | None = setting(
        "bits of the line, with a fixed baud; by default 7E1 up to 9600 and 8N1 above", default=None
    )
    transformer_ratio: Decimal = setting(
        "what the meter's energies, powers and currents are multiplied by, where it is behind current "
        "transformers and does not count with them: 40 for 200/5 A",
        default=Decimal(1),
        minimum=Decimal(1),
        maximum=Decimal(10_000),
    )
    timeout: timedelta | None = setting(
        "without a good telegram for so long, the port is opened again; by default six times the meter's "
        "own interval, and a minute as long as that is not known",
        default=None,
        minimum=timedelta(seconds=1),
        maximum=timedelta(hours=1),
    )
    rts: bool | None = setting("level of RTS; some P1 cables live on it; left alone by default", default=None)
    dtr: bool | None = setting("level of DTR; left alone by default", default=None)

    def __post_init__(self) -> None:
        for name, secret in (("key", self.key), ("authentication_key", self.authentication_key)):
            if secret is not None:
                _parse(name, secret)
        if self.authentication_key is not None and self.key is None:
            raise ValueError("authentication_key is of no use without key: set both")
        if self.format is not None and self.baud == "auto":
            raise ValueError("format needs a baud: set both, or none to find them out")

    @property
    def decryption_keys(self) -> tuple[Secret | None, Secret | None]:
        return self.key, self.authentication_key

    @property
    def reads_from(self) -> str:
        return self.port

    @property
    def longest_reading(self) -> timedelta | None:
        return self.timeout

    @property
    def lines(self) -> Sequence[LineSettings]:
        """The lines to try, the likelier one first."""
        if self.baud != "auto":
            form = self.format or ("7E1" if self.baud <= SLOW_LINE.baud else "8N1")
            bits = 7 if form == "7E1" else 8
            return [LineSettings(self.baud, bits, "N" if form == "8N1" else "E", 1, self.rts, self.dtr)]
        # Encrypted telegrams are bytes of eight bits, which rules out 7E1.
        known = (FAST_LINE,) if self.key is not None else (FAST_LINE, SLOW_LINE)
        return [replace(line, rts=self.rts, dtr=self.dtr) for line in known]

    def in_use(self) -> InUse:
        """Which devices on M-Bus count; none is chosen yet."""
        return InUse(frozenset(self.channels), self.channel_names)

    def opener(self) -> Opener | None:
        """What opens encrypted telegrams; None without a key."""
        if self.key is None:
            return None
        authentication_key = self.authentication_key
        return Opener(
            _parse("key", self.key),
            None if authentication_key is None else _parse("authentication_key", authentication_key),
            self.authentication,
        )


def _parse(name: str, secret: Secret) -> bytes:
    try:
        return parse_key(secret.reveal())
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
