"""Commands that come over the broker: which topic asks for a reading of which meter, and what is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from smart_meter_reader.mqtt.message import Command, MqttMessage, Presenter
from smart_meter_reader.mqtt.told import ConnectionLog
from smart_meter_reader.rooms import Room

AskMeter = Callable[[str], object]
"""Asks for a reading of the meter of this name. It never waits, however often it is called."""

# What a controller is shown after a command, once for all that come meanwhile.
ECHO_SECONDS = 0.5
RETAINED = (
    "a retained command would come again at every connect: publish it without the retain flag, and clear "
    "this one with an empty retained message"
)


class Commands:
    """Takes what the broker brings on the command topics of a presenter. Anybody may have written it."""

    def __init__(
        self,
        presenter: Presenter,
        ask: AskMeter,
        publish: Callable[[list[MqttMessage]], None],
        told: ConnectionLog,
        room: Room,
    ) -> None:
        self._presenter = presenter
        self._ask = ask
        self._publish = publish
        self._told = told
        self._room = room
        self._echoes: set[str] = set()  # topics whose echo is on its way

    def take(self, topic: str, payload: bytes, *, retained: bool) -> bool:
        """Whether it came on a topic for commands. A retained one is left out, and what says no command."""
        command = self._presenter.commands.get(topic)
        if command is None:
            return False
        if retained:
            self._told.left_out(topic, RETAINED)
        elif command.says in (None, payload):
            self._room.contain(partial(self._ask, command.meter), None, "a command is left out")
            self._plan_echo(topic, command)
        elif payload != command.unsays:
            self._told.left_out(topic, f"the only command there is {(command.says or b'').decode()}")
        return True

    def _plan_echo(self, topic: str, command: Command) -> None:
        if command.echo is not None and topic not in self._echoes:
            self._echoes.add(topic)
            asyncio.get_running_loop().call_later(ECHO_SECONDS, self._echo, topic, command.echo)

    def _echo(self, topic: str, echo: MqttMessage) -> None:
        self._echoes.discard(topic)
        self._publish([echo])
