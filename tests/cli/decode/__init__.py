"""The command `decode`."""
