"""The client `replay`: plays a recording to the client that made it, in a meter's place."""

from __future__ import annotations

import asyncio
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from smart_meter_reader.drivers import imported, simulated
from smart_meter_reader.exceptions import RecordingEndedError, TransportError
from smart_meter_reader.messages import Health, Message, Publish
from smart_meter_reader.meters.base import Client, ClientSettings
from smart_meter_reader.meters.registry import METERS, meter_driver
from smart_meter_reader.recordings.player import Player, load_recording
from smart_meter_reader.recordings.text import Recording
from smart_meter_reader.settings.schema import Origin, Place, Secret, parse, setting
from smart_meter_reader.transport import opening_by

_log = logging.getLogger(__name__)

_OWN_NAME = "replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings(ClientSettings):
    """Settings of the client `replay`."""

    file: Path = setting("the recording, as `smart-meter-reader record` writes it", identifies=False)
    speed: Decimal = setting(
        "2 replays twice as fast as recorded; 0 as fast as it goes", default=Decimal(1), minimum=Decimal(0)
    )
    loop: bool = setting("begin again at the end, for ever", default=False)
    protocol: str = setting(
        "client to interpret it with, such as kamstrup or dsmr; by default the one that the recording names",
        default="",
        identifies=False,
    )
    key: Secret | None = setting("encryption key (GUEK) of a recorded P1 port, as for dsmr", default=None)
    authentication_key: Secret | None = setting("authentication key (GAK) that goes with it", default=None)

    @property
    def decryption_keys(self) -> tuple[Secret | None, Secret | None]:
        return self.key, self.authentication_key

    @property
    def reads_from(self) -> str:
        return f"replay:{self.file}"


class ReplayClient(Client):
    """Runs the recorded client on the recording; ends with it, unless it loops.

    A polled meter is asked again when it was asked in the recording, whatever its interval.
    """

    def __init__(self, meter: str, settings: ReplaySettings) -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0}
        self._settings = settings
        self._client: Client | None = None
        self._player = Player(Recording())
        self._next_poll: asyncio.TimerHandle | None = None

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        client = self._load() if self._client is None else self._client

        async def publish_and_go_on(message: Message) -> None:
            await publish(message)
            if message["type"] == "reading" and message["meter"] == self.meter:
                self._poll_when_recorded(client)

        if self._player.over:
            return  # its last poll failed, as recorded; the supervisor has waited and asks again
        client.read_now()
        try:
            with opening_by(self._player.open):
                await client.run(publish_and_go_on, once=once)
        except RecordingEndedError as error:
            _log.info("%s: %s", self.meter, error.detail)
        finally:
            if self._next_poll is not None:
                self._next_poll.cancel()

    def read_now(self) -> None:
        if self._client is not None:
            self._client.read_now()

    def _load(self) -> Client:
        """The recorded client. Raises TransportError for a file that cannot be used."""
        recording = load_recording(self._settings.file)
        self._client = build_recorded(
            self.meter, recording, self._settings.file, self._settings.protocol, self._keys()
        )
        self.health = self._client.health
        self._player = Player(recording, speed=float(self._settings.speed), loop=self._settings.loop)
        return self._client

    def _keys(self) -> dict[str, str]:
        keys = dict(zip(("key", "authentication_key"), self._settings.decryption_keys, strict=True))
        return {name: secret.reveal() for name, secret in keys.items() if secret is not None}

    def _poll_when_recorded(self, client: Client) -> None:
        pause = self._player.pause_before_next()
        if pause is None:
            self._player.last_words_taken = True
        else:
            self._next_poll = asyncio.get_running_loop().call_later(pause, client.read_now)


def build_recorded(
    meter: str, recording: Recording, file: Path, protocol: str = "", extra: Mapping[str, Any] | None = None
) -> Client:
    """The client that a recording names, or ``protocol``, with its recorded settings and ``extra``.

    Raises TransportError (``recording_unusable``) when the recording's header does not allow it.
    """
    name = protocol or recording.client
    known = sorted(set(METERS) - {_OWN_NAME})
    if name not in known:
        found = f"names the client {name!r}" if name else "does not say which client it is for"
        raise _unusable(file, f'{found}: write "client: NAME" into it, with one of {", ".join(known)}')
    try:
        table = {key: tomllib.loads(f"value = {value}")["value"] for key, value in recording.settings.items()}
    except (ValueError, RecursionError) as error:
        raise _unusable(
            file, f"has a setting that is no TOML ({error}): texts in it stand in quotes"
        ) from None
    driver = meter_driver(name)
    table |= {"port": f"replay:{file}", **(extra or {})}
    settings, problems = parse(imported(driver.settings), table, Place({(): Origin(str(file), name, ())}))
    if problems:
        raise _unusable(file, "has settings that the client does not take: " + "; ".join(problems))
    client: Client = imported(driver.client)(meter, settings)
    return client


def _unusable(file: Path, problem: str) -> TransportError:
    return TransportError("recording_unusable", f"{file} {problem}")


# A recording stands in the place of a meter of another family, which says the rest.
DRIVER = simulated(
    "recording",
    f"{__name__}:ReplayClient",
    f"{__name__}:ReplaySettings",
    typical=("heat_energy", "volume", "power", "volume_flow", "flow_temperature", "return_temperature"),
    health=("retries", "latency_ms", "requests_24h", "wake_ups_24h", "read_now_used", "read_now_refused"),
)
