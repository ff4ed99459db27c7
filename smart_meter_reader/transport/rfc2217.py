"""RFC 2217: a serial port behind a telnet connection, with its speed and format: ``rfc2217://host:port``.

``Telnet`` is a function of bytes; ``open_rfc2217`` puts it on a TCP connection. Sources: RFC 854 (telnet),
RFC 856 (binary transmission), RFC 2217 (COM-PORT-OPTION); section numbers beside the constants.

Own code and not a library: pyserial's client blocks, in threads; serialx (1.15) runs on asyncio, but gives up
on ser2net, from which it awaits an answer to the line-state mask that never comes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable

from smart_meter_reader.exceptions import TransportError
from smart_meter_reader.network import stalls
from smart_meter_reader.transport.inbox import Inbox
from smart_meter_reader.transport.line import LineSettings
from smart_meter_reader.transport.stream import Transport
from smart_meter_reader.transport.tcp import connect_tcp

IAC, DONT, DO, WONT, WILL, SB, SE = 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0xFA, 0xF0  # RFC 854
BINARY, SUPPRESS_GO_AHEAD, COM_PORT = 0, 3, 44  # RFC 856, RFC 858, RFC 2217 section 2

# RFC 2217 section 3: client to server; the server answers with the same number plus 100.
SET_BAUDRATE, SET_DATASIZE, SET_PARITY, SET_STOPSIZE, SET_CONTROL = 1, 2, 3, 4, 5
PURGE_DATA = 12
ANSWER = 100
_PARITIES = {"N": 1, "O": 2, "E": 3}
_NO_FLOW_CONTROL, _DTR_ON, _DTR_OFF, _RTS_ON, _RTS_OFF = 1, 8, 9, 11, 12
_PURGE_BOTH = 3

_OURS = frozenset({BINARY, SUPPRESS_GO_AHEAD, COM_PORT})  # options that we use in our direction
_THEIRS = frozenset({BINARY, SUPPRESS_GO_AHEAD, COM_PORT})  # options that the server may use in its own
_MAX_SUBNEGOTIATION = 256  # the longest that RFC 2217 knows is a signature; the rest is 5 bytes
# From IAC SB to IAC SE; within, an IAC stands doubled (RFC 854) or is the beginning of something else.
_SUBNEGOTIATION = re.compile(rb"\xff\xfa((?:[^\xff]|\xff\xff)*+)\xff\xf0", re.DOTALL)
_UNFINISHED = re.compile(rb"\xff\xfa(?:[^\xff]|\xff\xff)*+\xff?", re.DOTALL)
# NOP, go-ahead and the rest of RFC 854, which mean nothing here.
_MEANINGLESS = re.compile(rb"(?:\xff[\x00-\xf9])+")
# What a meter may say until the server has answered, which takes a second at most: more than this at
# 115,200 Bd takes five.
EARLY_LIMIT = 64 * 1024


class Telnet:
    """Both directions of one telnet connection: payload apart from negotiation.

    ``receive`` returns payload and collects what must be sent in ``outgoing``. ``com_port`` says whether
    the server agreed to the COM-PORT option (None: not answered yet); its answers to settings are in
    ``answers``.
    """

    def __init__(self) -> None:
        self.outgoing = bytearray()
        self.com_port: bool | None = None
        self.answers: dict[int, bytes] = {}
        self._pending = b""  # a command of which the end has not arrived
        self._asked = {(WILL, option) for option in _OURS} | {(DO, option) for option in _THEIRS - {COM_PORT}}
        for verb, option in sorted(self._asked):
            self.outgoing += bytes((IAC, verb, option))

    def encode(self, payload: bytes) -> bytes:
        """Payload as it goes to the server: FF doubled."""
        return payload.replace(b"\xff", b"\xff\xff")

    def receive(self, received: bytes) -> bytes:
        """The payload in what arrived; commands may be split anywhere."""
        received = self._pending + received
        payload = bytearray()
        position = 0
        while position < len(received):
            special = received.find(IAC, position)
            if special < 0:
                payload += received[position:]
                break
            payload += received[position:special]
            taken = self._command(received, special, payload)
            if not taken:
                self._pending = received[special:]
                return bytes(payload)
            position = special + taken
        self._pending = b""
        return bytes(payload)

    def ask(self, command: int, value: bytes) -> None:
        """Ask for a COM-PORT setting; its answer appears in ``answers[command]``."""
        self.answers.pop(command, None)
        self.outgoing += bytes((IAC, SB, COM_PORT, command)) + self.encode(value) + bytes((IAC, SE))

    def _command(self, received: bytes, start: int, payload: bytearray) -> int:
        """Obey the command that begins there; how many bytes it took, 0 when its end is missing."""
        command = received[start : start + 3]
        if len(command) < 2:
            return 0
        verb = command[1]
        if verb == IAC:
            payload.append(IAC)
            return 2
        if verb in (DO, DONT, WILL, WONT):
            if len(command) < 3:
                return 0
            self._negotiate(verb, command[2])
            return 3
        if verb == SB:
            return self._subnegotiation(received[start : start + _MAX_SUBNEGOTIATION + 1])
        meaningless = _MEANINGLESS.match(received, start)
        return meaningless.end() - start if meaningless else 2

    def _negotiate(self, verb: int, option: int) -> None:
        if option == COM_PORT and verb in (DO, WILL):
            self.com_port = True
        elif option == COM_PORT and verb == DONT:
            self.com_port = False
        ours = verb in (DO, DONT)
        agree = verb in (DO, WILL) and option in (_OURS if ours else _THEIRS)
        reply = (WILL if agree else WONT) if ours else (DO if agree else DONT)
        if (reply, option) in self._asked:
            return  # the answer to what we asked for: answering it again would never end (RFC 854)
        self._asked.add((reply, option))
        self.outgoing += bytes((IAC, reply, option))

    def _subnegotiation(self, command: bytes) -> int:
        whole = _SUBNEGOTIATION.match(command)
        if whole is None:
            # Too long, or something else within: it is no subnegotiation. Give up its two bytes.
            unfinished = _UNFINISHED.fullmatch(command) and len(command) <= _MAX_SUBNEGOTIATION
            return 0 if unfinished else 2
        content = whole[1].replace(b"\xff\xff", b"\xff")
        if len(content) >= 2 and content[0] == COM_PORT and content[1] > ANSWER:
            self.answers[content[1] - ANSWER] = content[2:]
        return whole.end()


def line_requests(line: LineSettings) -> dict[int, bytes]:
    """The COM-PORT settings that make up ``line``."""
    return {
        SET_BAUDRATE: line.baud.to_bytes(4, "big"),
        SET_DATASIZE: bytes((line.bytesize,)),
        SET_PARITY: bytes((_PARITIES[line.parity],)),
        SET_STOPSIZE: bytes((line.stopbits,)),
    }


def _control_requests(line: LineSettings) -> Iterable[int]:
    yield _NO_FLOW_CONTROL
    if line.dtr is not None:
        yield _DTR_ON if line.dtr else _DTR_OFF
    if line.rts is not None:
        yield _RTS_ON if line.rts else _RTS_OFF


class Rfc2217Transport(Transport):
    """A serial port behind telnet; ``change_line`` returns when the server has changed its port."""

    def __init__(
        self, url: str, line: LineSettings, carrier: asyncio.Transport, inbox: Inbox, within: float
    ) -> None:
        super().__init__(url, line, carrier, inbox)
        self._telnet = Telnet()
        self._within = within
        self._early = bytearray()  # payload that arrived while an answer was awaited

    async def negotiate(self) -> None:
        """Agree on the COM-PORT option and set the line. Raises TransportError."""
        self._send_outgoing()
        await self._until(lambda: self._telnet.com_port is not None, "does not answer RFC 2217 negotiation")
        if not self._telnet.com_port:
            raise self._refusal("refuses RFC 2217")
        await self._apply_line(self.line)
        for control in _control_requests(self.line):
            self._telnet.ask(SET_CONTROL, bytes((control,)))
        self._telnet.ask(PURGE_DATA, bytes((_PURGE_BOTH,)))
        self._send_outgoing()
        # Servers differ in what they answer to controls; all of them answer a purge, and in order.
        await self._until(lambda: PURGE_DATA in self._telnet.answers, "does not answer a purge")
        self.discard_input()

    async def _apply_line(self, line: LineSettings) -> None:
        # A remote port of seven bits ignores the eighth; one that only claims to have them needs it.
        self.software_parity = line.bytesize == 7
        refused = await self._request_line(line)
        if refused and line.bytesize == 7:
            refused = await self._request_line(line.as_eight_bits())
        if refused:
            raise TransportError(
                "line_refused",
                f"{self.url} does not set its port to {line}: allow it in the server's settings, "
                "or set the line there and use socket://",
            )

    async def _request_line(self, line: LineSettings) -> bool:
        """Ask for the four settings; True when the server set another value for one of them."""
        requests = line_requests(line)
        for command, value in requests.items():
            self._telnet.ask(command, value)
        self._send_outgoing()
        await self._until(
            lambda: all(command in self._telnet.answers for command in requests), f"does not confirm {line}"
        )
        return any(
            self._telnet.answers[command][: len(value)] != value for command, value in requests.items()
        )

    async def _until(self, condition: Callable[[], bool], complaint: str) -> None:
        try:
            async with stalls.timeout(self._within):
                while not condition():
                    received = await self._inbox.wait_for_input()
                    if not received and self._inbox.ended:
                        raise self._lost()
                    self._early += self._unwrap(received)
                    if len(self._early) > EARLY_LIMIT:
                        raise self._refusal(f"{complaint}, and sends {len(self._early)} bytes instead")
        except TimeoutError:
            raise self._refusal(complaint) from None

    def _refusal(self, complaint: str) -> TransportError:
        return TransportError(
            "not_rfc2217",
            f"{self.url} {complaint}: switch RFC 2217 on at the server (ser2net: `telnet(rfc2217),tcp,...`), "
            "or use socket:// with the line set there",
        )

    async def _receive(self) -> bytes:
        if self._early:
            early = bytes(self._early)
            self._early.clear()
            return self._passed_on(early)
        return await super()._receive()

    def discard_input(self) -> int:
        early = len(self._early)
        self._early.clear()
        return early + super().discard_input()

    def _send_outgoing(self) -> None:
        if self._telnet.outgoing and not self._inbox.ended:
            self._carrier.write(bytes(self._telnet.outgoing))
        self._telnet.outgoing.clear()

    def _wrap(self, payload: bytes) -> bytes:
        return self._telnet.encode(payload)

    def _unwrap(self, received: bytes) -> bytes:
        payload = self._telnet.receive(received)
        self._send_outgoing()
        return payload


async def open_rfc2217(url: str, host: str, port: int, line: LineSettings, within: float) -> Transport:
    """Open ``rfc2217://`` and set its line. Raises TransportError."""
    carrier, inbox = await connect_tcp(host, port, within)
    transport = Rfc2217Transport(url, line, carrier, inbox, within)
    try:
        await transport.negotiate()
    except BaseException:  # a cancellation too: no connection stays open
        await transport.close()
        raise
    return transport
