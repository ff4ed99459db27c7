"""The broker fixtures: `make_broker`."""

from tests.peers.mosquitto import make_broker

__all__ = ["make_broker"]
