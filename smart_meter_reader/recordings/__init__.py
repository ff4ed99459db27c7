"""Recordings of a line: their text, how they are made and played, and made fit to be given away.

For the latter, numbers that name a person or a device become made-up ones; checksums are computed anew, so
that the recording still replays.
"""
