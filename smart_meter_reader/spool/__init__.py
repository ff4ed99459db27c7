"""What a destination has not confirmed yet: in memory first, on disk when that takes long; bounded.

A sink opens one ``Spool`` (``spool.spool``) with what its ``SpoolSettings`` (``spool.settings``) say.
"""
