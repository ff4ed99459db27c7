"""`mqtt`: try the broker, see what would be published, remove what is left of a meter."""
