"""The program with one registry line more, as `smart_meter_reader/meters/registry.py` would have it."""

from __future__ import annotations

from smart_meter_reader.meters import registry

registry.METERS = {**registry.METERS, "street": "tests.new_family.street:DRIVER"}

if __name__ == "__main__":
    from smart_meter_reader.__main__ import main

    main()
