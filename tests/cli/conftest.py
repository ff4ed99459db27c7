"""The broker fixtures: `broker`, `make_broker`, `watcher`, `certificates`."""

from tests.peers.mosquitto import broker, certificates, make_broker, watcher

__all__ = ["broker", "certificates", "make_broker", "watcher"]
