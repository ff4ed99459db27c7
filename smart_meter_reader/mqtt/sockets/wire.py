"""A broker's socket on the event loop: read in slices of time, written once a turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from smart_meter_reader.mqtt.sockets.buffered_socket import MOST_UNSENT, BufferedSocket
from smart_meter_reader.mqtt.sockets.incoming import Incoming, Packet

# So long at a time is what a broker sends worked on, and so long is the pause when that was not enough: one
# that sends without end has a tenth of the processor, and the meters have the rest.
SLICE_SECONDS = 0.002
PAUSE_SECONDS = 0.02
# When the loop comes late to that it is busy, with other such brokers perhaps: then the pause is longer.
LATENESS_WEIGHT = 10
LONGEST_PAUSE = 1.0


class Wire:
    """Carries bytes between a buffered socket and whoever makes packets of them, until it leaves the loop.

    ``on_packet`` gets each packet received and says whether it answers something of ours, ``gather`` has what
    waits put into the socket (and says whether some had no room), ``on_end`` is called when the peer is gone,
    and ``on_error`` with whatever else goes wrong in all this, so that it ends this connection and nothing
    else.
    """

    def __init__(
        self,
        socket: BufferedSocket,
        incoming: Incoming,
        *,
        on_packet: Callable[[Packet], bool],
        gather: Callable[[], bool],
        on_end: Callable[[], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self.socket = socket
        self._incoming = incoming
        self._on_packet = on_packet
        self._gather = gather
        self._on_end = on_end
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._reading = False
        self._write_planned = False
        self._awaits_writable = False
        self._pause: asyncio.TimerHandle | None = None
        self._late = 0.0  # how late the end of the last pause came, in seconds
        self._descriptor = socket.fileno()  # while it is on the loop
        self._loop.add_reader(self._descriptor, self.read)

    @property
    def attached(self) -> bool:
        """Whether it is on the loop."""
        return self._descriptor >= 0

    def leave(self) -> None:
        """Leave the loop: it must never watch a number that may be another file by then. Twice is no harm."""
        if self.attached:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._descriptor = -1
        if self._pause:
            self._pause.cancel()

    def close(self) -> None:
        """Leave the loop and close the socket. Twice does no harm."""
        self.leave()
        self.socket.close()

    def exchange(self) -> None:
        """Write, and read acknowledgements, without waiting for the next turn of the loop.

        With many meters a turn is long, and a broker may allow few messages on the way (Mosquitto: 20).
        """
        if not self._reading:
            self.write()
            self.read()

    def read(self) -> None:
        """Work on what has arrived, for a slice of time at most."""
        if self._reading or self._pause:
            return
        self._reading = True
        try:
            self._read_slice()
        except BaseException as error:  # noqa: BLE001 - ends this connection, whatever it is, and no other
            self._on_error(error)
        finally:
            self._reading = False

    def send(self, packet: bytes) -> None:
        """Write a packet at the end of this turn; how many may wait is for whoever makes them to see to."""
        self.socket.put(packet)
        self.plan_write()

    def plan_write(self) -> None:
        """Write at the end of this turn of the loop, all that gathers until then at once."""
        if self.attached and not self._write_planned:
            self._write_planned = True
            self._loop.call_soon(self.write)

    def write(self) -> None:
        """Write what waits, as far as the system takes it; the rest follows by itself."""
        self._write_planned = False
        if not self.attached:
            return
        try:
            self._write()
        except OSError as error:
            self._read_the_last()
            self.socket.error = self.socket.error or error
            self._on_end()
        except BaseException as error:  # noqa: BLE001 - as in read()
            self._on_error(error)

    def _read_the_last(self) -> None:
        """What the peer said before it hung up (a TLS alert, why it refuses a message) is still there."""
        last = self.socket.read()
        if self._reading:
            return
        self._reading = True
        try:
            self._incoming.receive(last)
            while self.attached and (packet := self._incoming.next()):
                self._on_packet(packet)
        except BaseException as error:  # noqa: BLE001 - as in read()
            self._on_error(error)
        finally:
            self._reading = False

    def _read_slice(self) -> None:
        until = time.monotonic() + SLICE_SECONDS
        read = False
        while self.attached:
            # From a broker that does not read what we answer we do not read either.
            if self.socket.unsent > MOST_UNSENT:
                self._rest()
                return
            packet = self._incoming.next()
            if packet is not None:
                # Answers to what we sent are as many as we allow. On a busy machine the time is over before
                # the first of them: who only answers must not rest for that.
                unasked = not self._on_packet(packet)
            elif not read or self.socket.more:
                unasked, read = read, True
                self._incoming.receive(self.socket.read())
            else:
                self._late = 0.0
                if self.socket.ended:
                    self._on_end()
                return
            if unasked and time.monotonic() > until:
                self._rest()
                return

    def _rest(self) -> None:
        if self.attached:
            self._loop.remove_reader(self._descriptor)
            pause = min(PAUSE_SECONDS + LATENESS_WEIGHT * self._late, LONGEST_PAUSE)
            due = self._loop.time() + pause
            self._pause = self._loop.call_at(due, self._go_on, due)

    def _go_on(self, due: float) -> None:
        self._pause = None
        self._late = self._loop.time() - due
        if self.attached:
            self._loop.add_reader(self._descriptor, self.read)
            self.read()

    def _write(self) -> None:
        waits = self._gather()
        flushed = self.socket.flush()
        if flushed and waits:
            self.plan_write()  # what did not fit into the buffer before
        if flushed and self._awaits_writable:
            self._awaits_writable = False
            self._loop.remove_writer(self._descriptor)
        elif not flushed and not self._awaits_writable:
            self._awaits_writable = True
            self._loop.add_writer(self._descriptor, self.write)
