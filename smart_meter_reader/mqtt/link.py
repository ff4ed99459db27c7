"""One connection to a broker, from CONNECT to its end: paho on the event loop, not in a thread.

Only the opening of the socket blocks (name lookup, TCP, handshakes). A daemon thread does that and ends
with it, so that a broker that hangs delays nobody, not even the end of the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt import failures
from smart_meter_reader.mqtt.heartbeat import Heartbeat
from smart_meter_reader.mqtt.limits import BrokerLimits
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.paho import Properties, ReasonCode, Version, mqtt, new_client, send_connect
from smart_meter_reader.mqtt.publishing import Publishing
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.sockets.buffered_socket import BufferedSocket
from smart_meter_reader.mqtt.sockets.incoming import Answer, BrokenStreamError, Incoming, Packet, Publication
from smart_meter_reader.mqtt.sockets.opening import open_socket
from smart_meter_reader.mqtt.sockets.outgoing import acknowledging_packet
from smart_meter_reader.mqtt.sockets.wire import Wire
from smart_meter_reader.mqtt.subscriptions import Subscriptions
from smart_meter_reader.network import stalls
from smart_meter_reader.network.off_loop import in_daemon_thread

# Per address of the host; the whole of lookup, connect and handshakes may take CONNECT_SECONDS.
ADDRESS_SECONDS = 5.0
CONNECT_SECONDS = 15.0
CONNACK_SECONDS = 10.0
PART_SECONDS = 0.5
# A broker that lets this many messages without acknowledgement is not working.
MOST_OUTSTANDING = 5000


class Link:
    """A connection that is opened once, and over when it ends.

    ``on_received(topic, payload, retained)`` gets what the subscriptions bring,
    ``on_acknowledged(message, refusal)`` each message that the broker has taken or, with MQTT 5, refused (a
    text; "" when it was taken),
    ``on_dropped(topic, why)`` is told of what the broker brings and nobody can take, and ``on_end()`` is
    called once when the link is over; ``failure`` then says why. Whatever goes wrong in one of these, in paho
    or in what the broker sends ends this link, and nothing else. ``turns`` bounds how many links are opened
    at once.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        client_id: str,
        version: Version,
        will: MqttMessage | None = None,
        *,
        on_received: Callable[[str, bytes, bool], None] = lambda topic, payload, retained: None,
        on_acknowledged: Callable[[MqttMessage, str], None] = lambda message, refusal: None,
        on_dropped: Callable[[str, str], None] = lambda topic, why: None,
        on_end: Callable[[], None] = lambda: None,
        turns: asyncio.Semaphore | None = None,
    ) -> None:
        self.version = version
        self.failure: SinkError | None = None
        self.limits = BrokerLimits()
        self._publishing = Publishing(version, self._send, on_acknowledged)
        self.outbox = self._publishing.outbox
        self._broker = broker
        self._on_received = on_received
        self._on_acknowledged = on_acknowledged
        self._on_dropped = on_dropped
        self._on_end = on_end
        self._turns = turns
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._subscriptions = Subscriptions(lambda: self._end(failures.unacknowledged(broker, 1)))
        self._wire: Wire | None = None
        self._most_outstanding = MOST_OUTSTANDING
        self._heartbeat: Heartbeat | None = None
        self._client = new_client(broker, client_id, version, will)
        self._set_callbacks()

    def _set_callbacks(self) -> None:
        client = self._client
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        # Before paho closes the socket, which takes it off the loop.
        client.on_socket_close = lambda *_: self._leave_loop()
        client.on_socket_register_write = lambda *_: self._plan_write()

    async def open(self, seconds: float = CONNACK_SECONDS) -> None:
        """Connect and log in; ``seconds`` are for the answer. Raises SinkError with what to do about it."""
        try:
            await self._connect()
            async with stalls.timeout(seconds):
                await self._connack
        except TimeoutError:
            self._end(failures.silent(self._broker, seconds))
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
        if not message.has_topic:
            self._loop.call_soon(self._on_acknowledged, message, "MQTT allows no such topic")
            return
        if too_large := self.limits.too_large(message):
            self._loop.call_soon(self._on_acknowledged, message, too_large)
            return
        self.outbox.put(self.limits.fitted(message))
        if self.outbox.in_line and self._wire:
            self._wire.exchange()
        if len(self.outbox) > self._most_outstanding:
            self._end(failures.unacknowledged(self._broker, len(self.outbox)))

    def publish_all(self, messages: Sequence[MqttMessage]) -> None:
        """Hand over what belongs together, however much it is; the limit is for what comes on top of it."""
        self._most_outstanding = len(self.outbox) + len(messages) + MOST_OUTSTANDING
        for message in messages:
            self.publish(message)

    def _send(self, packet: bytes) -> None:
        assert self._wire
        if self._client.want_write():  # a SUBSCRIBE goes before what is published after it
            self._client.loop_write()
        self._wire.send(packet)

    def subscribe(self, topics: Sequence[str]) -> asyncio.Future[list[str]]:
        """Ask at once for what is published to these filters, at QoS 1.

        The future gives those that the broker refuses, or raises SinkError when the link ends.
        """
        if not topics or self.failure:
            return self._subscriptions.settled()
        identifier = self._client.subscribe([(topic, 1) for topic in topics])[1] or 0
        return self._subscriptions.asked(identifier, topics)

    async def drained(self) -> None:
        """Wait until nothing is outstanding, or the link is over."""
        await self.outbox.empty()

    def close(self) -> None:
        """Say goodbye (the broker then keeps the will to itself) and close."""
        if self.failure is None and self._wire:
            self._client.on_disconnect = None
            self._client.disconnect()
            self._wire.write()
        self._detach()

    async def part(self) -> None:
        """Say goodbye and let the broker hang up first.

        One that writes to whom has closed takes that for a broken connection, and publishes the will.
        """
        if self.failure is None and self._wire:
            socket = self._wire.socket
            self._client.on_disconnect = None
            socket.lingers = True
            try:
                self._client.disconnect()
                self._wire.write()
                await socket.until_ended(PART_SECONDS)
            finally:
                socket.lingers = False
        self._detach()

    def abort(self) -> None:
        """Close without a goodbye: the broker publishes the will. Twice, or after ``close``, does no harm."""
        self._detach()

    async def _connect(self) -> None:
        """Open a socket off the loop, then put it and paho on the loop."""
        broker = self._broker
        if self._turns:
            await self._turns.acquire()
        try:
            async with stalls.timeout(CONNECT_SECONDS):
                raw = await in_daemon_thread(
                    lambda: open_socket(broker, ADDRESS_SECONDS),
                    abandon=lambda late: late.close(),
                    ended=self._turns.release if self._turns else lambda: None,
                )
        except TimeoutError as error:
            raise failures.timed_out(broker, CONNECT_SECONDS) from error
        self._client.ready = socket = BufferedSocket(raw)
        self._wire = Wire(
            socket,
            Incoming(mqtt_5=self.version == "5"),
            on_packet=self._take,
            gather=self._gather,
            on_end=lambda: self._end(self._reason_of_end()),
            on_error=self._fail,
        )
        send_connect(self._client, broker)
        self._heartbeat = Heartbeat(broker, self._client, self._wire, self.outbox, self._end, self._fail)
        self._heartbeat.plan()

    def _detach(self) -> None:
        """Take the socket off the loop and close it. Twice does no harm."""
        self._leave_loop()
        self._subscriptions.end(failures.lost(self._broker, None))
        if self._wire:
            self._wire.close()

    def _leave_loop(self) -> None:
        if self._wire:
            self._wire.leave()
        if self._heartbeat:
            self._heartbeat.stop()

    def _plan_write(self) -> None:
        if self._wire:
            self._wire.plan_write()

    def _gather(self) -> bool:
        """Let paho put its packets into the socket; whether some had no room."""
        assert self._wire
        self._client.loop_write()
        return self._publishing.settle(self._wire.socket) or self._client.want_write()

    def _take(self, packet: Packet) -> bool:
        """Whether it answers something of ours."""
        wire = self._wire
        assert wire
        if isinstance(packet, Publication):
            self._receive(packet)
        elif isinstance(packet, Answer):
            wire.socket.give(packet.packet)
            while wire.attached and wire.socket.pending():
                self._client.loop_read()
        else:
            return self._publishing.answered(packet)
        return False

    def _receive(self, packet: Publication) -> None:
        if packet.identifier is not None:
            self._send(acknowledging_packet(packet.identifier))
        if packet.unusable:
            self._on_dropped(packet.topic, packet.unusable)
        else:
            self._on_received(packet.topic, packet.payload, packet.retained)

    def _reason_of_end(self, broken: str = "") -> SinkError:
        socket = self._client.ready
        assert socket
        if not self._connack.done():
            return failures.ended_early(self._broker, socket.first_bytes, socket.error, broken)
        return failures.broken(self._broker, broken) if broken else failures.lost(self._broker, socket.error)

    def _fail(self, error: BaseException) -> None:
        """The broker sends what it must not, or something of ours does not stand what it sends."""
        broken = isinstance(error, BrokenStreamError)
        self._end(self._reason_of_end(str(error)) if broken else failures.unexpected(self._broker, error))

    def _end(self, failure: SinkError) -> None:
        if self.failure:
            return
        self.failure = failure
        self._subscriptions.end(failure)
        self._detach()
        if not self._connack.done():
            self._connack.set_exception(failure)
            self._connack.exception()  # open() tells; nobody else need ask
        self.outbox.give_up()
        self._on_end()

    def _connected(
        self, _c: mqtt.Client, _u: Any, _f: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._end(failures.refused(self._broker, code.value, str(code)))
        elif not self._connack.done():
            self.limits = BrokerLimits.told_by(properties)
            self.outbox.window = min(self.outbox.window, self.limits.at_once)
            self._connack.set_result(None)
            if self._heartbeat:
                self._heartbeat.plan()  # the broker may want a shorter time than ours

    def _disconnected(
        self, _c: mqtt.Client, _u: Any, flags: Any, code: ReasonCode, _p: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._end(failures.refused(self._broker, code.value, str(code)))
        else:
            malformed = code.value == failures.PROTOCOL_ERROR
            self._end(self._reason_of_end("a packet that cannot be read" if malformed else ""))

    def _subscribed(
        self, _c: mqtt.Client, _u: Any, mid: int, codes: list[ReasonCode], _p: Properties | None
    ) -> None:
        self._subscriptions.answered(mid, [code.is_failure for code in codes])
