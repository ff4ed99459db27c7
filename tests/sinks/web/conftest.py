"""The fixture `certificates`."""

from tests.peers.mosquitto import certificates

__all__ = ["certificates"]
