"""The clients by the name that settings use; each module is imported only when chosen."""

from __future__ import annotations

from collections.abc import Mapping

CLIENTS: Mapping[str, str] = {
    "dsmr": "smart_meter_reader.meters.p1.client:DsmrClient",
    "dummy": "smart_meter_reader.meters.dummy:DummyClient",
    "iec62056_21": "smart_meter_reader.meters.iec62056_21.client:Iec62056_21Client",
    "kamstrup": "smart_meter_reader.meters.kmp.client:KamstrupClient",
    "replay": "smart_meter_reader.meters.replay:ReplayClient",
}
