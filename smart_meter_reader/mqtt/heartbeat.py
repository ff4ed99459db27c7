"""What a link to a broker does by the clock: it keeps alive, and notices a broker that does not work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt import failures
from smart_meter_reader.mqtt.outbox import Outbox
from smart_meter_reader.mqtt.paho import ClientOnSocket
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.sockets.wire import Wire
from smart_meter_reader.network import stalls

# A broker that lets a message for this long without acknowledgement is not working.
ACKNOWLEDGE_SECONDS = 60.0
MOST_SECONDS = 15.0


class Heartbeat:
    """The timer of one link. ``on_failure`` gets what ends the link, ``on_error`` what paho raises."""

    def __init__(
        self,
        broker: BrokerSettings,
        client: ClientOnSocket,
        wire: Wire,
        outbox: Outbox,
        on_failure: Callable[[SinkError], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._broker = broker
        self._client = client
        self._wire = wire
        self._outbox = outbox
        self._on_failure = on_failure
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def plan(self) -> None:
        """Beat at the next due time, four times in what the broker takes for the end."""
        # The broker may want a shorter time than ours (MQTT 5.0, 3.2.2.3.14).
        due = self._loop.time() + min((self._client.keepalive or self._broker.keepalive) / 4, MOST_SECONDS)
        self.stop()
        self._timer = self._loop.call_at(due, self._beat, due)

    def stop(self) -> None:
        """No more of it. Twice does no harm."""
        if self._timer:
            self._timer.cancel()

    def _beat(self, due: float) -> None:
        """Keep alive, and notice a broker that has stopped to acknowledge.

        Not right after this process stood still: what the broker said meanwhile is read first.
        """
        self._wire.read()
        if not self._wire.attached:
            return
        if self._loop.time() - due > stalls.LATE_SECONDS:
            self._outbox.wait_anew()
            self.plan()
            return
        try:
            self._client.loop_misc()
        except BaseException as error:  # noqa: BLE001 - ends this connection, whatever it is, and no other
            self._on_error(error)
        if self._outbox.stalled > ACKNOWLEDGE_SECONDS:
            self._on_failure(failures.unacknowledged(self._broker, len(self._outbox)))
        if self._wire.attached:
            self.plan()
