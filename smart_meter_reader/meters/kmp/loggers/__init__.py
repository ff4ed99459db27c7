"""Reading what a KMP meter keeps in its loggers: ``walk`` is the way there, for both generations.

``places`` says where a logger is, ``past`` and ``records`` are how each generation is asked.
"""
