"""DLMS/COSEM as electricity meters push it: HDLC, M-Bus framing or none, plain or encrypted.

Nothing is ever sent. From outside to inside: ``framing`` (frames, their segments and blocks), ``cipher``,
``notification``, ``axdr``, ``layouts``, ``telegram``; ``reader`` puts them together.
"""
