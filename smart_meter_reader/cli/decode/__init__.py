"""`decode`: what captured bytes say."""
