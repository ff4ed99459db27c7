"""The fixtures of a fleet."""

from tests.fleet.conftest import certificates, fleet, hub, keys

__all__ = ["certificates", "fleet", "hub", "keys"]
