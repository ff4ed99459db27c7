"""`align`: live help for placing the infrared head."""
