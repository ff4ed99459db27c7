"""Wired M-Bus (EN 13757-2 and -3): frames, the link's session, records, and what they say of a meter."""
