"""Whom the page answers: names and origins, passwords, sessions, certificates, and how many requests."""
