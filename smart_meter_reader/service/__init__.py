"""The service under systemd: what it is told, and the unit that runs us."""
