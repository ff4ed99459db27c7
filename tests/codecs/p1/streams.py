"""Runs bytes through the P1 reader in pieces of any size, and tells what came out."""

from __future__ import annotations

from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.exceptions import DecryptionError, FrameError

Outcome = Telegram | FrameError | DecryptionError


def drain(reader: P1Reader) -> list[Outcome]:
    outcomes: list[Outcome] = []
    while True:
        try:
            telegram = reader.next_telegram()
        except (FrameError, DecryptionError) as error:
            outcomes.append(error)
            continue
        if telegram is None:
            return outcomes
        outcomes.append(telegram)


def read(
    stream: bytes, piece: int | None = None, opener: Opener | None = None, *, one_meter: bool = False
) -> list[Outcome]:
    """Everything that ``stream`` gives, until its end."""
    reader = P1Reader(opener, one_meter=one_meter)
    outcomes: list[Outcome] = []
    piece = piece or len(stream) or 1
    for begin in range(0, len(stream), piece):
        reader.receive_data(stream[begin : begin + piece])
        outcomes += drain(reader)
    reader.finish()
    return outcomes + drain(reader)


def telegrams(outcomes: list[Outcome]) -> list[Telegram]:
    return [outcome for outcome in outcomes if isinstance(outcome, Telegram)]


def reasons(outcomes: list[Outcome]) -> list[str]:
    """The checksum of each telegram, the reason of each error."""
    return [outcome.checksum if isinstance(outcome, Telegram) else outcome.reason for outcome in outcomes]
