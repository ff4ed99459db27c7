"""The clients by the name that settings use; each module is imported only when chosen."""

from __future__ import annotations

from collections.abc import Mapping

CLIENTS: Mapping[str, str] = {
    "dsmr": "smart_meter_reader.clients.dsmr:DsmrClient",
    "dummy": "smart_meter_reader.clients.dummy:DummyClient",
    "iec62056_21": "smart_meter_reader.clients.iec62056_21:Iec62056_21Client",
    "kamstrup": "smart_meter_reader.clients.kamstrup:KamstrupClient",
    "replay": "smart_meter_reader.clients.replay:ReplayClient",
}
