"""Electricity meters that push DLMS, as in the Nordic countries, Austria, Switzerland, Slovenia, Czechia."""

from __future__ import annotations

from smart_meter_reader.drivers import MeterDriver

_ROOM = "smart_meter_reader.meters.dlms"

DRIVER = MeterDriver(
    title="DLMS",
    called=(),
    client=f"{_ROOM}.client:DlmsClient",
    settings=f"{_ROOM}.settings:DlmsSettings",
    listens=f"{_ROOM}.probe:LISTENING",
    asks=(),  # such a meter pushes, and has no ear
    head="",  # it is read through a cable
    loggers="",
    clock="",
    emulators={"dlms": f"{_ROOM}.emulate:dlms"},
    protocol="dlms",
    decode=f"{_ROOM}.decode:dlms",
    sniff=f"{_ROOM}.decode:sniff",
    unread=f"{_ROOM}.decode:unread",
    comment=f"{_ROOM}.comments:comment",
    redact=f"{_ROOM}.redaction:redact",
    typical=(
        *("active_energy_import", "active_energy_export", "active_power_import", "active_power_export"),
        *("voltage_l1", "current_l1"),
    ),
    health=("latency_ms",),
    # Kamstrup's count to 99,999.99 kWh at least (data sheet of OMNIPOWER).
    counter_digits=7,
)
