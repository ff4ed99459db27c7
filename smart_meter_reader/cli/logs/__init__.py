"""`logs`: one look at what a meter keeps in its own loggers."""
