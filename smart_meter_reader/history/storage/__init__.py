"""The files: their tables, what is written and read again, backups, and whether they are sound. Blocking."""
