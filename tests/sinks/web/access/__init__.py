"""Whom the page answers."""
