"""`setup`: one conversation from the port to the first reading."""
