"""The files, and what is done to them."""
