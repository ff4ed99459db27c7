"""What a reader of telegrams, plain or encrypted, makes of a capture, as dicts for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from smart_meter_reader.codecs.capture import Description, error_told
from smart_meter_reader.exceptions import DecryptionError, FrameError, WrongTagError

_Telegram = TypeVar("_Telegram")
_Told = TypeVar("_Told", covariant=True)


class TelegramReader(Protocol[_Told]):
    """What has received all of a capture."""

    def next_telegram(self) -> _Told | None:
        """The next one; None behind the last. Raises FrameError and DecryptionError, and goes on."""


def described_telegrams(
    reader: TelegramReader[_Telegram],
    protocol: str,
    telegram_told: Callable[[_Telegram], Description],
    damage_told: Callable[[FrameError], Description],
) -> Iterator[Description]:
    """Each telegram, and each that is damaged or does not open."""
    while True:
        try:
            telegram = reader.next_telegram()
        except FrameError as error:
            yield damage_told(error)
        except DecryptionError as error:
            authentication = "failed" if isinstance(error, WrongTagError) else "none"
            yield {"protocol": protocol, "authentication": authentication, "error": error_told(error)}
        else:
            if telegram is None:
                return
            yield telegram_told(telegram)
