"""The service as a device of its own in Home Assistant: which version runs, and since when.

The meters are connected via it. Its entities go with it, as everything that it tells.
"""

from __future__ import annotations

import re
from datetime import datetime

from smart_meter_reader import __version__
from smart_meter_reader.sinks.home_assistant.forms import Component, Described
from smart_meter_reader.sinks.wording import utc_text


def service_id(service: str) -> str:
    """The device's id. No meter has it: their names have no underscore."""
    return f"smart_meter_reader_service_{_slug(service)}"


def started_topic(will: str) -> str:
    """Where the time of the start stands: below the topic of the will."""
    return f"{will}/started"


def started_payload(started: datetime) -> str:
    """The time of the start as Home Assistant takes it."""
    return utc_text(started)


def described_service(service: str, will: str) -> Described:
    """All that is to be said of the service whose will is published to ``will``."""
    device = {
        "ids": [service_id(service)],
        "name": f"Meter reader {service}".strip(),
        "mdl": "smart-meter-reader",
        "sw": __version__,
    }
    running = _component(service, "running", "Running", "binary_sensor", will) | {
        "dev_cla": "running",
        "pl_on": "online",
        "pl_off": "offline",
    }
    started = _component(service, "started", "Started", "sensor", started_topic(will)) | {
        "dev_cla": "timestamp"
    }
    shared = {"avty": [{"t": will}], "avty_mode": "all"}
    return Described(device, {"running": running, "started": started}, shared, {})


def _component(service: str, key: str, name: str, platform: str, topic: str) -> Component:
    slug = "_".join(filter(None, ("meter_reader", _slug(service).replace("-", "_").lower(), key)))
    return {
        "p": platform,
        "uniq_id": f"{service_id(service)}_{key}",
        "def_ent_id": f"{platform}.{slug}",
        "name": name,
        "stat_t": topic,
        "qos": 1,
        "ent_cat": "diagnostic",
    }


def _slug(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", text)
