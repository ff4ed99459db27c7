"""The command `record`, and what is done with recordings."""
