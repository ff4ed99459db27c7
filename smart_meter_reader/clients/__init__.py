"""Clients: one task per meter, from transport and codec to messages."""
