"""What is read back of a meter's loggers: the plan, its memory, its costs."""
