"""The broker fixtures: `broker`, `make_broker`, `certificates`."""

from tests.peers.mosquitto import broker, certificates, make_broker

__all__ = ["broker", "certificates", "make_broker"]
