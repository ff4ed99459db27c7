"""Makes a recording fit to be given away: numbers that name a person or a device become made-up ones.

Checksums are computed anew, so that the recording still replays. Functions of recordings: no ports, no files.
"""
