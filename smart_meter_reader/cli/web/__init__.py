"""The command `web`: what belongs to the page in the browser."""
