"""Meters that speak the street protocol: `?` brings `*<number>;<energy in kWh>#<sum>` and a line end."""

from __future__ import annotations

from smart_meter_reader.drivers import MeterDriver

_ROOM = "tests.new_family.street"

DRIVER = MeterDriver(
    title="Street",
    called=("strasse",),
    client=f"{_ROOM}.client:StreetClient",
    settings=f"{_ROOM}.settings:StreetSettings",
    listens="",
    asks=(f"{_ROOM}.probe:QUESTION",),
    head=f"{_ROOM}.probe:head_probe",
    loggers="",
    clock="",
    emulators={"street": f"{_ROOM}.emulate:street"},
    protocol="street",
    decode=f"{_ROOM}.decode:street",
    sniff=f"{_ROOM}.decode:sniff",
    unread=f"{_ROOM}.decode:unread",
    comment=f"{_ROOM}.recording:comment",
    redact=f"{_ROOM}.recording:redact",
    typical=("active_energy_import",),
    health=("latency_ms",),
    counter_digits=6,
)
