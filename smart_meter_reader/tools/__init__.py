"""What stands behind the commands that get a person from the box to the first reading."""
