"""The sinks by the name that settings use; each module is imported only when chosen."""

from __future__ import annotations

from collections.abc import Mapping

SINKS: Mapping[str, str] = {
    "stdout": "smart_meter_reader.sinks.stdout:StdoutSink",
}
