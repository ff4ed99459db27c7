"""A family of meters outside of the package: a folder, one registry line, and every command knows it."""
