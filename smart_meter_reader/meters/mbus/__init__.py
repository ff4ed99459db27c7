"""Heat, water and other meters on wired M-Bus (EN 13757), or with M-Bus at their optical head."""

from __future__ import annotations

from smart_meter_reader.drivers import MeterDriver

_ROOM = "smart_meter_reader.meters.mbus"

DRIVER = MeterDriver(
    title="M-Bus",
    called=(),
    client=f"{_ROOM}.client:MbusClient",
    settings=f"{_ROOM}.settings:MbusSettings",
    listens="",  # a meter answers, and never speaks first
    asks=(f"{_ROOM}.probe:BUS", f"{_ROOM}.probe:HEAD"),
    head=f"{_ROOM}.probe:head_probe",
    emulators={"mbus": f"{_ROOM}.emulate:mbus"},
    protocol="mbus",
    decode=f"{_ROOM}.decode:mbus",
    sniff=f"{_ROOM}.decode:sniff",
    unread="",
    comment=f"{_ROOM}.comments:comment",
    redact=f"{_ROOM}.redaction:redact",
    typical=("heat_energy", "volume", "power", "volume_flow", "flow_temperature", "return_temperature"),
    health=("retries", "latency_ms", "requests_24h", "wake_ups_24h", "read_now_used", "read_now_refused"),
    # Stored values of M-Bus are records of one readout: there is no logger to look through.
    loggers="",
    clock="",
)
