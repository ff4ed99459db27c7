"""The broker fixtures: `broker`, `make_broker`, `watcher`."""

from tests.peers.mosquitto import broker, make_broker, watcher

__all__ = ["broker", "make_broker", "watcher"]
