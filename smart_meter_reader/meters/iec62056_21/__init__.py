"""Meters that speak IEC 62056-21 at an optical head: MULTICAL 66C, III, 401, the 382, others."""

from __future__ import annotations

from smart_meter_reader.drivers import MeterDriver

_ROOM = "smart_meter_reader.meters.iec62056_21"

DRIVER = MeterDriver(
    title="IEC 62056-21",
    called=("d0", "iec1107", "uh50"),
    client=f"{_ROOM}.client:Iec62056_21Client",
    settings=f"{_ROOM}.settings:Iec62056_21Settings",
    listens="",  # what sends by itself in mode D is heard by P1, which has the same form
    asks=(f"{_ROOM}.probe:SIGN_ON", f"{_ROOM}.probe:SHORT_REQUEST", f"{_ROOM}.probe:SLEEPING"),
    head=f"{_ROOM}.probe:head_probe",
    emulators={
        "multical_66c": f"{_ROOM}.emulate:multical_66c",
        "multical_401": f"{_ROOM}.emulate:multical_401",
        "iec62056_21": f"{_ROOM}.emulate:iec62056_21",
    },
    protocol="iec62056_21",
    decode=f"{_ROOM}.decode:iec62056_21",
    sniff=f"{_ROOM}.decode:sniff",
    unread="",
    comment=f"{_ROOM}.comments:comment",
    redact=f"{_ROOM}.redaction:redact",
    typical=("heat_energy", "volume", "power", "volume_flow", "flow_temperature", "return_temperature"),
    health=("retries", "latency_ms", "requests_24h", "wake_ups_24h", "read_now_used", "read_now_refused"),
    # Short answers have no checksum at all, and the seven bits of BCC let one error in 128 pass.
    checksummed=False,
    loggers=f"{_ROOM}.log.look:open_loggers",
    clock=f"{_ROOM}.log.look:open_clock",
)
