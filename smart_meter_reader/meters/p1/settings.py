"""Settings of the client `dsmr`, and what they mean for the line, the keys and the times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.p1.devices import MEDIA
from smart_meter_reader.codecs.p1.dialect import DIALECTS
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.mbus import InUse
from smart_meter_reader.meters.p1.lines import FAST_LINE, SLOW_LINE
from smart_meter_reader.meters.ports import port_setting
from smart_meter_reader.meters.push.settings import (
    EncryptedPushSettings,
    LineForm,
    authentication_setting,
    dtr_setting,
    interval_setting,
    key_setting,
    rts_setting,
    timeout_setting,
    transformer_setting,
)
from smart_meter_reader.settings.schema import Secret, setting
from smart_meter_reader.transport import LineSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DsmrSettings(EncryptedPushSettings):
    """Settings of the client `dsmr`: electricity meters with a P1 port, plain or encrypted."""

    sub_meters: ClassVar[frozenset[str]] = MEDIA | {
        f"{medium}-{channel}" for medium in MEDIA for channel in range(1, 5)
    }

    port: str = port_setting()
    interval: timedelta = interval_setting(
        'the newest telegram each time; the line is always read; "0s" publishes every telegram'
    )
    key: Secret | None = key_setting("encryption key (GUEK)")
    authentication_key: Secret | None = key_setting(
        "authentication key (GAK)", more="; Luxembourg's is known"
    )
    authentication: Policy = authentication_setting("its checksum is right")
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
    format: LineForm | None = setting(
        "bits of the line, with a fixed baud; by default 7E1 up to 9600 and 8N1 above", default=None
    )
    transformer_ratio: Decimal = transformer_setting()
    timeout: timedelta | None = timeout_setting("a minute")
    rts: bool | None = rts_setting("some P1 cables")
    dtr: bool | None = dtr_setting()

    def __post_init__(self) -> None:
        self.check_keys_and_line()

    @property
    def lines(self) -> Sequence[LineSettings]:
        """The lines to try, the likelier one first."""
        if self.baud != "auto":
            form = self.format or ("7E1" if self.baud <= SLOW_LINE.baud else "8N1")
            return [self.line_of(self.baud, form)]
        # Encrypted telegrams are bytes of eight bits, which rules out 7E1.
        known = (FAST_LINE,) if self.key is not None else (FAST_LINE, SLOW_LINE)
        return [replace(line, rts=self.rts, dtr=self.dtr) for line in known]

    def in_use(self) -> InUse:
        """Which devices on M-Bus count; none is chosen yet."""
        return InUse(frozenset(self.channels), self.channel_names)

    def opener(self) -> Opener | None:
        """What opens encrypted telegrams; None without a key."""
        return self.opener_of(Opener)
