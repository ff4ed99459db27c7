"""The meter families by the name of their client in settings; each is imported only when chosen."""

from __future__ import annotations

from collections.abc import Mapping

from smart_meter_reader.drivers import MeterDriver, imported

METERS: Mapping[str, str] = {
    # Before the others that listen: most ports are P1, and a scan tries its lines first.
    "dsmr": "smart_meter_reader.meters.p1:DRIVER",
    "dlms": "smart_meter_reader.meters.dlms:DRIVER",
    "dummy": "smart_meter_reader.meters.dummy:DRIVER",
    "iec62056_21": "smart_meter_reader.meters.iec62056_21:DRIVER",
    "kamstrup": "smart_meter_reader.meters.kmp:DRIVER",
    "mbus": "smart_meter_reader.meters.mbus:DRIVER",
    "replay": "smart_meter_reader.meters.replay:DRIVER",
    "sml": "smart_meter_reader.meters.sml:DRIVER",
}


def meter_driver(client: str) -> MeterDriver:
    """The family that settings call ``client``. KeyError when there is none."""
    driver: MeterDriver = imported(METERS[client])
    return driver


def meter_drivers() -> Mapping[str, MeterDriver]:
    """All families by the name of their client, in the order of the registry."""
    return {client: meter_driver(client) for client in METERS}
