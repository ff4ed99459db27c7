"""The page of several environments."""
