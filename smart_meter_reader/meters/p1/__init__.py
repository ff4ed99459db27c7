"""Electricity meters with a P1 port, plain or encrypted, and the M-Bus meters behind them."""

from __future__ import annotations

from smart_meter_reader.drivers import MeterDriver

_ROOM = "smart_meter_reader.meters.p1"

DRIVER = MeterDriver(
    title="P1",
    called=("p1", "esmr", "smr"),
    client=f"{_ROOM}.client:DsmrClient",
    settings=f"{_ROOM}.settings:DsmrSettings",
    listens=f"{_ROOM}.probe:LISTENING",
    asks=(),  # a P1 meter sends by itself
    head="",  # it is read through a cable
    loggers="",
    clock="",
    emulators={"p1": f"{_ROOM}.emulate:p1"},
    protocol="p1",
    decode=f"{_ROOM}.decode:p1",
    sniff=f"{_ROOM}.decode:sniff",
    unread="",
    comment="",  # telegrams are text
    redact=f"{_ROOM}.redaction:redact",
    typical=(
        *("active_energy_import", "active_energy_export", "active_power_import", "active_power_export"),
        *("voltage_l1", "current_l1"),
    ),
    health=("latency_ms",),
    # F9(3,3), DSMR 5.0.2 P1, section 6.12; some countries have more. Gas may have 8.
    counter_digits=9,
)
