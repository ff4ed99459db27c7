"""The conversation of `setup`, as people have it."""
