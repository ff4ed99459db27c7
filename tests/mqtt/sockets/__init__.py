"""The bytes to a broker and from it."""
