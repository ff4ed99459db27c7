"""One connection to a broker, from CONNECT to its end: paho on the event loop, not in a thread.

Only the opening of the socket blocks (name lookup, TCP, handshakes). A daemon thread does that and ends
with it, so that a broker that hangs delays nobody, not even the end of the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from smart_meter_reader import stalls
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt import failures
from smart_meter_reader.mqtt.buffered_socket import BufferedSocket
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.off_loop import in_daemon_thread
from smart_meter_reader.mqtt.opening import open_socket
from smart_meter_reader.mqtt.outbox import Outbox
from smart_meter_reader.mqtt.paho import MQTTErrorCode, Properties, ReasonCode, Version, mqtt, new_client
from smart_meter_reader.mqtt.settings import BrokerSettings

# Per address of the host; the whole of lookup, connect and handshakes may take CONNECT_SECONDS.
ADDRESS_SECONDS = 5.0
CONNECT_SECONDS = 15.0
CONNACK_SECONDS = 10.0
# A broker that lets this many messages, or one for this long, without acknowledgement is not working.
MOST_OUTSTANDING = 5000
ACKNOWLEDGE_SECONDS = 60.0


class Link:
    """A connection that is opened once, and over when it ends.

    ``on_received(topic, payload)`` gets what the subscriptions bring, ``on_acknowledged(message, refusal)``
    each message that the broker has taken or, with MQTT 5, refused (a text; "" when it was taken), and
    ``on_end()`` is called once when the link is over; ``failure`` then says why.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        client_id: str,
        version: Version,
        will: MqttMessage | None = None,
        *,
        on_received: Callable[[str, bytes], None] = lambda topic, payload: None,
        on_acknowledged: Callable[[MqttMessage, str], None] = lambda message, refusal: None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.version = version
        self.failure: SinkError | None = None
        self.outbox = Outbox(self._send)
        self._broker = broker
        self._on_received = on_received
        self._on_acknowledged = on_acknowledged
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._subacks: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._socket: BufferedSocket | None = None
        self._descriptor = -1  # of the socket while it is on the loop
        self._reading = False
        self._write_planned = False
        self._awaits_writable = False
        self._most_outstanding = MOST_OUTSTANDING
        self._timer: asyncio.TimerHandle | None = None
        self._client = new_client(broker, client_id, version, will)
        self._set_callbacks()

    def _set_callbacks(self) -> None:
        client = self._client
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._message
        client.on_subscribe = self._subscribed
        # Before paho closes the socket: the loop must never watch a number that may be another file by then.
        client.on_socket_close = lambda *_: self._leave_loop()
        client.on_socket_register_write = lambda *_: self._plan_write()

    async def open(self) -> None:
        """Connect and log in. Raises SinkError with what to do about it."""
        try:
            await self._connect()
            async with stalls.timeout(CONNACK_SECONDS):
                await self._connack
        except TimeoutError:
            self._end(failures.silent(self._broker, CONNACK_SECONDS))
        except SinkError as error:
            self._end(error)
        except BaseException:  # a cancellation too: no socket stays open
            self._detach()
            raise
        if self.failure:
            raise self.failure

    def publish(self, message: MqttMessage) -> None:
        """Hand a message over; never waits. One for a link that is over is left alone."""
        if self.failure:
            return
        self.outbox.put(message)
        if self.outbox.in_line:
            self._exchange()
        if len(self.outbox) > self._most_outstanding:
            self._end(failures.unacknowledged(self._broker, len(self.outbox)))

    def publish_all(self, messages: Sequence[MqttMessage]) -> None:
        """Hand over what belongs together, however much it is; the limit is for what comes on top of it."""
        self._most_outstanding = len(self.outbox) + len(messages) + MOST_OUTSTANDING
        for message in messages:
            self.publish(message)

    def _send(self, message: MqttMessage) -> int:
        return self._client.publish(message.topic, message.payload, message.qos, message.retain).mid

    async def subscribe(self, topics: Iterable[str], qos: int = 1) -> list[str]:
        """Subscribe; the topic filters that the broker refuses. Raises SinkError when the link ends."""
        wanted = list(topics)
        if not wanted or self.failure:
            return []
        mid = self._client.subscribe([(topic, qos) for topic in wanted])[1] or 0
        answer = self._subacks[mid] = self._loop.create_future()
        try:
            async with stalls.timeout(CONNACK_SECONDS):
                codes = await answer
        except TimeoutError as error:
            failure = failures.unacknowledged(self._broker, 1)
            self._end(failure)
            raise failure from error
        finally:
            self._subacks.pop(mid, None)
        return [topic for topic, code in zip(wanted, codes, strict=False) if code.is_failure]

    async def drained(self) -> None:
        """Wait until nothing is outstanding, or the link is over."""
        await self.outbox.empty()

    def close(self) -> None:
        """Say goodbye (the broker then keeps the will to itself) and close."""
        if self.failure is None:
            self._client.on_disconnect = None
            self._client.disconnect()
            self._write()
        self._detach()

    def abort(self) -> None:
        """Close without a goodbye: the broker publishes the will. Twice, or after ``close``, does no harm."""
        self._detach()

    async def _connect(self) -> None:
        """Open a socket off the loop, then put it and paho on the loop."""
        broker = self._broker
        try:
            async with stalls.timeout(CONNECT_SECONDS):
                raw = await in_daemon_thread(
                    lambda: open_socket(broker, ADDRESS_SECONDS), abandon=lambda late: late.close()
                )
        except TimeoutError as error:
            raise failures.timed_out(broker, CONNECT_SECONDS) from error
        self._client.ready = self._socket = BufferedSocket(raw)
        self._descriptor = raw.fileno()
        self._loop.add_reader(self._descriptor, self._readable)
        self._client.connect(broker.host, broker.effective_port, broker.keepalive)
        self._plan_tick()

    def _detach(self) -> None:
        """Take the socket off the loop and close it. Twice does no harm."""
        self._leave_loop()
        if self._socket:
            self._socket.close()

    def _leave_loop(self) -> None:
        if self._attached:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._descriptor = -1
        if self._timer:
            self._timer.cancel()

    @property
    def _attached(self) -> bool:
        return self._descriptor >= 0

    def _exchange(self) -> None:
        """Write, and read acknowledgements, without waiting for the next turn of the loop.

        With many meters a turn is long, and a broker may allow few messages on the way (Mosquitto: 20).
        """
        if not self._reading:
            self._write()
            if self._attached:
                self._readable()

    def _readable(self) -> None:
        socket = self._socket
        assert socket
        socket.fill()
        self._reading = True
        while socket.readable and self._attached:
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
        self._reading = False
        if socket.ended and self._attached:
            self._end(self._reason_of_end())

    def _plan_write(self) -> None:
        """Write at the end of this turn of the loop, all that gathers until then at once."""
        if self._attached and not self._write_planned:
            self._write_planned = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._write_planned = False
        socket = self._socket
        if not socket or not self._attached:
            return
        try:
            self._client.loop_write()
            flushed = socket.flush()
        except OSError as error:
            # What the peer said before it hung up (a TLS alert, say) is still there to be read.
            socket.fill()
            socket.error = socket.error or error
            self._end(self._reason_of_end())
            return
        if flushed and self._client.want_write():
            self._plan_write()  # what did not fit into the buffer before
        if flushed and self._awaits_writable:
            self._awaits_writable = False
            self._loop.remove_writer(self._descriptor)
        elif not flushed and not self._awaits_writable:
            self._awaits_writable = True
            self._loop.add_writer(self._descriptor, self._write)

    def _plan_tick(self) -> None:
        due = self._loop.time() + min(self._broker.keepalive / 4, 15.0)
        self._timer = self._loop.call_at(due, self._tick, due)

    def _tick(self, due: float) -> None:
        """Keep alive, and notice a broker that has stopped to acknowledge.

        Not right after this process stood still: what the broker said meanwhile is read first.
        """
        self._readable()
        if not self._attached:
            return
        if self._loop.time() - due > stalls.LATE_SECONDS:
            self.outbox.wait_anew()
            self._plan_tick()
            return
        self._client.loop_misc()
        if self.outbox.stalled > ACKNOWLEDGE_SECONDS:
            self._end(failures.unacknowledged(self._broker, len(self.outbox)))
        if self._attached:
            self._plan_tick()

    def _reason_of_end(self) -> SinkError:
        socket = self._socket
        assert socket
        if self._connack.done():
            return failures.lost(self._broker, socket.error)
        return failures.ended_early(self._broker, socket.first_bytes, socket.error)

    def _end(self, failure: SinkError) -> None:
        if self.failure:
            return
        self.failure = failure
        self._detach()
        if not self._connack.done():
            self._connack.set_exception(failure)
            self._connack.exception()  # open() tells; nobody else need ask
        for answer in self._subacks.values():
            if not answer.done():
                answer.set_exception(failure)
        self.outbox.give_up()
        self._on_end()

    def _connected(
        self, _c: mqtt.Client, _u: Any, _f: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._end(failures.refused(self._broker, code.value, str(code)))
        elif not self._connack.done():
            # MQTT 5.0, 3.2.2.3.3: how many the broker lets us have on the way.
            self.outbox.window = min(self.outbox.window, getattr(properties, "ReceiveMaximum", 65535))
            self._connack.set_result(None)

    def _disconnected(
        self, _c: mqtt.Client, _u: Any, flags: Any, code: ReasonCode, _p: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._end(failures.refused(self._broker, code.value, str(code)))
        else:
            self._end(self._reason_of_end())

    def _published(self, _c: mqtt.Client, _u: Any, mid: int, code: ReasonCode, _p: Properties | None) -> None:
        message = self.outbox.acknowledged(mid)
        self._on_acknowledged(message, str(code) if code.is_failure else "")

    def _subscribed(
        self, _c: mqtt.Client, _u: Any, mid: int, codes: list[ReasonCode], _p: Properties | None
    ) -> None:
        answer = self._subacks.get(mid)
        if answer and not answer.done():
            answer.set_result(codes)

    def _message(self, _c: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        self._on_received(message.topic, bytes(message.payload))
