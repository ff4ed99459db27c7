"""Serial devices and pseudo-terminals through pyserial-asyncio, with every error explained."""

from __future__ import annotations

import asyncio
import errno
import re
import termios
from pathlib import Path

import serial
import serial_asyncio

from smart_meter_reader.exceptions import AbsentError, TransportError
from smart_meter_reader.transport.inbox import Inbox
from smart_meter_reader.transport.line import LineSettings
from smart_meter_reader.transport.ports import NO_GROUP, group_name, holders, how_to_open, named_holders
from smart_meter_reader.transport.stream import Transport

_OPEN_FAULTS = (OSError, termios.error, ValueError, OverflowError)
"""What opening or reconfiguring can raise: SerialException is an OSError, termios.error is not; a speed
that termios cannot hold is a ValueError or OverflowError."""


class _SerialCarrier(serial_asyncio.SerialTransport):  # type: ignore[misc]  # pyserial-asyncio has no types
    """pyserial-asyncio's transport, which ends quietly when a write fails: we tell it ourselves."""

    def _fatal_error(self, exc: BaseException, message: str = "") -> None:
        self._abort(exc)

    def abort(self) -> None:
        if self.serial is None:
            return  # lost before
        try:
            # Closing drains the port first, which blocks the loop for as long as an adapter holds bytes.
            self.serial.reset_output_buffer()
        except _OPEN_FAULTS:
            pass  # unplugged: there is nothing left to drain
        super().abort()

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        if self.serial is None:
            return  # a loss and a close in the same turn of the loop both get here
        # pyserial's own words for a hang-up ("reports readiness to read but...") tell a person nothing.
        super()._call_connection_lost(exc if isinstance(exc, OSError) and exc.errno else None)


class DeviceTransport(Transport):
    """A serial port of this machine. Seven bits and parity are done in software where the port has none."""

    async def _apply_line(self, line: LineSettings) -> None:
        port: serial.Serial = self._carrier.get_extra_info("serial")
        try:
            self.software_parity = _apply(port, line)
        except _OPEN_FAULTS as error:
            raise port_error(error, self.url) from error

    def _lost_advice(self) -> str:
        if not Path(self.url).exists():
            return "it is opened again as soon as it is back; check the plug if nobody pulled it"
        return super()._lost_advice()


def _apply(port: serial.Serial, line: LineSettings) -> bool:
    """Set an open port's line; True when the parity of seven bits is left to software."""
    try:
        port.apply_settings(_settings_of(line))
        if _has_format(port, line):
            return False
    except termios.error:
        if line == line.as_eight_bits():
            raise
    # Some systems refuse what a pseudo-terminal cannot do, others leave it out without a word.
    port.apply_settings(_settings_of(line.as_eight_bits()))
    return line.bytesize == 7


def _has_format(port: serial.Serial, line: LineSettings) -> bool:
    flags: int = termios.tcgetattr(port.fileno())[2]
    size = termios.CS7 if line.bytesize == 7 else termios.CS8
    return flags & termios.CSIZE == size and bool(flags & termios.PARENB) == (line.parity != "N")


def _settings_of(line: LineSettings) -> dict[str, object]:
    return {
        "baudrate": line.baud,
        "bytesize": line.bytesize,
        "parity": line.parity,
        "stopbits": line.stopbits,
    }


def _open_port(path: str, line: LineSettings) -> serial.Serial:
    port = serial.Serial(exclusive=True)
    port.apply_settings(_settings_of(line))
    # Set before opening, so that a head that lives on RTS or DTR never sees the wrong level.
    if line.rts is not None:
        port.rts = line.rts
    if line.dtr is not None:
        port.dtr = line.dtr
    port.port = path
    port.open()
    return port


def open_device(url: str, line: LineSettings) -> Transport:
    """Open a device path for this process alone. Raises TransportError."""
    try:
        # First with eight bits, which every port can: pyserial has no way back from a refusal while opening.
        port = _open_port(url, line.as_eight_bits())
        try:
            in_software = _apply(port, line)
        except BaseException:  # an interrupt too: no port stays open
            port.close()
            raise
    except _OPEN_FAULTS as error:
        raise port_error(error, url) from error
    inbox = Inbox()
    carrier = _SerialCarrier(asyncio.get_running_loop(), inbox, port)
    transport = DeviceTransport(url, line, carrier, inbox)
    transport.software_parity = in_software
    return transport


def port_error(error: BaseException, path: str) -> TransportError:
    """What a failure to open or set a port means, and what to do about it."""
    code = _error_number(error)
    if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return _missing(path)
    if code in (errno.EACCES, errno.EPERM):
        return _forbidden(path)
    if code in (errno.EBUSY, errno.EWOULDBLOCK):
        return _busy(path)
    if code in (errno.ENOTTY, errno.EISDIR, errno.EINVAL):
        return TransportError(
            "not_a_serial_port",
            f"{path} is not a serial port: `smart-meter-reader ports` lists those there are",
        )
    return TransportError(
        "port_failed", f"{path} cannot be used ({error}): replug the adapter or try another port"
    )


def _error_number(error: BaseException) -> int:
    """The errno of an error, also where pyserial has wrapped it into a text."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    if isinstance(error, termios.error) and error.args and isinstance(error.args[0], int):
        return error.args[0]
    wrapped = re.search(r"\((\d+), ", str(error))
    return int(wrapped[1]) if wrapped else 0


def _missing(path: str) -> AbsentError:
    return AbsentError(
        "port_missing",
        f"{path} does not exist: plug the adapter in; `smart-meter-reader ports` lists those there are",
    )


def _forbidden(path: str) -> TransportError:
    try:
        group = group_name(Path(path).stat().st_gid)
    except OSError:
        return TransportError("no_permission", f"{path} may not be reached: check the rights of its folder")
    whose = "another group" if group == NO_GROUP else f"the group {group}"
    return TransportError("no_permission", f"{path} may be opened by {whose} only: {how_to_open(group)}")


def _busy(path: str) -> TransportError:
    names = named_holders(tuple(holders(path)))
    if not names:
        names = "another process, whose name only root may see"
    return TransportError(
        "port_busy", f"{path} is held by {names}: stop it, since two readers take each other's bytes"
    )
