"""The store of readings, and the questions it answers."""
