"""A fleet's writer."""
