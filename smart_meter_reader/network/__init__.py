"""What everything that talks to the network shares: blocking calls away from the event loop."""
