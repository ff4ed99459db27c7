"""`scan`: which meters are at which ports."""
