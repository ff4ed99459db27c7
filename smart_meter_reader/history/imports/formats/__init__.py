"""The formats of files: a module for each, what a file is, and how texts, times and numbers stand in it."""
