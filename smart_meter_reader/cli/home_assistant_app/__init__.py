"""The entry of the Home Assistant app: from the options of its form to a running service.

It knows what the Supervisor hands over (developers.home-assistant.io, "App configuration" and "App
communication"): /data/options.json, SUPERVISOR_TOKEN, and the broker at /services/mqtt.
"""

from __future__ import annotations
