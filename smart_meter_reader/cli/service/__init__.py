"""`service`: an environment, the page of several or the writer as a systemd service."""
