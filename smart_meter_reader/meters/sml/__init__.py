"""German electricity meters (EDL21, EDL40, mME) that send SML by themselves at their optical head."""

from __future__ import annotations

from smart_meter_reader.drivers import MeterDriver

_ROOM = "smart_meter_reader.meters.sml"

DRIVER = MeterDriver(
    title="SML",
    called=("edl21", "edl40", "mme"),
    client=f"{_ROOM}.client:SmlClient",
    settings=f"{_ROOM}.settings:SmlSettings",
    listens=f"{_ROOM}.probe:LISTENING",
    asks=(),  # it has no ear
    head=f"{_ROOM}.probe:head_probe",
    emulators={"sml": f"{_ROOM}.emulate:sml"},
    protocol="sml",
    decode=f"{_ROOM}.decode:sml",
    sniff=f"{_ROOM}.decode:sniff",
    unread="",
    comment=f"{_ROOM}.comments:comment",
    redact=f"{_ROOM}.redaction:redact",
    loggers="",  # they are for the display and the gateway
    clock="",  # seconds since some beginning
    typical=("active_energy_import", "active_energy_export", "active_power_net", "info_code_text"),
    health=("latency_ms",),
    # Six digits of kWh on the display; in tenths of Wh there are more.
    counter_digits=7,
)
