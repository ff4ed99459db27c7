"""Kamstrup meters that speak KMP: MULTICAL 302 to 803, 21, flowIQ."""

from __future__ import annotations

from smart_meter_reader.drivers import MeterDriver

_ROOM = "smart_meter_reader.meters.kmp"

DRIVER = MeterDriver(
    title="KMP",
    called=("kmp", "multical"),
    client=f"{_ROOM}.client:KamstrupClient",
    settings=f"{_ROOM}.settings:KamstrupSettings",
    listens="",
    asks=(f"{_ROOM}.probe:QUESTION", f"{_ROOM}.probe:ELECTRICITY"),
    head=f"{_ROOM}.probe:head_probe",
    emulators={"kamstrup": f"{_ROOM}.emulate:kamstrup"},
    protocol="kmp",
    decode=f"{_ROOM}.decode:kmp",
    sniff=f"{_ROOM}.decode:sniff",
    unread="",
    comment=f"{_ROOM}.comments:comment",
    redact=f"{_ROOM}.redaction:redact",
    typical=("heat_energy", "volume", "power", "volume_flow", "flow_temperature", "return_temperature"),
    health=("retries", "latency_ms", "requests_24h", "wake_ups_24h", "read_now_used", "read_now_refused"),
    loggers=f"{_ROOM}.loggers.look:open_loggers",
    clock=f"{_ROOM}.clock:open_clock",
)
