"""`doctor`: examines an environment, one check after the other."""
