"""What is wrong with the prices of topics: counted, and told on the page. For any thread."""

from __future__ import annotations

from smart_meter_reader.exceptions import WordedError


class PriceTroubles:
    """By topic the messages that were refused, and why the last one was, until a good one comes."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}
        self._why: dict[str, WordedError] = {}

    def refused(self, topic: str, error: WordedError) -> int:
        """A message was left out; how many of its topic until now."""
        self._why[topic] = error
        self._count[topic] = self._count.get(topic, 0) + 1
        return self._count[topic]

    def taken(self, topic: str) -> None:
        """A message was good."""
        self._why.pop(topic, None)

    @property
    def counts(self) -> dict[str, int]:
        """How many messages were refused since the start, by topic."""
        return dict(self._count)

    def last(self, topic: str) -> WordedError | None:
        """Why the last message was refused; None where it was not."""
        return self._why.get(topic)
