"""What becomes a row."""
