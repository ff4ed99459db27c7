"""From a stream of bytes with anything in it to whole APDUs: frames, and what joins their pieces.

``frames`` finds them (``hdlc``, ``mbus_frame``, ``unframed``); ``joining`` joins segments and blocks.
"""
