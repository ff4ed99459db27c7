"""`read`: one reading of one meter, and what other commands that take one share with it."""
