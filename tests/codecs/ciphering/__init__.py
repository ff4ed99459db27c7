"""What encrypted meters of all families share."""
