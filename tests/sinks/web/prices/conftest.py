"""The broker fixtures."""

from tests.peers.mosquitto import broker, make_broker

__all__ = ["broker", "make_broker"]
