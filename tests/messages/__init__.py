"""Messages, and what goes with them."""
