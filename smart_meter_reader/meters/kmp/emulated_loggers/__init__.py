"""What an emulated KMP meter keeps in its loggers, and how it answers when asked for it.

``clock`` is its own idea of the time, ``contents`` which loggers it has and what stands in each entry,
``past`` and ``records`` are the answers of the two generations, ``loggers`` all of one meter.
"""
