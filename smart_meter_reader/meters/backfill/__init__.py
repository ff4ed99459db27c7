"""What a meter keeps in its loggers, read back: what is missing, what is next, at what cost. No protocol.

``ranges`` and ``state`` say what is known, ``plan`` what follows from it, ``budget`` and ``cost`` what it may
and will cost, ``stamps`` when an entry was made, ``memory`` is the JSON of it; ``session`` does it.
"""
