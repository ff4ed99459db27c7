"""Readings from other programs and files, taken into a history: looked through first, then all or nothing.

A module for each of the ``formats`` reads a file and gives ``found`` rows; ``staging`` keeps them on the disk
in the order of time, so that ten years need no memory, and finds what cannot be; ``planning`` compares them
with what is stored; ``writing`` writes what the plan says in one transaction.
"""
