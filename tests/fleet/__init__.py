"""The sink `history`."""
